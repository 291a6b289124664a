"""Damaged and random files: each is read correctly or refused with the package's own error.

The number of examples is fixed here; tests/fuzz_readers.py runs for as long as you like.
"""

import gzip
import io
import json
import struct
import time
import tracemalloc
from contextlib import suppress
from itertools import islice

import numpy as np
import pytest
from helpers import drawing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pages import find_digits

from mnist_graph import MnistGraphError, build_graph, recipes
from mnist_graph.data.idx import read_idx
from mnist_graph.reading.pages import open_pages
from mnist_graph.reading.picture import read_grey
from mnist_graph.reading.prepare import prepare_grey
from mnist_graph.runs.checkpoints import find_checkpoint
from mnist_graph.runs.find import load_run

many = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
few = settings(many, max_examples=25)


@st.composite
def damaged(draw, whole):
    """Return `whole`, bytes or a strategy, with some bytes changed, removed or inserted."""
    content = bytearray(draw(whole) if hasattr(whole, "example") else whole)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        kind = draw(st.sampled_from(["change", "remove", "truncate", "insert"]))
        if kind == "change" and content:
            content[at] = draw(st.integers(0, 255))
        elif kind == "remove":
            del content[at : at + draw(st.integers(1, 30))]
        elif kind == "truncate":
            del content[at:]
        else:
            content[at:at] = draw(st.binary(max_size=20))
    return bytes(content)


MAX_SECONDS = 30
"""CPU time of reading two large pages; it takes about 5 s."""

SIZES = st.one_of(st.integers(0, 40), st.sampled_from([2**15, 2**16, 2**31, 2**32 - 1]))


@st.composite
def idx_files(draw, dimensions):
    """An IDX file whose header may be wrong."""
    shape = draw(st.lists(SIZES, min_size=dimensions, max_size=dimensions))
    magic = draw(st.sampled_from([0x800 + dimensions] * 8 + [0x801, 0x803, 0x80D, 0, 2**32 - 1]))
    size = min(int(np.prod(shape, dtype=object)), 5000)
    body = draw(st.binary(min_size=size, max_size=size)) if draw(st.booleans()) else bytes(size)
    return struct.pack(f">{1 + dimensions}I", magic, *shape) + body


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("dimensions", [1, 3])
def test_damaged_idx_files_are_read_or_refused(tmp_path, dimensions, zipped):
    path = tmp_path / ("data.gz" if zipped else "data")

    @many
    @given(damaged(idx_files(dimensions)), st.data())
    def read(content, data):
        if zipped:
            packed = gzip.compress(content)
            packed = data.draw(damaged(packed)) if data.draw(st.booleans()) else packed
            path.write_bytes(packed)
        else:
            path.write_bytes(content)
        try:
            array, _ = read_idx(path, dimensions)
        except MnistGraphError:
            return
        if not zipped:
            header = struct.pack(f">{1 + dimensions}I", 0x800 + dimensions, *array.shape)
            assert header + array.tobytes() == content

    read()


@pytest.mark.parametrize("promised", [600_000_000, 2**32 - 1])
def test_memory_is_not_allocated_for_what_a_header_promises(tmp_path, promised):
    for name, write in (("data", open), ("data.gz", gzip.open)):
        with write(tmp_path / name, "wb") as file:
            file.write(struct.pack(">2I", 0x801, promised) + b"some")
        tracemalloc.start()
        try:
            with pytest.raises(MnistGraphError, match=r"shorter than its header|the limit is"):
                read_idx(tmp_path / name, 1)
            assert tracemalloc.get_traced_memory()[1] < 2**22
        finally:
            tracemalloc.stop()


FORMATS = ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP", "PPM", "ICO", "TGA", "PCX")


@pytest.fixture(scope="module")
def pictures(mnist):
    """A digit in each of FORMATS, as bytes."""
    digit = drawing(mnist.test.pixels[0])
    made = {}
    for name in FORMATS:
        file = io.BytesIO()
        digit.convert("RGB").save(file, name)
        made[name] = file.getvalue()
    return made


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_pictures_are_read_or_refused(tmp_path, pictures, name):
    @many
    @given(damaged(st.just(pictures[name])))
    def read(content):
        (tmp_path / "picture").write_bytes(content)
        try:
            grey = read_grey(tmp_path / "picture")
        except MnistGraphError:
            return
        assert grey.dtype == np.uint8
        assert grey.ndim == 2

    read()


