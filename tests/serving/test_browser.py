"""The page in a real browser: Debian's Chromium, driven by Playwright."""

import re
from itertools import pairwise

import pytest
from browsing import (
    CONTRAST,
    SEVEN,
    TWO,
    draw,
    draw_row,
    expect_digits,
    path_on,
    sync_api,
    wait_until_read,
)
from helpers import ROOT, TEST_IMAGE

from mnist_graph.serving.app import PAGE

pytestmark = pytest.mark.browser


def test_a_mouse_draws_a_2(visit):
    with visit() as page:
        assert page.inner_text("#state") == "Nothing drawn yet"
        draw(page, TWO)
        expect_digits(page, "2")
        wait_until_read(page)
        assert page.inner_text("#state") == "Read by reader"
        sync_api.expect(page.locator("#spoken")).to_have_text("Read: 2")
        assert "2: " in page.locator("#bars").get_attribute("aria-label")
        assert page.locator("#seen").get_attribute("aria-label").startswith("What the network sees")
        assert page.locator(".card .read").first.inner_text() == "2"


def test_a_finger_draws(visit):
    with visit(has_touch=True, width=360, height=740) as page:
        session = page.context.new_cdp_session(page)
        first, *rest = path_on(page, TWO)
        send = session.send
        dispatch = "Input.dispatchTouchEvent"
        at = lambda x, y: [{"x": x, "y": y}]  # noqa: E731
        send(dispatch, {"type": "touchStart", "touchPoints": at(*first)})
        for point in rest:
            send(dispatch, {"type": "touchMove", "touchPoints": at(*point)})
        send(dispatch, {"type": "touchEnd", "touchPoints": []})
        expect_digits(page, "2")
        assert page.evaluate("scrollY") == 0


def test_the_keyboard_alone(visit):
    with visit() as page:
        page.focus("#pad")
        moves = [("ArrowUp", 12), (" ", 1), ("ArrowRight", 1), ("ArrowDown", 22), (" ", 1)]
        for key, times in moves:
            for _ in range(times):
                page.keyboard.press(key)
        expect_digits(page, "1")
        page.keyboard.press("Escape")
        expect_digits(page)
        assert page.inner_text("#state") == "Nothing drawn yet"
        page.keyboard.press("Control+z")
        expect_digits(page, "1")


def test_a_row_and_its_boxes(visit):
    with visit() as page:
        draw_row(page)
        first, second = page.locator("#digits button").all()
        assert second.get_attribute("aria-pressed") == "true"
        first.click()
        assert page.locator("#digits button").first.get_attribute("aria-pressed") == "true"
        assert page.locator("#bars .bar.is-best").inner_text().startswith("2")
        assert page.inner_text("#chosen").startswith("Digit 1 of 2: 2")


def test_a_tap_on_a_box_selects_it(visit):
    with visit() as page:
        draw_row(page)
        wait_until_read(page)
        page.mouse.click(*path_on(page, "38,52")[0])
        wait_until_read(page)
        expect_digits(page, "2", "7")
        first = page.locator("#digits button").first
        sync_api.expect(first).to_have_attribute("aria-pressed", "true")
        page.click("#undo")  # the 7: the tap left no dot
        expect_digits(page, "2")


def test_undo_redo_clear_and_eraser(visit):
    with visit() as page:
        draw_row(page)
        page.click("#undo")
        expect_digits(page, "2")
        page.click("#redo")
        expect_digits(page, "2", "7")
        page.click("#clear")
        expect_digits(page)
        page.click("#undo")
        expect_digits(page, "2", "7")
        page.click("#eraser")
        page.locator("#pen").fill("48")
        for _ in range(2):
            draw(page, SEVEN, shift=0.3)
        expect_digits(page, "2")


def test_as_the_tutorials_do(visit):
    with visit() as page:
        draw(page, TWO)
        expect_digits(page, "2")
        normalised = page.locator("#seen").screenshot()
        page.check("#tutorials")
        sync_api.expect(page.locator("#lesson")).to_contain_text("shrunk to 28 × 28")
        sync_api.expect(page.locator("#digits button")).to_have_count(1)
        sync_api.expect(page.locator(".card .read").first).to_have_text(
            "Reads whole rows, not one image"
        )
        assert page.locator("#seen").screenshot() != normalised


