"""TIFF and PDF files: every page, drawn in bounded time and memory, and bad ones refused."""

import contextlib
import io
import resource
import sys
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from helpers import drawing, truncate
from pictures import INK
from PIL import Image

from mnist_graph import MnistGraphError
from mnist_graph.reading import documents
from mnist_graph.reading.pages import open_pages
from mnist_graph.reading.picture import read_grey

SHADES = (250, 200, 150, 100)
"""The grey of each page, so that it can be told from the others."""


def blank_pages(size=(60, 80), shades=SHADES, mode="L"):
    return [Image.new(mode, size, shade if mode == "L" else (shade,) * 3) for shade in shades]


def save_pages(path, pages, **options):
    pages[0].save(path, save_all=True, append_images=pages[1:], **options)
    return str(path)


def pdf_bytes(*pages, page_size="[0 0 100 100]", objects=()):
    """Return a PDF file whose pages have the content streams `pages`. Object 4 is the first of
    `objects`, which are bytes.
    """
    first = 4 + len(objects)
    kids = b" ".join(b"%d 0 R" % (first + 2 * n) for n in range(len(pages)))
    bodies = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%s]/Count %d/MediaBox%s>>" % (kids, len(pages), page_size.encode()),
        b"<</XObject<</I 4 0 R>>>>",
        *objects,
    ]
    for number, content in enumerate(pages):
        contents = first + 2 * number + 1
        bodies.append(
            b"<</Type/Page/Parent 2 0 R/Resources 3 0 R/Contents %d 0 R>>" % contents,
        )
        bodies.append(b"<</Length %d>>stream\n%s\nendstream" % (len(content), content))
    file, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, 1):
        offsets.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count, start = len(bodies) + 1, len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table)
    return file + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (count, start)


def read_all(source, called="file"):
    """Return name, known pages and mean grey of each page; the error instead of the latter."""
    found = []
    for page in open_pages("file", source, called):
        try:
            found.append((page.name, page.known, round(float(read_grey(page.read()).mean()))))
        except MnistGraphError as error:
            found.append((page.name, page.known, str(error)))
        page.release()
    return found


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("suffix", ["tif", "pdf"])
def test_every_page_is_read_from_a_file_and_from_memory(tmp_path, suffix, mode):
    path = save_pages(tmp_path / f"scan.{suffix}", blank_pages(mode=mode))
    with open(path, "rb") as file:
        content = file.read()
    for source in (path, content):
        names, known, greys = zip(*read_all(source), strict=True)
        assert names == tuple(f"file page {number}" for number in (1, 2, 3, 4))
        assert known == ((4, 4, 4, 4) if suffix == "pdf" else (2, 3, 4, 4))
        np.testing.assert_allclose(greys, SHADES, atol=2)


@pytest.mark.parametrize("suffix", ["tif", "pdf"])
def test_a_single_page_has_no_number(tmp_path, suffix):
    path = save_pages(tmp_path / f"scan.{suffix}", blank_pages()[:1])
    (page,) = open_pages(path, path)
    assert (page.name, page.number, page.stem) == (path, None, "scan")
    assert read_grey(page.read()).mean() == pytest.approx(250, abs=2)
    assert page.read_colour().getpixel((5, 5)) == pytest.approx((250,) * 3, abs=2)


def test_a_page_of_a_pdf_is_drawn_at_200_dpi_in_grey_and_in_colour(tmp_path):
    page = Image.new("RGB", (413, 583), "white")  # A6 at 100 dpi
    page.paste((200, 30, 30), (100, 100, 200, 300))
    path = save_pages(tmp_path / "a.pdf", [page, page], resolution=100, quality=95)
    first, second = open_pages(path, path)
    grey, colour = first.read(), first.read_colour()
    assert grey.shape == pytest.approx((1166, 826), abs=1)
    assert colour.size == grey.shape[::-1]
    assert grey[10, 10] == 255
    assert colour.getpixel((10, 10)) == (255, 255, 255)
    np.testing.assert_allclose(colour.getpixel((300, 400)), (200, 30, 30), atol=4)
    assert grey[400, 300] == pytest.approx(0.299 * 200 + 0.701 * 30, abs=4)
    first.release()
    assert second.read().shape == grey.shape  # the file is still open


