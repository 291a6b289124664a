import io
import struct
import zlib

import numpy as np
import pytest
from helpers import TEST_IMAGE, drawing, enlarged, test_ink
from PIL import Image, ImageOps

from mnist_graph import MnistGraphError
from mnist_graph.images import MAX_PIXELS, find_ink, normalise, read_grey, read_ink

INK = test_ink()


def on_transparent(colour):
    """The test picture's ink in one colour on nothing."""
    pixels = np.zeros((*INK.shape, 4), np.uint8)
    pixels[..., :3] = colour
    pixels[..., 3] = INK
    return Image.fromarray(pixels, "RGBA")


def sixteen_bits():
    return Image.fromarray(((255 - INK).astype(np.uint16)) * 257)


def palette_with_transparency():
    image = Image.fromarray(np.uint8(INK > 100), "P")
    image.putpalette([200, 200, 200, 0, 0, 0])
    image.info["transparency"] = 0
    return image


PICTURES = {
    "black on transparent": lambda: on_transparent(0),
    "white on transparent": lambda: on_transparent(255),
    "red on transparent": lambda: on_transparent((200, 0, 0)),
    "black on white": lambda: drawing(INK),
    "white on black": lambda: drawing(INK, 0, 255),
    "grey on grey": lambda: drawing(INK, 160, 90),
    "light grey on dark grey": lambda: drawing(INK, 60, 130),
    "colours": lambda: ImageOps.colorize(drawing(INK), "navy", "lightyellow"),
    "palette": lambda: drawing(INK).convert("P"),
    "palette with transparency": palette_with_transparency,
    "grey with transparency": lambda: on_transparent(0).convert("LA"),
    "CMYK": lambda: drawing(INK, mode="CMYK"),
    "1 bit": lambda: drawing(INK, mode="1"),
    "16 bits": sixteen_bits,
    "32 bits": lambda: drawing(INK, mode="I"),
    "floats": lambda: drawing(INK, mode="F"),
}
"""The digit of test_img.png in as many forms."""


COARSE = {"1 bit": 0.1, "palette with transparency": 0.1}
"""How far, on average, a form of two shades may lie from the true ones."""


def near(ink, expected, bound):
    return abs(ink - expected).mean() < bound


@pytest.mark.parametrize("name", PICTURES)
def test_the_ink_is_the_same_whatever_the_form(name):
    assert near(read_ink(PICTURES[name]()), INK / 255, COARSE.get(name, 0.005))


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("black on transparent", "png"),
        ("white on transparent", "webp"),
        ("palette with transparency", "gif"),
        ("16 bits", "png"),
        ("CMYK", "tiff"),
        ("1 bit", "bmp"),
        ("black on white", "jpeg"),
    ],
)
def test_the_ink_is_the_same_from_a_file(tmp_path, name, form):
    path = tmp_path / f"picture.{form}"
    PICTURES[name]().save(path)
    assert near(read_ink(path), INK / 255, COARSE.get(name, 0.03))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_as_its_exif_says(tmp_path, orientation):
    stored = {
        1: lambda i: i,
        2: ImageOps.mirror,
        3: lambda i: i.rotate(180),
        4: ImageOps.flip,
        5: lambda i: i.transpose(Image.Transpose.TRANSPOSE),
        6: lambda i: i.transpose(Image.Transpose.ROTATE_90),
        7: lambda i: i.transpose(Image.Transpose.TRANSVERSE),
        8: lambda i: i.transpose(Image.Transpose.ROTATE_270),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = drawing(INK[:, 2:])
    stored(upright).save(tmp_path / "photo.png", exif=exif)
    np.testing.assert_array_equal(read_grey(tmp_path / "photo.png"), np.asarray(upright))


def png(width, height, data=b""):
    """A PNG file of one bit a pixel whose header may promise what it likes."""

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(data)), chunk(b"IEND", b"")]
    )


def encoded(form, **options):
    file = io.BytesIO()
    drawing(enlarged(INK, 4, (120, 120), (4, 4)), mode="RGB").save(file, form, **options)
    return file.getvalue()


def cut(content, share=0.5):
    return content[: int(len(content) * share)]