@pytest.mark.parametrize(
    ("name", "options"), [("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("PDF", {})]
)
def test_damaged_documents_are_read_or_refused(tmp_path, mnist, name, options):
    file = io.BytesIO()
    first, *others = (drawing(digit) for digit in mnist.test.pixels[:3])
    first.save(file, name, save_all=True, append_images=others, **options)
    path = str(tmp_path / "pages")

    @many
    @given(damaged(st.just(file.getvalue())))
    def read(content):
        with open(path, "wb") as damaged_file:
            damaged_file.write(content)
        for source in (path, content):
            for page in islice(open_pages("pages", source), 10):
                with suppress(MnistGraphError):
                    grey = read_grey(page.read())
                    assert (grey.dtype, grey.ndim) == (np.uint8, 2)
                page.release()

    read()


def test_postscript_is_not_run(tmp_path):
    (tmp_path / "a.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EOF\n")
    with pytest.raises(MnistGraphError, match="is not a picture that can be read"):
        read_grey(tmp_path / "a.eps")


def assert_inside(box, shape):
    assert 0 <= box.left < box.right <= shape[1]
    assert 0 <= box.top < box.bottom <= shape[0]


@few
@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**32 - 1), st.integers(0, 4))
def test_random_pixels_are_read(height, width, seed, kind):
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (height, width)).astype(np.uint8)
    if kind == 1:
        pixels = np.where(pixels > 250, 255, 0).astype(np.uint8)
    elif kind == 2:
        pixels[:] = pixels[0]
    elif kind == 3:
        pixels = np.kron(pixels[:9, :9], np.ones((9, 9), np.uint8))
    elif kind == 4:
        pixels = (pixels // 16) + 200
    for row in prepare_grey(pixels).rows:
        for strip in row.strips:
            assert strip.pixels.shape == (32, len(strip.middle))
        for piece in row.pieces:
            assert_inside(piece.box, pixels.shape)
    for digit in find_digits(pixels):
        assert_inside(digit.box, pixels.shape)


def test_pages_of_noise_and_of_a_thousand_digits_are_read_in_time(mnist):
    """Comparing every piece with every other would take far longer than MAX_SECONDS."""
    random = np.random.default_rng(0)
    specks = (random.random((1500, 1500)) > 0.02).astype(np.uint8) * 255
    start = time.process_time()
    assert find_digits(specks) == []
    apart = np.pad(mnist.test.pixels[:1024], ((0, 0), (8, 8), (8, 8)))
    grid = 255 - np.vstack([np.hstack(apart[i : i + 32]) for i in range(0, 1024, 32)])
    digits = find_digits(grid)
    assert time.process_time() - start < MAX_SECONDS
    assert 950 < len(digits) < 1100


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(),
        st.text(max_size=9),
        st.sampled_from(["cnn", "relu", "../..", "softmax", "auto"]),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@pytest.fixture
def run_directory(tmp_path):
    """A directory with an empty history, to write the other files of a run into."""
    run = tmp_path / "run"
    run.mkdir()
    (run / "history.csv").write_text("iteration,loss,accuracy\n")
    return run


def description(model):
    """Return the content of recipe.json."""
    sha256 = {"train-images-idx3-ubyte": "0"}
    recipe = recipes[model].to_json()
    return {"recipe": recipe, "image_shape": [28, 28], "classes": 10, "sha256": sha256}


@st.composite
def descriptions(draw):
    """The content of recipe.json with one or two values replaced."""
    made = description(draw(st.sampled_from(["softmax", "conv3-batchnorm", "cnn-fast"])))
    for _ in range(draw(st.integers(1, 2))):
        inside = made["recipe"] if draw(st.booleans()) else made
        inside[draw(st.sampled_from(sorted(inside)))] = draw(JSON)
        if not isinstance(made.get("recipe"), dict) or not made["recipe"]:
            break
    return made


def test_damaged_recipe_json_is_read_or_refused(run_directory):
    @many
    @given(descriptions())
    def read(made):
        (run_directory / "recipe.json").write_text(json.dumps(made))
        try:
            load_run(run_directory)
        except MnistGraphError:
            return

    read()


def test_the_network_of_a_damaged_recipe_json_is_built_or_refused(run_directory):
    @few
    @given(descriptions())
    def build(made):
        (run_directory / "recipe.json").write_text(json.dumps(made))
        try:
            run = load_run(run_directory)
            build_graph(run.recipe, run.image_shape, run.classes)
        except MnistGraphError:
            return

    build()


def test_a_network_that_needs_too_much_memory_is_refused(run_directory):
    made = description("mlp")
    made["recipe"]["hidden"] = [65536, 65536]
    (run_directory / "recipe.json").write_text(json.dumps(made))
    with pytest.raises(
        MnistGraphError, match=r"4,347,133,962 parameters, and the limit is 50,000,000"
    ):
        build_graph(load_run(run_directory).recipe)


RUN_FILES = {
    "recipe.json": json.dumps(description("cnn-fast")).encode(),
    "history.csv": b"iteration,loss,accuracy\n0,2.5,0.1\n100,0.5,0.9\n",
    "result.json": b'{"test_accuracy": 0.9, "seconds": 2.0, "iterations_per_second": 5.0}',
    "checkpoint-5/state.json": b'{"iteration": 5, "seconds": 1, "files": {}, "sha256": ""}',
}


@pytest.mark.parametrize("name", RUN_FILES)
@pytest.mark.filterwarnings("ignore::mnist_graph.errors.MnistGraphWarning")
def test_damaged_files_of_a_run_are_read_or_refused(run_directory, name):
    (run_directory / "recipe.json").write_bytes(RUN_FILES["recipe.json"])
    (run_directory / name).parent.mkdir(exist_ok=True)

    @many
    @given(st.one_of(damaged(st.just(RUN_FILES[name])), st.binary(max_size=200)))
    def read(content):
        (run_directory / name).write_bytes(content)
        try:
            run = load_run(run_directory)
            for look in (
                lambda: run.history,
                lambda: run.result,
                lambda: find_checkpoint(run_directory),
            ):
                try:
                    look()
                except MnistGraphError:
                    continue
        except MnistGraphError:
            return

    read()
