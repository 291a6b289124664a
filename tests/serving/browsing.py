"""Chromium, driven by Playwright: how it is started, and what a user does with the page."""

import shutil

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]
TWO = "30,30 34,20 42,17 47,25 45,38 38,52 30,70 36,70 44,70 52,70"
"""The path of a pen that writes a 2: shares of the drawing area in hundredths, from its left."""
SEVEN = "30,20 40,20 55,19 50,35 44,52 38,75"
CONTRAST = """selectors => {
    const channels = color => color.match(/[\\d.]+/g).map(Number);
    const luminance = ([r, g, b]) => [r, g, b]
        .map(value => value / 255)
        .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
        .reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0);
    const background = element => {
        const color = channels(getComputedStyle(element).backgroundColor);
        return color[3] === 0 ? background(element.parentElement) : color;
    };
    return Object.entries(selectors).flatMap(([selector, property]) => {
        const element = document.querySelector(selector);
        const own = channels(getComputedStyle(element)[property]);
        const below = background(property === 'color' ? element : element.parentElement);
        const [high, low] = [luminance(own), luminance(below)].sort((a, b) => b - a);
        const ratio = (high + 0.05) / (low + 0.05);
        return ratio < (property === 'color' ? 4.5 : 3) ? [[selector, ratio]] : [];
    });
}"""
"""Returns which elements have less than the contrast of WCAG AA, and how much they have."""


def path_on(page, points, shift=0.0):
    """Return points of the window for a path on the drawing area, which is scrolled into view."""
    page.locator("#pad").scroll_into_view_if_needed()
    box = page.locator("#pad").bounding_box()
    found = []
    for point in points.split():
        x, y = (int(share) / 100 for share in point.split(","))
        found.append((box["x"] + (x / 2 + shift) * box["width"], box["y"] + y * box["height"]))
    return found


def draw(page, points, shift=0.0):
    """Draw with the mouse."""
    first, *rest = path_on(page, points, shift)
    page.mouse.move(*first)
    page.mouse.down()
    for point in rest:
        page.mouse.move(*point, steps=5)
    page.mouse.up()


def expect_digits(page, *labels):
    digits = page.locator("#digits button")
    sync_api.expect(digits).to_have_text(list(labels), timeout=20_000)


def draw_row(page):
    """Draw a 2 and a 7, and expect both."""
    draw(page, TWO)
    draw(page, SEVEN, shift=0.3)
    expect_digits(page, "2", "7")


def wait_until_read(page):
    """Wait until the newest state of the picture has been read."""
    page.wait_for_selector("#answer[aria-busy=false]", timeout=20_000)