BAD = {
    "empty": (b"", "is not a picture"),
    "text": (b"this is no picture", "is not a picture"),
    "bomb": (png(30000, 30000), "more than 64 million pixels"),
    "just too large": (png(8000, MAX_PIXELS // 8000 + 1), "more than 64 million pixels"),
    "truncated PNG": (cut(TEST_IMAGE.read_bytes(), 0.6), "is damaged"),
    "truncated JPEG": (cut(encoded("JPEG")), "is damaged"),
    "truncated GIF": (cut(encoded("GIF")), "is damaged"),
    "truncated TIFF": (cut(encoded("TIFF"), 0.3), ""),
    "truncated BMP": (cut(encoded("BMP")), "is damaged"),
    "truncated WebP": (cut(encoded("WEBP")), ""),
    "PNG without pixels": (png(28, 28), "is damaged"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_picture_is_refused_by_its_name(tmp_path, name, recwarn):
    content, fault = BAD[name]
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    with pytest.raises(MnistGraphError) as refused:
        read_ink(path)
    assert str(path) in str(refused.value)
    assert fault in str(refused.value)
    assert [str(warning.message) for warning in recwarn] == []


@pytest.mark.parametrize("error", [RuntimeError, SyntaxError, struct.error, KeyError, OSError])
def test_whatever_a_decoder_raises_is_a_damaged_picture(monkeypatch, error):
    """Mocked: which of these Pillow raises changes with its version and its libraries."""

    def decode(self, *_):
        raise error("decoding failed")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decode)
    with pytest.raises(MnistGraphError, match="is damaged"):
        read_ink(TEST_IMAGE)


def test_a_picture_that_pillow_warns_of_is_read_without_a_word(tmp_path, recwarn):
    exif = Image.Exif()
    exif[0x0112] = 1
    content = encoded("JPEG", exif=exif.tobytes())
    count = content.index(b"Exif\0\0") + 14  # of the tags that are said to follow
    broken = content[:count] + b"\xff\xff" + content[count + 2 :]
    (tmp_path / "photo.jpg").write_bytes(broken)
    assert read_ink(tmp_path / "photo.jpg").shape == (120, 120)
    assert len(recwarn) == 0


def test_a_missing_picture_and_a_folder_are_refused(tmp_path):
    with pytest.raises(MnistGraphError, match=r"cannot read .*: No such file"):
        read_ink(tmp_path / "missing.png")
    with pytest.raises(MnistGraphError, match="directory"):
        read_ink(tmp_path)


@pytest.mark.parametrize("grey", [0, 127, 128, 255])
@pytest.mark.parametrize("size", [(1, 1), (28, 28), (500, 3)])
def test_a_blank_picture_is_refused(grey, size):
    with pytest.raises(MnistGraphError, match="the picture is blank"):
        read_ink(Image.new("L", size, grey))


def test_a_wholly_transparent_picture_is_blank():
    with pytest.raises(MnistGraphError, match="blank"):
        read_ink(on_transparent(0).point(lambda _: 0))


def test_noise_on_paper_is_no_ink():
    noise = np.random.default_rng(0).integers(235, 256, (50, 50)).astype(np.uint8)
    with pytest.raises(MnistGraphError, match="blank"):
        find_ink(noise)


def centre_of_mass(frame):
    rows, columns = np.indices(frame.shape)
    return [(frame * places).sum() / frame.sum() for places in (rows, columns)]


def box(frame, least=1):
    rows, columns = np.nonzero(frame >= least)
    return [int(np.ptp(places)) + 1 for places in (rows, columns)]


@pytest.fixture(scope="module")
def digits(mnist):
    """Real digits, as MNIST's makers left them."""
    return mnist.test.pixels[:200]


def test_digits_drawn_larger_and_off_centre_come_back_near_their_originals(digits):
    differences = []
    for number, digit in enumerate(digits):
        factor = 3 + number % 5
        picture = enlarged(digit, factor, (400, 300), (number % 150, number % 90))
        again = normalise(picture / np.float32(255)).astype(float)
        shifts = [(rows, columns) for rows in (-1, 0, 1) for columns in (-1, 0, 1)]
        shifted = [abs(np.roll(again, shift, (0, 1)) - digit).mean() for shift in shifts]
        assert min(shifted) < 14, number
        differences.append(abs(again - digit).mean())
    assert np.mean(differences) < 8, "of 255; scaled whole, without centring, it is 32"


@pytest.mark.parametrize("factor", [0.5, 1, 3.3, 12])
def test_the_digit_fills_a_box_of_20_and_its_mass_is_at_the_centre(digits, factor):
    for digit in digits[:40]:
        picture = enlarged(digit, factor, (400, 380), (30, 7))
        frame = normalise(picture / np.float32(255))
        assert (frame.dtype, frame.shape, frame.max()) == (np.uint8, (28, 28), 255)
        assert 19 <= max(box(frame)) <= 20
        for centre in centre_of_mass(frame):
            assert abs(centre - 14) <= 0.5 + 1e-6


@pytest.mark.parametrize(("height", "width"), [(100, 20), (20, 100), (60, 60), (300, 1), (1, 9)])
def test_proportions_are_kept(height, width):
    ink = np.zeros((400, 400), np.float32)
    ink[50 : 50 + height, 80 : 80 + width] = 1
    scale = 20 / max(height, width)
    expected = [max(1, round(side * scale)) for side in (height, width)]
    assert box(normalise(ink), least=128) == expected


@pytest.mark.parametrize("shape", [(20, 20), (56, 56), (28, 14), (12, 40), (5, 5), (1, 1)])
def test_other_frames_are_filled_in_the_same_shares(shape):
    ink = np.zeros((90, 90), np.float32)
    ink[10:70, 30:60] = 1
    frame = normalise(ink, shape)
    height, width = box(frame, least=128)
    scale = min(side * 20 / 28 / whole for side, whole in zip(shape, (60, 30), strict=True))
    assert frame.shape == shape
    assert [height, width] == [max(1, round(60 * scale)), max(1, round(30 * scale))]


def test_a_digit_whose_mass_lies_far_to_one_side_stays_within_the_frame():
    ink = np.zeros((100, 100), np.float32)
    ink[:, :8] = 1
    ink[:4] = 1
    frame = normalise(ink)
    assert box(frame, least=128) == [20, 20]


def test_light_stains_beside_the_digit_are_not_part_of_its_box():
    ink = np.zeros((200, 200), np.float32)
    ink[80:120, 90:110] = 1
    clean = normalise(ink)
    ink[3, 3] = 0.2
    np.testing.assert_array_equal(normalise(ink), clean)
