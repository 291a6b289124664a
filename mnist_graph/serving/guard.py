"""Who may ask: only pages of this server's own, under its own name, and with the token if it
listens to other machines.
"""

import hmac
import ipaddress
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "mnist_graph_token"
OWN_HEADER = "x-mnist-graph"
"""What the page sends along with a POST, which a form of another page cannot."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Hosts that only this machine can reach; others need a token."""
HEADERS: Mapping[str, str] = {
    "content-security-policy": "default-src 'self'; img-src 'self' blob: data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
OPEN_PATHS = ("/healthz",)
"""What needs no token: it says nothing."""


class Guard:
    """Refuses requests from elsewhere and puts safe headers on every response.

    `host` is what the server listens on; `token` is asked for if it is not None.
    """

    def __init__(self, app: ASGIApp, host: str, token: str | None) -> None:
        self.app, self.host, self.token = app, host, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        answer = self._refuse(scope)
        await (answer or self.app)(scope, receive, send_safely)

    def _refuse(self, scope: Scope) -> Response | None:
        """Return the answer to a request that is refused, or None."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_own(_name_of(host)):
            return _error(421, f"this server is not {_name_of(host)[:100]!r}")
        if _is_foreign(scope, headers, host):
            return _error(403, "requests from other pages are refused")
        path, method = scope["path"], scope["method"]
        if path.startswith("/api/") and method != "GET" and OWN_HEADER not in headers:
            return _error(403, f"the header {OWN_HEADER} is missing")
        if self.token is None or path in OPEN_PATHS:
            return None
        return self._ask_for_token(scope, headers)

    def _is_own(self, name: str) -> bool:
        if name in LOOPBACK:
            return True
        if self.host in ("0.0.0.0", "::"):
            return _is_address(name)  # a name may be an attacker's that leads here
        return name == self.host.lower()

    def _ask_for_token(self, scope: Scope, headers: Headers) -> Response | None:
        given = headers.get("authorization", "").removeprefix("Bearer ")
        if self._is_token(given) or self._is_token(_cookie(headers)):
            return None
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        if scope["method"] == "GET" and self._is_token(query.pop("token", "")):
            address = scope["path"] + (f"?{urlencode(query)}" if query else "")
            # One slash: "//name" would lead to another server.
            answer = RedirectResponse("/" + address.lstrip("/"), status_code=303)
            answer.set_cookie(COOKIE, self.token or "", httponly=True, samesite="strict", path="/")
            return answer
        return _error(401, "the token is missing; open the address that the server printed")

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), (self.token or "").encode())


def _is_foreign(scope: Scope, headers: Headers, host: str) -> bool:
    """Whether a browser sent the request for a page of another origin."""
    origin = headers.get("origin")
    if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
        return True
    if headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return False
    # A link to the page may be followed from anywhere: it only shows it.
    is_link = headers.get("sec-fetch-mode") == "navigate" and scope["method"] == "GET"
    return not (is_link and headers.get("sec-fetch-dest") == "document" and scope["path"] == "/")


def _name_of(host: str) -> str:
    """Return the name or address in a Host header, without the port."""
    name, colon, port = host.lower().rpartition(":")
    if not colon or not port.isdigit():
        name = host.lower()
    return name.removeprefix("[").removesuffix("]")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _cookie(headers: Headers) -> str:
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return cookie.value if cookie is not None else ""


def _error(status: int, reason: str) -> JSONResponse:
    return JSONResponse({"error": reason}, status)
