"""Helpers that several test files share: the command, files of every kind, checkpoints."""

import contextlib
import gzip
import io
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from filelock import FileLock
from PIL import Image

from mnist_graph import recipes
from mnist_graph.cli import main
from mnist_graph.data.datasets import BUNDLED, FILES
from mnist_graph.data.mnist_form import to_mnist_form
from mnist_graph.reading.prepare import prepare
from mnist_graph.training.hooks import Hook, Stop

ROOT = Path(__file__).resolve().parent.parent
TEST_IMAGE = ROOT / "test_img.png"
LINE = re.compile(r"Iteration (\d+) *\| Loss = (\S+) *\| Accuracy = (\S+)")
CLASSICS = ("softmax", "mlp", "cnn")
IMAGE_MODELS = [name for name, recipe in recipes.items() if not recipe.reads_strips]
"""The recipes for images of one digit, as opposed to strips."""
TINY_READER = (
    *("--model", "reader", "--iterations", "30", "--batch-size", "4"),
    *("--set", "channels=4,4,4,4,8,8,8,8,12,12,12", "--set", "precision=float32"),
)
"""The words that train a reader which is too small to read much, within a second or two."""


class Outcome(NamedTuple):
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str


def run_main(cwd, *words):
    """Run the command in this process, in the folder `cwd`."""
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


def run_once(cwd, saved, *words):
    """Run the command in `cwd`, unless another test has: its output is in the file `saved`."""
    with FileLock(saved.with_suffix(".lock")):
        if not saved.exists():
            saved.write_text(json.dumps(run_main(cwd, *words)))
    return Outcome(*json.loads(saved.read_text()))


def start_command(cwd, *words, **options):
    """Start `python main.py words...` in a process of its own, in the folder `cwd`."""
    return start_python(cwd, str(ROOT / "main.py"), *words, **options)


def inherited():
    """Return the environment without what TensorFlow's import in this process has set: it would let
    the messages of other processes through.
    """
    return {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}


def start_python(cwd, *words, **options):
    """Start `python words...` in a process of its own, in the folder `cwd`."""
    options.setdefault("env", inherited())
    return subprocess.Popen(
        [sys.executable, *map(str, words)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def run_command(cwd, *words, **options):
    """Run `python main.py words...` in a process of its own, in the folder `cwd`."""
    process = start_command(cwd, *words, **options)
    out, err = process.communicate(timeout=120)
    return Outcome(process.returncode, out, err)


def run_python(code, **variables):
    """Run Python `code` in a fresh interpreter at the repository root. Environment `variables`
    are set, or removed where they are None.
    """
    environment = {**os.environ, **variables}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={name: value for name, value in environment.items() if value is not None},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def run_example(folder, code):
    """Run the Python `code` of an example in a folder that has test_img.png; return what it
    prints.
    """
    shutil.copy(TEST_IMAGE, folder)
    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def assert_refused(outcome, code, *said):
    """Assert that the command failed with one line on standard error, which contains `said`."""
    assert outcome.err.startswith("mnist-graph: error: ")
    assert outcome.err.endswith("\n")
    assert outcome.err.count("\n") == 1, outcome.err
    assert outcome.out == ""
    assert outcome.code == code
    for words in said:
        assert words in outcome.err


def printed(out):
    """Return the (iteration, loss, accuracy) of every line that the loop printed, as text."""
    return [found.groups() for line in out.splitlines() if (found := LINE.fullmatch(line))]


def variables(run_directory):
    """Return every variable in the newest checkpoint of a run, by name."""
    import tensorflow as tf

    folder = max(Path(run_directory).glob("checkpoint-*"), key=lambda p: int(p.name[11:]))
    reader = tf.train.load_checkpoint(str(folder / "model"))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def same_variables(one, other):
    """Whether two runs ended with the same variables, bit for bit."""
    a, b = variables(one), variables(other)
    return a.keys() == b.keys() and all(a[n].tobytes() == b[n].tobytes() for n in a)


def truncate(path):
    """Cut a file to half its size."""
    os.truncate(path, path.stat().st_size // 2)


def flip(path):
    """Flip one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


class StopAt(Hook):
    """Stops training after iteration `last`."""

    def __init__(self, last):
        self.last, self.stops = last, [last]

    def after_iteration(self, iteration):
        if iteration == self.last:
            raise Stop


def idx_bytes(array, magic=None, shape=None):
    """Return `array` as an IDX file of unsigned bytes, whose `magic` and `shape` may be wrong."""
    array = np.asarray(array, np.uint8)
    magic = 0x800 + array.ndim if magic is None else magic
    shape = array.shape if shape is None else shape
    return struct.pack(f">{1 + len(shape)}I", magic, *shape) + array.tobytes()


def png_bytes(width, height, data=b""):
    """Return a PNG file of one bit per pixel whose header may not fit its `data`."""

    def chunk(kind, body):
        checksum = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + checksum

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(data)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, body) for kind, body in chunks)


def write_file(folder, name, content, zipped=False):
    """Write one file; with `zipped`, gzip-compressed as `name`.gz. Return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (f"{name}.gz" if zipped else name)
    path.write_bytes(gzip.compress(content, 1) if zipped else content)
    return path


def write_data(folder, train, test, zipped=False):
    """Write the four IDX files; `train` and `test` are (pixels, labels). Return `folder`."""
    for name, array in zip(FILES, (*train, *test), strict=True):
        write_file(folder, name, idx_bytes(array), zipped)
    return folder


def some_mnist(mnist, count=300, classes=10, rows=slice(None), columns=slice(None)):
    """Return cropped MNIST digits for `write_data`, labelled 0, 1, ... `classes` - 1, 0, ..."""
    pixels = mnist.train.pixels[:count, rows, columns]
    labels = np.arange(count) % classes
    return (pixels, labels), (pixels[: max(60, classes)], labels[: max(60, classes)])


def copy_bundled(folder):
    """Create a folder of links to the bundled files; copying them would take longer."""
    folder.mkdir(parents=True)
    for path in BUNDLED.glob("*.gz"):
        (folder / path.name).symlink_to(path)
    return folder


def drawing(ink, background=255, foreground=0, mode="L"):
    """Return a picture of `ink` (uint8, 255 is full) in two shades of grey."""
    share = ink.astype(np.float64) / 255
    grey = background + share * (foreground - background)
    return Image.fromarray(np.uint8(np.rint(grey))).convert(mode)


def enlarged(ink, factor, shape, offset):
    """Return `ink` enlarged `factor` times, in an empty frame of `shape`, at `offset`."""
    height, width = (int(side * factor) for side in ink.shape)
    big = np.asarray(Image.fromarray(ink).resize((width, height), Image.Resampling.BICUBIC))
    frame = np.zeros(shape, np.uint8)
    frame[offset[0] : offset[0] + height, offset[1] : offset[1] + width] = big
    return frame


def test_ink():
    """Return the ink of test_img.png: uint8, 255 is full."""
    return np.array(Image.open(TEST_IMAGE).convert("RGBA"))[..., 3]


test_ink.__test__ = False


def given_to_the_network(picture):
    """Return the images that a network of 28x28 images is given for a picture, one per digit that
    is found: a list of uint8 [28, 28].
    """
    return [to_mnist_form(piece.ink) for row in prepare(picture).rows for piece in row.pieces]
