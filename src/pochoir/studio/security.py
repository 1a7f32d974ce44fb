"""Protection of a server on this machine against other pages, other hosts and oversized requests."""

import asyncio
import hmac
import http.cookies
import urllib.parse
from collections.abc import Iterable
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OWN_HEADER: Final = "x-pochoir"
"""Header of every changing request. Another site cannot send it without asking first, which is refused."""
COOKIE: Final = "pochoir-token"
LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self'; "
    "connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """ASGI middleware that refuses requests of other pages and adds protective headers.

    A page on another site can send requests to this machine, and by DNS rebinding it can even read the answers. So the
    Host header must be this server's. Requests that change something need a header of the API and the page's own
    Origin. A server that listens on other addresses needs a token.

    Args:
        app: The application.
        hosts: Allowed Host headers, with port. Empty allows any, which requires a token.
        token: Secret that the first request gives as ``?token=``; later ones send it as a cookie. None needs none.
    """

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str], token: str | None = None) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._token = token
        if not self._hosts and token is None:
            raise ValueError("a server for any host needs a token")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        problem = self._find_problem(scope, headers)
        if problem is not None:
            status, text = problem
            await JSONResponse({"error": text}, status, headers=_HEADERS)(scope, receive, send)
            return
        query = urllib.parse.parse_qs(scope["query_string"].decode("latin-1"))
        if self._token is not None and "token" in query and scope["method"] == "GET":
            answer = RedirectResponse(scope["path"] or "/", 303, headers=_HEADERS)
            answer.set_cookie(COOKIE, self._token, httponly=True, samesite="strict")
            await answer(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    answer[name] = value
                if scope["path"].startswith("/api/"):
                    answer.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _find_problem(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "").lower()
        if self._hosts and host not in self._hosts:
            return 421, "This address is not the studio's."
        if headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            return 403, "Requests of other pages are refused."
        origin = headers.get("origin")
        if origin is not None and urllib.parse.urlsplit(origin).netloc.lower() != host:
            return 403, "Requests of other pages are refused."
        if scope["method"] not in ("GET", "HEAD") and OWN_HEADER not in headers:
            return 403, f"Changing requests need the header {OWN_HEADER}: 1."
        if self._token is not None and not self._knows_token(scope, headers):
            return 401, "Open the address that the studio printed, with its token."
        return None

    def _knows_token(self, scope: Scope, headers: Headers) -> bool:
        assert self._token is not None  # noqa: S101  # the caller has asked
        cookies: http.cookies.SimpleCookie = http.cookies.SimpleCookie()
        try:
            cookies.load(headers.get("cookie", ""))
        except http.cookies.CookieError:
            return False
        given = [morsel.value for name, morsel in cookies.items() if name == COOKIE]
        given += urllib.parse.parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        given += [bearer] if scheme.lower() == "bearer" else []
        return any(hmac.compare_digest(each.encode(), self._token.encode()) for each in given)


class Closing:
    """ASGI middleware that answers requests which are cut off by the server's end, in place of a traceback.

    Args:
        app: The application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        has_begun = False

        async def send_and_note(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except asyncio.CancelledError:
            if scope["type"] != "http":
                raise
            if not has_begun:
                await JSONResponse({"error": "The studio is closing."}, 503, headers=_HEADERS)(scope, receive, send)


def allowed_hosts(host: str, port: int) -> frozenset[str]:
    """Return the Host headers of a server that listens on ``host``; empty for an address outside this machine."""
    if host not in ("127.0.0.1", "localhost", "::1"):
        return frozenset()
    return frozenset(f"{name}:{port}" for name in LOOPBACK) | (frozenset(LOOPBACK) if port == 80 else frozenset())
