"""Who may ask."""

import pytest
from servers import OWN

TOKEN = "a token of more than sixteen"
HEADERS = (
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "cross-origin-resource-policy",
)


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/v1/models/none"])
def test_safe_headers_on_every_answer(ask, path):
    answer = ask("GET", path)
    assert all(name in answer.headers for name in HEADERS)
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "access-control-allow-origin" not in answer.headers
    assert "server" not in answer.headers


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1", "[::2]"])
def test_a_foreign_host(ask, host):
    """DNS rebinding: the name of another site leads to this address."""
    answer = ask("GET", "/api/networks", host=host)
    assert answer.status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_its_own_names(ask, host):
    assert ask("GET", "/api/networks", host=host).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9000"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"},
    ],
)
@pytest.mark.parametrize("path", ["/api/networks", "/v1/models/softmax", "/metrics"])
def test_a_foreign_page(ask, headers, path):
    assert ask("GET", path, headers=headers).status_code == 403


def test_a_link_from_another_page_shows_the_page(ask):
    link = {
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Dest": "document",
    }
    assert ask("GET", "/", headers=link).status_code == 200
    assert ask("GET", "/", headers={**link, "Sec-Fetch-Dest": "iframe"}).status_code == 403
    assert ask("POST", "/api/read", headers={**link, **OWN}).status_code == 403


def test_a_form_of_another_page(ask, picture):
    assert ask("POST", "/api/read", content=picture).status_code == 403


def test_a_token_is_needed_by_other_machines(ask):
    options = {"token": TOKEN, "listens": "192.0.2.7", "host": "192.0.2.7"}
    assert ask("GET", "/api/networks", **options).status_code == 401
    assert ask("GET", "/healthz", **options).status_code == 200
    wrong = {"Authorization": "Bearer wrong"}
    assert ask("GET", "/api/networks", headers=wrong, **options).status_code == 401
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert ask("GET", "/api/networks", headers=right, **options).status_code == 200


def test_the_token_moves_from_the_address_to_a_cookie(ask):
    options = {"token": TOKEN, "listens": "0.0.0.0", "host": "192.0.2.7"}
    answer = ask("GET", "/", params={"token": TOKEN, "a": "1"}, **options)
    assert (answer.status_code, answer.headers["location"]) == (303, "/?a=1")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    given = {"Cookie": cookie.partition(";")[0]}
    assert ask("GET", "/api/networks", headers=given, **options).status_code == 200
    assert ask("GET", "/", params={"token": "wrong"}, **options).status_code == 401
    answer = ask("GET", "//evil.example/", params={"token": TOKEN}, **options)
    assert answer.headers.get("location", "/").startswith("/")
    assert not answer.headers.get("location", "/").startswith("//")


def test_listening_everywhere_takes_addresses_but_no_foreign_names(ask):
    """A name may be an attacker's that leads here."""
    options = {"token": TOKEN, "listens": "0.0.0.0"}
    right = {"Authorization": f"Bearer {TOKEN}"}
    path = "/api/networks"
    assert ask("GET", path, host="192.0.2.7", headers=right, **options).status_code == 200
    assert ask("GET", path, host="evil.example", headers=right, **options).status_code == 421