def test_networks_side_by_side(visit):
    with visit() as page:
        draw(page, TWO)
        expect_digits(page, "2")
        names = page.locator(".card h3").all_inner_texts()
        assert names == ["reader", "softmax", "mlp"]
        assert "7,850 parameters" in page.locator(".card").nth(1).inner_text()
        page.uncheck("#choices label:has-text('softmax') input")
        sync_api.expect(page.locator(".card h3")).to_have_text(["reader", "mlp"])


def test_a_photo(visit):
    with visit() as page:
        page.set_input_files("#file", TEST_IMAGE)
        expect_digits(page, "2")
        assert page.locator("#photo-boxes").is_visible()
        page.locator("#photo-boxes").click()
        assert page.locator("#crop").is_visible()
        with_boxes = "document.getElementById('photo-boxes').getContext('2d')"
        drawn = f"{with_boxes}.getImageData(0, 0, 1000, 1000).data.some(value => value > 0)"
        assert page.evaluate(drawn)


def test_a_photo_is_copied_as_text_and_csv(visit):
    with visit(permissions=["clipboard-read", "clipboard-write"]) as page:
        page.set_input_files("#file", TEST_IMAGE)
        expect_digits(page, "2")
        page.click("#copy-text")
        sync_api.expect(page.locator("#copied")).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == "2"
        page.click("#copy-csv")
        page.wait_for_function("navigator.clipboard.readText().then(text => text.length > 1)")
        header, line = page.evaluate("navigator.clipboard.readText()").splitlines()
        assert header == "row,column,digit,probability,left,top,right,bottom"
        assert re.fullmatch(r"1,1,2,[01]\.\d{4}(,\d+(\.\d+)?){4}", line)


def test_the_file_itself_is_sent(visit):
    with visit() as page:
        record = """() => {
            const send = window.fetch;
            window.fetch = (address, options) => {
                window.sent = options.body;
                return send(address, options);
            };
        }"""
        page.evaluate(record)  # Playwright does not see the bytes of a file that is sent
        page.set_input_files("#file", TEST_IMAGE)
        expect_digits(page, "2")
        read = "sent.arrayBuffer().then(content => [...new Uint8Array(content)])"
        assert bytes(page.evaluate(read)) == TEST_IMAGE.read_bytes()
        assert page.evaluate("sent.type") == "image/png"


def test_a_photo_that_is_too_large_is_not_sent(visit, tmp_path):
    (tmp_path / "large.png").write_bytes(bytes(20 * 2**20 + 1))
    with visit() as page:
        sent = []
        page.on("request", lambda request: sent.append(request.url))
        page.set_input_files("#file", tmp_path / "large.png")
        sync_api.expect(page.locator("#state")).to_contain_text("at most 20")
        page.wait_for_timeout(300)
        assert sent == []


def test_a_photo_that_is_dropped(visit):
    with visit() as page:
        drop = """bytes => {
            const transfer = new DataTransfer();
            const content = Uint8Array.from(bytes);
            transfer.items.add(new File([content], 'digit.png', {type: 'image/png'}));
            const event = new DragEvent('drop', {dataTransfer: transfer, bubbles: true});
            document.body.dispatchEvent(event);
        }"""
        page.evaluate(drop, list(TEST_IMAGE.read_bytes()))
        expect_digits(page, "2")


def test_what_is_no_photo(visit, tmp_path):
    (tmp_path / "no.png").write_bytes(b"no picture")
    with visit() as page:
        page.set_input_files("#file", tmp_path / "no.png")
        said = page.locator("#state")
        sync_api.expect(said).to_have_text("The browser cannot show this file as a picture")


def test_the_address_shows_the_same_again(visit):
    with visit() as page:
        draw(page, TWO)
        expect_digits(page, "2")
        page.uncheck("#choices label:has-text('softmax') input")
        page.click("#theme")
        page.wait_for_url(re.compile("theme=light.*drawing="))
        address = page.url.partition("#")[2]
    with visit(f"#{address}") as page:
        expect_digits(page, "2")
        sync_api.expect(page.locator(".card h3")).to_have_text(["reader", "mlp"])
        assert page.locator("html").get_attribute("data-theme") == "light"