def test_a_tiff_page_is_turned_upright(tmp_path):
    upright = drawing(INK[:, 2:])
    stored = upright.transpose(Image.Transpose.ROTATE_90)
    path = save_pages(tmp_path / "a.tif", [stored, stored.copy()], tiffinfo={0x0112: 6})
    for page in open_pages(path, path):
        np.testing.assert_array_equal(page.read(), np.asarray(upright))
        assert page.read_colour().size == upright.size


def test_smaller_copies_and_masks_in_a_tiff_are_no_pages(tmp_path):
    frames = blank_pages()
    path = tmp_path / "a.tif"
    content = save_pages(path, frames, tiffinfo={254: 0}) and bytearray(path.read_bytes())
    tag = (254).to_bytes(2, "little") + (4).to_bytes(2, "little") + (1).to_bytes(4, "little")
    at = -1
    for kind in (0, 1, 0, 4):
        at = content.index(tag, at + 1)
        content[at + 8] = kind
    names, _, greys = zip(*read_all(bytes(content)), strict=True)
    assert (names, greys) == (("file page 1", "file page 2"), (250, 150))


def test_the_rest_of_a_damaged_tiff_is_one_or_two_errors(tmp_path):
    path = save_pages(tmp_path / "a.tif", blank_pages((300, 300)))
    truncate(path if hasattr(path, "stat") else tmp_path / "a.tif")
    first, *_, last = read_all(path)
    assert first == ("file page 1", 2, 250)
    assert "damaged" in str(last[2]) or "truncated" in str(last[2])
    assert len(read_all(path)) <= 4


def test_a_tiff_whose_pages_are_a_circle_ends(tmp_path):
    path = tmp_path / "a.tif"
    content = save_pages(path, blank_pages()) and bytearray(path.read_bytes())
    with Image.open(path) as image:
        image.seek(3)
        last, first = image._frame_pos[3], image._frame_pos[0]
    entries = int.from_bytes(content[last : last + 2], "little")
    at = last + 2 + 12 * entries
    assert content[at : at + 4] == bytes(4)
    content[at : at + 4] = first.to_bytes(4, "little")
    assert [grey for *_, grey in read_all(bytes(content))] == list(SHADES)


def test_a_page_with_too_many_pixels_is_one_error_among_others(tmp_path):
    pages = [Image.new("1", size, 1) for size in ((60, 80), (9000, 8000), (60, 80))]
    path = save_pages(tmp_path / "a.tif", pages, compression="group4")
    first, bomb, last = (grey for *_, grey in read_all(path))
    assert (first, last) == (255, 255)
    assert bomb == "file page 2 has more than 64 million pixels: scale it down first"


def test_a_pdf_with_a_password_is_refused():
    """RC4 with 40 bits, as of PDF 1.1; no password fits these keys."""
    encrypt = b"<</Filter/Standard/V 1/R 2/O<%s>/U<%s>/P -4>>" % (b"41" * 32, b"42" * 32)
    content = pdf_bytes(b"", objects=[encrypt]).replace(
        b"trailer<<", b"trailer<</Encrypt 4 0 R/ID[<00><00>]"
    )
    said = "file has a password: save it without one first"
    assert read_all(content) == [("file", 1, said)]


@pytest.mark.parametrize(
    "content",
    [b"%PDF-1.4\n", b"%PDF-" + bytes(2000), pdf_bytes(), pdf_bytes(b"")[:150]],
    ids=["only a head", "zeros", "no pages", "cut"],
)
def test_a_damaged_pdf_is_refused(tmp_path, content):
    (tmp_path / "a.pdf").write_bytes(content)
    for source in (content, str(tmp_path / "a.pdf")):
        ((name, known, said),) = read_all(source)
        assert (name, known) == ("file", 1)
        assert said.startswith("file is damaged (")


def test_a_missing_page_of_a_pdf_is_one_error_among_others():
    content = pdf_bytes(b"", b"", b"").replace(b"/Kids[4 0 R 6 0 R ", b"/Kids[4 0 R 99 0 R ")
    first, missing, last = (grey for *_, grey in read_all(content))
    assert (first, last) == (255, 255)
    assert missing.startswith("file page 2 is damaged (")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "page_size",
    ["[0 0 1e9 1e9]", "[0 0 14400 14400]", "[0 0 0.001 1e6]", "[0 0 1 14400]", "[5 5 5 5]"],
)
def test_a_pdf_page_of_any_size_is_drawn_within_the_working_size_or_refused(page_size):
    (page,) = open_pages("file", pdf_bytes(b"0 0 9 9 re f", page_size=page_size))
    with contextlib.suppress(MnistGraphError):
        height, width = page.read().shape
        assert height * width < 1.01 * documents.MAX_DRAWN_PIXELS
        assert max(height, width) <= documents.MAX_SIDE


