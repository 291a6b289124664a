"""Teaching in the page: what was misread is saved, listed, deleted and downloaded."""

import io
import shutil
import zipfile

import numpy as np
import pytest
from browsing import CONTRAST, TWO, draw, draw_row, expect_digits, sync_api, wait_until_read
from helpers import TEST_IMAGE
from PIL import Image

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def folder(two_runs):
    """The folder in which the server saves corrections, empty before and after each test."""
    path = two_runs / "corrections"
    yield path
    shutil.rmtree(path, ignore_errors=True)


def expect_corrections(page, *texts):
    """Expect these corrections, the newest first."""
    sync_api.expect(page.locator("#corrections-list span")).to_have_text(list(texts))


def expect_state(page, text):
    sync_api.expect(page.locator("#teach-state")).to_have_text(text)


def teach(page, label):
    page.get_by_role("button", name=f"It is a {label}").click()
    expect_state(page, f"Saved as a {label}")


def draw_two(page):
    draw(page, TWO)
    expect_digits(page, "2")
    wait_until_read(page)


def test_nothing_to_correct(visit, folder):
    with visit() as page:
        assert not page.locator("#teach").is_visible()
        assert not page.locator("#corrections").is_visible()
    assert not folder.exists()


def test_a_digit_of_a_row_is_corrected(visit, folder):
    with visit() as page:
        draw_row(page)
        wait_until_read(page)
        page.locator("#digits button").first.click()
        teach(page, 3)
        expect_corrections(page, "3, read as 2")
        page.locator("#digits button").last.click()
        expect_state(page, "")
        teach(page, 1)
        expect_corrections(page, "1, read as 7", "3, read as 2")
        page.locator("#digits button").first.click()
        expect_state(page, "Saved as a 3")
    (saved,) = (folder / "3").iterdir()
    with Image.open(saved) as image:
        assert image.mode == "L"
        ink = np.asarray(image) < 128
    assert 0.05 < ink.mean() < 0.5
    assert not ink[:, [0, -1]].any()


def test_another_click_replaces_the_first(visit):
    with visit() as page:
        draw_two(page)
        teach(page, 3)
        teach(page, 7)
        expect_corrections(page, "7, read as 2")
        pressed = page.locator("#teach-labels button[aria-pressed=true]")
        sync_api.expect(pressed).to_have_text(["7"])
        page.get_by_role("button", name="It is a 2").dispatch_event("click")  # as it was read
        page.get_by_role("button", name="It is an 8").click()
        expect_state(page, "Saved as an 8")
        expect_corrections(page, "8, read as 2")


def test_by_keyboard(visit):
    with visit() as page:
        draw_two(page)
        page.locator("#teach-labels button").first.focus()
        for _ in range(3):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect_state(page, "Saved as a 3")
        assert page.evaluate("document.activeElement.textContent") == "3"
        page.get_by_role("button", name="Delete: 3, read as 2").focus()
        page.keyboard.press("Enter")
        sync_api.expect(page.locator("#corrections")).to_be_hidden()
        expect_state(page, "")


def test_corrections_are_deleted_one_by_one(visit):
    with visit() as page:
        for label in (3, 4, 5):
            draw_two(page)
            teach(page, label)
            page.click("#clear")
            expect_digits(page)
        expect_corrections(page, "5, read as 2", "4, read as 2", "3, read as 2")
        page.get_by_role("button", name="Delete: 4").click()
        expect_corrections(page, "5, read as 2", "3, read as 2")
        focused = "document.activeElement.getAttribute('aria-label')"
        page.wait_for_function(f"{focused} === 'Delete: 3, read as 2'")
        sync_api.expect(page.locator("#corrections-state")).to_have_text("Deleted: 4, read as 2")
    with visit() as page:
        expect_corrections(page, "5, read as 2", "3, read as 2")
        loaded = (
            "[...document.querySelectorAll('#corrections img')].every(each => each.naturalWidth)"
        )
        page.wait_for_function(loaded)


def test_a_photo_is_corrected_and_downloaded(visit):
    with visit() as page:
        page.set_input_files("#file", TEST_IMAGE)
        expect_digits(page, "2")
        teach(page, 7)
        with page.expect_download() as downloading:
            page.get_by_role("link", name="Download all").click()
        download = downloading.value
        assert download.suggested_filename == "corrections.zip"
        with zipfile.ZipFile(io.BytesIO(download.path().read_bytes())) as archive:
            (name,) = archive.namelist()
            assert name.startswith("7/")
            assert Image.open(archive.open(name)).format == "PNG"


def test_what_the_server_refuses_is_said(visit, folder):
    folder.write_text("in place of the folder")
    with visit(may_fail=True) as page:
        draw_two(page)
        page.get_by_role("button", name="It is a 3").click()
        expect_state(page, "cannot write to corrections: Not a directory")
        page.route("**/api/corrections?*", lambda route: route.abort())
        page.get_by_role("button", name="It is a 4").click()
        expect_state(page, "The server does not answer")
    folder.unlink()


@pytest.mark.parametrize("width", [360, 900, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_is_legible(visit, width, scheme):
    with visit(width=width, color_scheme=scheme) as page:
        draw_two(page)
        teach(page, 3)
        expect_corrections(page, "3, read as 2")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        measure = "all => all.map(each => each.getBoundingClientRect())"
        areas = page.eval_on_selector_all("#teach button, #corrections :is(a, button)", measure)
        sides = [area[side] for area in areas for side in ("width", "height")]
        assert len(sides) == 2 * (10 + 2)
        assert min(sides) >= 43.9
        text = ["#teach-title", "#teach-state", "#teach-labels button[aria-pressed=true]"]
        text += ["#corrections-count", "#corrections span", "#corrections button", "#corrections a"]
        assert page.evaluate(CONTRAST, dict.fromkeys(text, "color")) == []
