"""What several test files need: the command, files of every kind, a look into a run."""

import contextlib
import gzip
import io
import os
import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from mnist_graph.cli import main
from mnist_graph.data.datasets import BUNDLED, FILES
from mnist_graph.reading.page import load_ink, read_digits
from mnist_graph.training.hooks import Hook, Stop

ROOT = Path(__file__).resolve().parent.parent
TEST_IMAGE = ROOT / "test_img.png"
LINE = re.compile(r"Iteration (\d+) *\| Loss = (\S+) *\| Accuracy = (\S+)")
CLASSICS = ("softmax", "mlp", "cnn")


class Outcome(NamedTuple):
    """What a command came to."""

    code: int
    out: str
    err: str


def run_main(cwd, *words):
    """The command in this process, run in the folder `cwd`."""
    out, err = io.StringIO(), io.StringIO()
    before = Path.cwd()
    os.chdir(cwd)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([str(word) for word in words])
    except SystemExit as leaving:
        code = leaving.code or 0
    finally:
        os.chdir(before)
    return Outcome(code, out.getvalue(), err.getvalue())


def start_command(cwd, *words, **options):
    """`python main.py words...` in a process of its own, run in the folder `cwd`."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), *map(str, words)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def run_command(cwd, *words, **options):
    """`start_command`, waited for."""
    process = start_command(cwd, *words, **options)
    out, err = process.communicate(timeout=120)
    return Outcome(process.returncode, out, err)


def assert_refused(outcome, code, *said):
    """One line on standard error that says what was wrong; nothing on standard output."""
    assert outcome.err.startswith("mnist-graph: error: ")
    assert outcome.err.endswith("\n")
    assert outcome.err.count("\n") == 1, outcome.err
    assert outcome.out == ""
    assert outcome.code == code
    for words in said:
        assert words in outcome.err


def printed(out):
    """The (iteration, loss, accuracy) of every line that the loop printed, as text."""
    return [found.groups() for line in out.splitlines() if (found := LINE.fullmatch(line))]


def variables(run_directory):
    """Every variable in the newest checkpoint of a run, by name."""
    import tensorflow as tf

    folder = max(Path(run_directory).glob("checkpoint-*"), key=lambda p: int(p.name[11:]))
    reader = tf.train.load_checkpoint(str(folder / "model"))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def same_variables(one, other):
    """Whether two runs ended with the same bits."""
    a, b = variables(one), variables(other)
    return a.keys() == b.keys() and all(a[n].tobytes() == b[n].tobytes() for n in a)


def truncate(path):
    os.truncate(path, path.stat().st_size // 2)


def flip(path):
    """One bit, in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


class StopAt(Hook):
    """Stops a training after iteration `last`."""

    def __init__(self, last):
        self.last = last

    def after_iteration(self, iteration):
        if iteration == self.last:
            raise Stop


def idx_bytes(array, magic=None, shape=None):
    """`array` as an IDX file of unsigned bytes; `magic` and `shape` may lie."""
    array = np.asarray(array, np.uint8)
    magic = 0x800 + array.ndim if magic is None else magic
    shape = array.shape if shape is None else shape
    return struct.pack(f">{1 + len(shape)}I", magic, *shape) + array.tobytes()


def write_file(folder, name, content, zipped=False):
    """Write one file, gzip-compressed under `name`.gz with `zipped`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (f"{name}.gz" if zipped else name)
    path.write_bytes(gzip.compress(content, 1) if zipped else content)
    return path


def write_data(folder, train, test, zipped=False):
    """Write the four files; `train` and `test` are (pixels, labels)."""
    for name, array in zip(FILES, (*train, *test), strict=True):
        write_file(folder, name, idx_bytes(array), zipped)
    return folder


def some_mnist(mnist, count=300, classes=10, rows=slice(None), columns=slice(None)):
    """Real digits for `write_data`, cropped, with labels that count through `classes`."""
    pixels = mnist.train.pixels[:count, rows, columns]
    labels = np.arange(count) % classes
    return (pixels, labels), (pixels[: max(60, classes)], labels[: max(60, classes)])


def copy_bundled(folder):
    """A folder with the bundled files; links, for the sake of time."""
    folder.mkdir(parents=True)
    for path in BUNDLED.glob("*.gz"):
        (folder / path.name).symlink_to(path)
    return folder


def drawing(ink, ground=255, digit=0, mode="L"):
    """A picture of `ink` (uint8, 255 is full): `digit` on `ground`."""
    share = ink.astype(np.float64) / 255
    return Image.fromarray(np.uint8(np.rint(ground + share * (digit - ground)))).convert(mode)


def enlarged(ink, factor, shape, offset):
    """`ink` drawn `factor` times as big into an empty frame of `shape`, at `offset`."""
    height, width = (int(side * factor) for side in ink.shape)
    big = np.asarray(Image.fromarray(ink).resize((width, height), Image.Resampling.BICUBIC))
    frame = np.zeros(shape, np.uint8)
    frame[offset[0] : offset[0] + height, offset[1] : offset[1] + width] = big
    return frame


def test_ink():
    """The ink of test_img.png, uint8: 255 is full."""
    return np.array(Image.open(TEST_IMAGE).convert("RGBA"))[..., 3]


test_ink.__test__ = False


def given_to_the_network(picture):
    """What a network would be given of a picture, as one that is always unsure: uint8
    [n, 28, 28], one for each digit that is found.
    """
    given = []

    def judge(images):
        given.append(images)
        return np.full((len(images), 10), 0.1, np.float32)

    digits = read_digits(load_ink(picture), (28, 28), judge)
    return given[-1] if digits else []
