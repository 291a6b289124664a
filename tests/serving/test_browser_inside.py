"""The section "Look inside" of the page in a real browser."""

import re

import pytest
from browsing import TWO, draw, expect_digits, sync_api

pytestmark = pytest.mark.browser


def open_inside(page):
    page.click("#inside summary")
    page.wait_for_selector("#inside-body:not([hidden])")


def test_the_inside_of_a_network(visit):
    with visit() as page:
        draw(page, TWO)
        expect_digits(page, "2")
        open_inside(page)
        assert page.locator("#inside-network").input_value() == "mlp"  # the most accurate
        assert page.locator("#nearest figure").count() == 8
        names = page.locator("#layers figcaption").all_inner_texts()
        assert names == ["dense1: 512 units", "dense2: 256 units", "dense3: 128 units"]
        page.select_option("#inside-network", "softmax")
        sync_api.expect(page.locator("#weights figure.is-best")).to_have_count(1)
        assert not page.locator("#layers-part").is_visible()
        page.select_option("#inside-label", "7")
        sync_api.expect(page.locator("#evidence-text")).to_contain_text("speaks for a 7")


def test_the_inside_follows_the_drawing(visit):
    with visit() as page:
        sent = []
        page.on("request", lambda request: sent.append(request.url))
        draw(page, TWO)
        expect_digits(page, "2")
        assert not any("inside" in url for url in sent)  # not while it is closed
        open_inside(page)
        page.click("#clear")
        sync_api.expect(page.locator("#inside-state")).to_have_text("Draw a digit, or select one.")
        assert not page.locator("#inside-body").is_visible()


def test_a_link_opens_the_inside(visit):
    with visit() as page:
        draw(page, TWO)
        expect_digits(page, "2")
        open_inside(page)
        page.select_option("#inside-network", "softmax")
        page.wait_for_url(re.compile("inside=softmax"))
        address = page.url.partition("#")[2]
    with visit(f"#{address}") as page:
        page.wait_for_selector("#weights figure")
        assert page.locator("#inside-network").input_value() == "softmax"
