""" "Watch it learn", in a real browser."""

import json
import re
import time

import pytest
from browsing import SEVEN, TWO, draw, expect_digits, sync_api
from servers import start_server, stop_server

pytestmark = pytest.mark.browser
WAIT = 90_000
"""Milliseconds, since a training takes a while."""


@pytest.fixture
def open_page(browser, tmp_path):
    """A function that opens the page of a server which may train."""
    process, url = start_server(tmp_path)
    contexts = []

    def visit(address="", width=1280, height=900, **options):
        contexts.append(browser.new_context(viewport={"width": width, "height": height}, **options))
        page = contexts[-1].new_page()
        page.set_default_timeout(WAIT)
        page.said = []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.goto(url + address)
        page.wait_for_selector(".card")
        page.wait_for_selector("#recipe option", state="attached")
        if not page.is_visible("#recipe"):
            page.click("#learn summary")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert stop_server(process) == (0, "", "")


def expect_text(page, selector, text):
    sync_api.expect(page.locator(selector)).to_have_text(text, timeout=WAIT)


def wait_until(page, code):
    """Wait until JavaScript `code` is true; the page's policy forbids wait_for_function."""
    end = time.monotonic() + WAIT / 1000
    while not page.evaluate(code):
        assert time.monotonic() < end, code
        time.sleep(0.1)


def train(page, recipe):
    page.select_option("#recipe", recipe)
    page.click("#train")


def wait_for_iteration(page, iteration):
    wait_until(page, f"document.getElementById('learn-bar').value > {iteration}")


def read_bars(page):
    return page.locator("#snapshot-bars").get_attribute("aria-label")


def test_a_training_is_watched_stopped_and_resumed(open_page):
    page = open_page()
    draw(page, TWO)
    expect_digits(page, "2")
    assert page.is_hidden("#learn-charts")
    assert page.is_hidden("#lookback")
    train(page, "mlp")
    wait_for_iteration(page, 0)
    assert page.inner_text("#learn-state") == "Training mlp/1"
    assert page.is_disabled("#train")
    before = page.locator("#chart-loss .batches").get_attribute("points")
    wait_for_iteration(page, 100)
    assert page.locator("#chart-loss .batches").get_attribute("points") != before
    assert page.locator("#chart-accuracy").get_attribute("aria-label").startswith("Accuracy: ")
    sync_api.expect(page.locator("#batch canvas")).to_have_count(40, timeout=WAIT)

    page.click("#stop")
    expect_text(page, "#learn-state", "Stopped mlp/1")
    expect_text(page, "#resume", "Resume mlp/1")
    page.click("#resume")
    expect_text(page, "#learn-state", "Trained mlp/1")
    expect_text(page, "#learn-iteration", "Iteration 1,000 of 1,000")
    assert re.fullmatch(r"Test accuracy 9\d\.\d\d %", page.inner_text("#learn-tested"))
    assert page.is_hidden("#stop")
    assert page.is_hidden("#resume")
    expect_text(page, ".card:nth-child(2) h3", "mlp")
    expect_text(page, ".card:nth-child(2) .read", re.compile(r"\d"))
    assert page.said == []


def test_the_slider_shows_what_the_network_was(open_page):
    page = open_page()
    draw(page, TWO)
    expect_digits(page, "2")
    train(page, "softmax")
    expect_text(page, "#learn-state", "Trained softmax/1")
    wait_until(page, "document.getElementById('snapshot').max === '29'")
    expect_text(page, ".card:nth-child(2) .read", re.compile(r"\d"))
    read = page.inner_text(".card:nth-child(2) .read")
    expect_text(page, "#snapshot-state", re.compile(rf"After iteration 999: {read} \("))
    last = read_bars(page)
    page.focus("#snapshot")
    page.keyboard.press("Home")
    assert page.inner_text("#snapshot-state").startswith("After iteration 0: ")
    assert page.locator("#snapshot").get_attribute("aria-valuetext").startswith("After iteration 0")
    assert read_bars(page) != last
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#snapshot-state").startswith("After iteration 1: ")

    sent = []
    page.on("request", lambda request: sent.append(request.url))
    page.keyboard.press("End")
    assert [url for url in sent if "snapshots" in url] == []  # all were read at once
    page.click("#clear")
    expect_text(page, "#snapshot-state", "Draw a digit above: the network as it was then reads it.")
    assert page.is_disabled("#snapshot")
    draw(page, SEVEN)
    wait_until(page, "!document.getElementById('snapshot').disabled")
    assert read_bars(page) != last
    assert "run=softmax/1" in page.url
    assert page.said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_section_at_360_pixels(open_page, scheme):
    page = open_page(width=360, height=740, color_scheme=scheme)
    train(page, "softmax")
    expect_text(page, "#learn-state", "Trained softmax/1")
    page.wait_for_selector("#lookback")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    small = page.evaluate(
        "[...document.querySelectorAll('#learn button, #learn select, #learn input')]"
        ".filter((each) => each.offsetParent && each.offsetHeight < 44).map((each) => each.id)"
    )
    assert small == []
    assert page.said == []


def test_a_link_shows_the_same_run_and_what_failed_is_said(open_page, tmp_path):
    page = open_page()
    for number in (1, 2):
        train(page, "softmax")
        expect_text(page, "#learn-state", f"Trained softmax/{number}")
    wait_until(page, "location.hash.includes('softmax/2')")
    page.select_option("#snapshot-run", "softmax/1")
    wait_until(page, "location.hash.includes('softmax/1')")
    page.reload()
    wait_until(page, "document.getElementById('snapshot-run').value === 'softmax/1'")
    expect_text(page, "#learn-state", "Trained softmax/2")  # and its charts are shown again
    assert page.is_visible("#learn-charts")

    recipe = tmp_path / "runs/softmax/2/recipe.json"
    values = json.loads(recipe.read_text())
    recipe.write_text(json.dumps({**values, "sha256": {}}))
    (tmp_path / "runs/softmax/2/result.json").unlink()
    page.reload()
    page.click("#resume")
    wait_until(page, "document.getElementById('learn-state').textContent.includes('other data')")