COUNT_REQUESTS = """() => {
    const send = window.fetch;
    Object.assign(window, {starts: [], open: 0, most: 0});
    window.fetch = async (address, options) => {
        starts.push(performance.now());
        most = Math.max(most, ++window.open);
        try {
            const response = await send(address, options);
            return new Response(await response.blob(), {status: response.status});
        } finally {
            window.open--;
        }
    };
}"""
"""Counts in the page: Playwright may report the end of a request after the start of the next."""


def test_one_request_at_a_time(visit):
    with visit() as page:
        page.evaluate(COUNT_REQUESTS)
        draw(page, TWO)
        draw(page, SEVEN, shift=0.3)
        wait_until_read(page)
        expect_digits(page, "2", "7")
        assert page.evaluate("starts.length") > 1
        assert page.evaluate("most") == 1


def test_at_most_fifteen_requests_a_second(visit):
    nothing = {"width": 840, "height": 480, "readings": {"reader": {"digits": []}}, "seen": []}
    with visit() as page:
        # Answers at once: the server's own time would hide that the page asks too often.
        page.route("**/api/read?*", lambda route: route.fulfill(json=nothing))
        page.evaluate(COUNT_REQUESTS)
        draw(page, TWO)
        draw(page, SEVEN, shift=0.3)
        wait_until_read(page)
        starts = page.evaluate("starts")
        assert len(starts) > 5
        assert min(later - one for one, later in pairwise(starts)) > 1000 / 15 - 2  # coarse timers


def test_a_server_that_does_not_answer(visit):
    with visit(may_fail=True) as page:
        page.route("**/api/read?*", lambda route: route.abort())
        draw(page, TWO)
        sync_api.expect(page.locator("#state")).to_contain_text("The server does not answer")
        page.unroute("**/api/read?*")
        page.click("#retry")
        expect_digits(page, "2")
        assert not page.locator("#retry").is_visible()


def test_tabs_by_arrow_keys(visit):
    with visit() as page:
        page.focus("#tab-draw")
        page.keyboard.press("ArrowRight")
        assert page.locator("#photo").is_visible()
        assert page.evaluate("document.activeElement.id") == "tab-photo"
        page.keyboard.press("ArrowLeft")
        assert page.locator("#draw").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(visit, scheme):
    text = ["#state", "#tab-draw", "#tab-photo", "#theme", "#undo", "#redo", "#pad-help", "#chosen"]
    text += ["#lesson", "figcaption", ".card p", ".card .read", "#digits button", "#placeholder"]
    text += [".bar.is-best span:last-child", ".bar span:last-child"]
    filled = [".bar .fill", ".bar.is-best .fill"]
    with visit(color_scheme=scheme, reduced_motion="reduce") as page:
        draw(page, TWO)
        expect_digits(page, "2")
        wait_until_read(page)
        wanted = dict.fromkeys(text, "color") | dict.fromkeys(filled, "backgroundColor")
        assert page.evaluate(CONTRAST, wanted) == []


def test_an_address_of_nonsense(visit):
    with visit("#tab=x&view=y&theme=z&networks=gone,none&drawing=zzz-00-!!") as page:
        assert page.locator(".card h3").all_inner_texts() == ["reader", "softmax", "mlp"]
        assert page.inner_text("#state") == "Nothing drawn yet"
        draw(page, TWO)
        expect_digits(page, "2")


def test_another_link_in_the_same_window(visit):
    with visit() as page:
        page.evaluate("location.hash = 'tab=photo&theme=dark'")
        page.wait_for_selector("html[data-theme=dark]")
        assert page.locator("#photo").is_visible()


@pytest.mark.parametrize("width", [360, 1280, 1920])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_window(visit, width, scheme):
    with visit(width=width, color_scheme=scheme) as page:
        draw(page, TWO)
        expect_digits(page, "2")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        # In one call, since the digits' buttons are made anew with every answer.
        measure = "all => all.map(each => each.getBoundingClientRect().height).filter(Boolean)"
        heights = page.eval_on_selector_all("button, .button", measure)
        assert len(heights) > 5
        assert min(heights) >= 43.9


def test_the_page_is_small():
    assert sum(path.stat().st_size for path in PAGE.iterdir()) < 150_000


def test_the_screenshot_in_the_readme(visit):
    """Draws docs/page.png anew where it is missing; delete it to have it redrawn."""
    picture = ROOT / "docs" / "page.png"
    with visit() as page:
        draw_row(page)
        if not picture.exists():
            wait_until_read(page)
            page.screenshot(path=picture)
    assert picture.stat().st_size > 10_000
