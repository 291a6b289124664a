import gzip
import hashlib
import os

import numpy as np
import pytest
from helpers import idx_bytes, write_file

from mnist_graph.data.datasets import BUNDLED, FILES
from mnist_graph.data.idx import MAX_BYTES, find_idx, read_idx
from mnist_graph.errors import MnistGraphError

DIGITS = np.arange(5 * 4 * 3).reshape(5, 4, 3)


@pytest.mark.parametrize("zipped", [False, True])
def test_reads_what_was_written_with_the_checksum_of_the_uncompressed_file(tmp_path, zipped):
    content = idx_bytes(DIGITS)
    array, sha256 = read_idx(write_file(tmp_path, "images", content, zipped), 3)
    assert array.dtype == np.uint8
    np.testing.assert_array_equal(array, DIGITS)
    assert sha256 == hashlib.sha256(content).hexdigest()


def test_reads_real_mnist_as_its_makers_describe_it():
    pixels, _ = read_idx(BUNDLED / f"{FILES[2]}.gz", 3)
    labels, _ = read_idx(BUNDLED / f"{FILES[3]}.gz", 1)
    assert pixels.shape == (10000, 28, 28)
    assert labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert (pixels.min(), pixels.max()) == (0, 255)


def test_find_idx_takes_the_plain_file_before_the_compressed_one(tmp_path):
    assert find_idx(tmp_path, "images") is None
    zipped = write_file(tmp_path, "images", b"", zipped=True)
    assert find_idx(tmp_path, "images") == zipped
    plain = write_file(tmp_path, "images", b"")
    assert find_idx(tmp_path, "images") == plain


def test_find_idx_passes_over_a_folder_of_that_name(tmp_path):
    (tmp_path / "images").mkdir()
    assert find_idx(tmp_path, "images") is None


WHOLE = idx_bytes(DIGITS)
DAMAGED = {
    "empty": (b"", "magic number is missing"),
    "labels where images should be": (idx_bytes([1, 2]), "magic number is 0x00000801"),
    "wrong magic": (idx_bytes(DIGITS, magic=0x12345678), "magic number is 0x12345678"),
    "floats": (idx_bytes(DIGITS, magic=0xD03), "magic number is 0x00000d03"),
    "ends in its header": (WHOLE[:9], "ends within its header"),
    "one byte short": (WHOLE[:-1], "shorter than its header says (5 x 4 x 3)"),
    "trailing byte": (WHOLE + b"\0", "longer than its header says"),
    "no items": (idx_bytes(np.zeros((0, 4, 3))), "holds no items"),
    "terabytes": (idx_bytes(DIGITS, shape=(2**20, 2**10, 2**10)), f"at most {MAX_BYTES:,}"),
    "beyond 64 bits": (idx_bytes(DIGITS, shape=(2**32 - 1,) * 3), "its header promises"),
}


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_refused_with_its_fault(tmp_path, name, zipped):
    content, fault = DAMAGED[name]
    path = write_file(tmp_path, "images", content, zipped)
    with pytest.raises(MnistGraphError) as refused:
        read_idx(path, 3)
    assert fault in str(refused.value)
    assert str(path) in str(refused.value)


ZIPPED = gzip.compress(idx_bytes(np.random.default_rng(0).integers(0, 256, (50, 9, 9))))


@pytest.mark.parametrize(
    "content",
    [
        ZIPPED[: len(ZIPPED) // 2],
        ZIPPED[:-4],
        ZIPPED[:5],
        ZIPPED[:-8] + bytes(8),
        ZIPPED[:100] + bytes(200) + ZIPPED[300:],
        ZIPPED[:10] + b"\xff" * 99 + ZIPPED[109:],
        b"<html>403 Forbidden</html>",
        ZIPPED + b"more",
    ],
    ids=[
        "half",
        "no length",
        "stump",
        "wrong checksum",
        "hole",
        "no deflate",
        "not gzip",
        "trailing",
    ],
)
def test_a_damaged_gzip_is_refused(tmp_path, content):
    path = tmp_path / "images.gz"
    path.write_bytes(content)
    with pytest.raises(MnistGraphError, match="is damaged or not gzip"):
        read_idx(path, 3)


def test_a_gzip_that_unpacks_to_more_than_promised_is_not_read_to_its_end(tmp_path):
    content = idx_bytes(DIGITS) + bytes(2**26)
    with pytest.raises(MnistGraphError, match="longer than its header says"):
        read_idx(write_file(tmp_path, "images", content, zipped=True), 3)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(MnistGraphError, match=r"cannot read .*No such file"):
        read_idx(tmp_path / "images", 3)


def test_a_folder_whose_name_no_system_takes_is_an_error_of_the_package(tmp_path):
    too_long = tmp_path / ("a" * (os.pathconf(tmp_path, "PC_NAME_MAX") + 1))
    with pytest.raises(MnistGraphError, match="cannot read"):
        find_idx(too_long, "images")