def test_a_pdf_page_with_a_huge_image_is_refused_before_it_is_decoded():
    side = 30_000
    rows = zlib.compress(bytes(side)) * 1  # one row; PDFium would allocate for all
    image = (
        b"<</Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray/BitsPerComponent 8"
        b"/Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (side, side, len(rows), rows)
    )
    content = pdf_bytes(b"100 0 0 100 0 0 cm /I Do", b"", objects=[image])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bomb, blank = (grey for *_, grey in read_all(content))
    assert bomb == "file page 1 has an image with more than 64 million pixels"
    assert blank == 255
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


def test_a_pdf_page_that_takes_too_long_is_refused(monkeypatch):
    monkeypatch.setattr(documents, "MAX_SECONDS", 0.2)
    strokes = b"".join(b"%d 0 m 0 %d l S " % (n % 100, n % 97) for n in range(60_000))
    content = pdf_bytes(b"8 w [1 .1] 0 d " + strokes, b"")
    start = time.process_time()
    slow, blank = (grey for *_, grey in read_all(content))
    assert slow == "file page 1 takes longer than 0.2 s to draw"
    assert blank == 255
    assert time.process_time() - start < 10


def test_the_pages_of_a_pdf_are_not_listed_before_the_first_is_read():
    """Each of its million pages is the same object."""
    kids = b"[" + b"5 0 R " * 1000 + b"]"
    content = pdf_bytes(b"0 0 50 100 re f").replace(b"[4 0 R]/Count 1", kids + b"/Count 1000")
    start = time.process_time()
    pages = open_pages("file", content)
    first = next(pages)
    assert first.known in (1, 1000)
    pages.close()
    first.release()
    assert time.process_time() - start < 5


def test_without_pypdfium2_one_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    said = "file is a PDF file; to read those: pip install pypdfium2"
    assert read_all(pdf_bytes(b"")) == [("file", 1, said)]


@pytest.mark.parametrize("suffix", ["tif", "pdf"])
def test_pages_are_read_by_several_threads(tmp_path, suffix):
    paths = [
        save_pages(tmp_path / f"{n}.{suffix}", blank_pages(shades=SHADES * 3)) for n in range(3)
    ]
    pages = [page for path in paths for page in open_pages(path, path)]
    with ThreadPoolExecutor(4) as threads:
        greys = list(threads.map(lambda page: float(read_grey(page.read()).mean()), pages))
    np.testing.assert_allclose(greys, SHADES * 9, atol=2)
    for page in pages:
        page.release()


@pytest.mark.parametrize("suffix", ["tif", "pdf"])
def test_a_file_is_closed_after_its_last_page(tmp_path, suffix):
    path = save_pages(tmp_path / f"a.{suffix}", blank_pages())
    pages = list(open_pages(path, path))
    for page in pages[1:]:
        page.release()
    assert read_grey(pages[0].read()).mean() == pytest.approx(250, abs=2)
    pages[0].release()
    with pytest.raises(Exception):  # noqa: B017, PT011 - what a closed file raises
        pages[0].shared.document.read(1, "file")


def test_pdfium_is_used_by_one_thread_at_a_time(tmp_path, monkeypatch):
    path = save_pages(tmp_path / "a.pdf", blank_pages())
    inside, most = [], []
    draw = documents._draw

    def observed(*arguments):
        inside.append(threading.get_ident())
        most.append(len(inside))
        time.sleep(0.01)
        try:
            return draw(*arguments)
        finally:
            inside.pop()

    monkeypatch.setattr(documents, "_draw", observed)
    pages = [page for _ in range(3) for page in open_pages(path, path)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda page: page.read(), pages))
    assert set(most) == {1}
    assert len(most) == 12


def test_bytes_before_the_head_of_a_pdf_are_skipped():
    content = b"\x1b%-12345X@PJL\r\n" + pdf_bytes(b"")
    assert [grey for *_, grey in read_all(content)] == [255]
    assert [grey for *_, grey in read_all(io.BytesIO(content).getvalue())] == [255]
