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
def test_read_idx_returns_array_and_checksum_of_the_uncompressed_file(tmp_path, zipped):
    content = idx_bytes(DIGITS)
    array, sha256 = read_idx(write_file(tmp_path, "images", content, zipped), 3)
    assert array.dtype == np.uint8
    np.testing.assert_array_equal(array, DIGITS)
    assert sha256 == hashlib.sha256(content).hexdigest()


def test_read_idx_reads_mnist():
    pixels, _ = read_idx(BUNDLED / f"{FILES[2]}.gz", 3)
    labels, _ = read_idx(BUNDLED / f"{FILES[3]}.gz", 1)
    assert pixels.shape == (10000, 28, 28)
    assert labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert (pixels.min(), pixels.max()) == (0, 255)


def test_find_idx_prefers_the_plain_file(tmp_path):
    assert find_idx(tmp_path, "images") is None
    zipped = write_file(tmp_path, "images", b"", zipped=True)
    assert find_idx(tmp_path, "images") == zipped
    plain = write_file(tmp_path, "images", b"")
    assert find_idx(tmp_path, "images") == plain


def test_find_idx_ignores_folders(tmp_path):
    (tmp_path / "images").mkdir()
    assert find_idx(tmp_path, "images") is None


WHOLE = idx_bytes(DIGITS)
DAMAGED = {
    "empty": (b"", "magic number is missing"),
    "labels instead of images": (idx_bytes([1, 2]), "magic number is 0x00000801"),
    "wrong magic": (idx_bytes(DIGITS, magic=0x12345678), "magic number is 0x12345678"),
    "floats": (idx_bytes(DIGITS, magic=0xD03), "magic number is 0x00000d03"),
    "incomplete header": (WHOLE[:9], "ends within its header"),
    "one byte short": (WHOLE[:-1], "shorter than its header says (5 x 4 x 3)"),
    "trailing byte": (WHOLE + b"\0", "longer than its header says"),
    "no items": (idx_bytes(np.zeros((0, 4, 3))), "holds no items"),
    "terabytes": (idx_bytes(DIGITS, shape=(2**20, 2**10, 2**10)), f"the limit is {MAX_BYTES:,}"),
    "beyond 64 bits": (idx_bytes(DIGITS, shape=(2**32 - 1,) * 3), "its header promises"),
}


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_file_is_refused_with_the_reason(tmp_path, name, zipped):
    content, reason = DAMAGED[name]
    path = write_file(tmp_path, "images", content, zipped)
    with pytest.raises(MnistGraphError) as refused:
        read_idx(path, 3)
    assert reason in str(refused.value)
    assert str(path) in str(refused.value)


ZIPPED = gzip.compress(idx_bytes(np.random.default_rng(0).integers(0, 256, (50, 9, 9))))


DAMAGED_GZIP = {
    "half": ZIPPED[: len(ZIPPED) // 2],
    "without its length": ZIPPED[:-4],
    "incomplete header": ZIPPED[:5],
    "wrong checksum": ZIPPED[:-8] + bytes(8),
    "zeros in the middle": ZIPPED[:100] + bytes(200) + ZIPPED[300:],
    "invalid deflate data": ZIPPED[:10] + b"\xff" * 99 + ZIPPED[109:],
    "not gzip": b"<html>403 Forbidden</html>",
    "trailing bytes": ZIPPED + b"more",
}


@pytest.mark.parametrize("name", DAMAGED_GZIP)
def test_damaged_gzip_is_refused(tmp_path, name):
    path = tmp_path / "images.gz"
    path.write_bytes(DAMAGED_GZIP[name])
    with pytest.raises(MnistGraphError, match="is damaged or not gzip"):
        read_idx(path, 3)


def test_gzip_that_is_too_long_is_not_read_to_its_end(tmp_path):
    path = write_file(tmp_path, "images", idx_bytes(DIGITS) + bytes(2**26), zipped=True)
    os.truncate(path, path.stat().st_size - 8)  # at its end, it would be found damaged
    with pytest.raises(MnistGraphError, match="longer than its header says"):
        read_idx(path, 3)


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(MnistGraphError, match=r"cannot read .*No such file"):
        read_idx(tmp_path / "images", 3)


def test_folder_with_an_invalid_name_is_refused(tmp_path):
    too_long = tmp_path / ("a" * (os.pathconf(tmp_path, "PC_NAME_MAX") + 1))
    with pytest.raises(MnistGraphError, match="cannot read"):
        find_idx(too_long, "images")
