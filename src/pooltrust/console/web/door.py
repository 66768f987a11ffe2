"""Who may come in: a browser that was given the one-time link, from a page of ours.

The link's token is exchanged for a cookie and a key, and is worth nothing afterwards.  A request
must name this very host (or another site's name could be made to point here).  The cookie opens the
pages only: browsers send it to every port of this machine, so another user's server could be told
it.  Whatever asks or changes something carries the key, which only the page itself can read.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable, Set

from aiohttp import web

COOKIE = "pooltrust-console"
KEY = "X-Pooltrust-Console"
EVENTS = "/api/events"
"""A browser sends no header of ours there: the key is in its query."""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
KNOCK = (
    "This is a pooltrust console.  Open it by the link that it printed when it started;\n"
    "a link is good once.  For another one press Enter where the console runs, or start it again.\n"
)
INWARDS = (
    '<!doctype html><html lang="en"><title>pooltrust console</title>'
    '<meta http-equiv="refresh" content="0;url=/#key={key}"><a href="/#key={key}">Go on</a></html>'
)
"""For who follows a link from elsewhere: a redirect from there would lack the strict cookie."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Door:
    """The tokens that are good, and the browsers that came in by one."""

    def __init__(self, hosts: Set[str]) -> None:
        self._hosts = hosts
        """What the Host header may be."""
        self._token = ""
        self._keys: dict[str, str] = {}
        """The key that goes with each cookie."""

    def new_token(self) -> str:
        """A token for one browser; the one before is void."""
        self._token = secrets.token_urlsafe(32)
        return self._token

    def admit(self, token: str) -> tuple[str, str] | None:
        """Exchange the token for a cookie's value and a key; None if it is not the good one."""
        if not self._token or not hmac.compare_digest(
            self._token.encode(), token.encode(errors="replace")
        ):
            return None
        self._token = ""
        cookie, key = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self._keys[cookie] = key
        return cookie, key

    def knows(self, cookie: str) -> bool:
        """Whether a browser came in and was given this."""
        given = cookie.encode(errors="replace")
        return any(hmac.compare_digest(one.encode(), given) for one in self._keys)

    def _holds_key(self, request: web.Request) -> bool:
        given = request.headers.get(KEY, "")
        if request.path == EVENTS:
            given = request.query.get("key", "")
        key = self._keys.get(request.cookies.get(COOKIE, ""), "")
        return bool(key) and hmac.compare_digest(key.encode(), given.encode(errors="replace"))

    @web.middleware
    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a request through, or say why not."""
        try:
            response = self._refusal(request) or await handler(request)
        except web.HTTPException as why:
            response = web.Response(status=why.status, text=why.text)
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    def _refusal(self, request: web.Request) -> web.StreamResponse | None:
        if request.headers.get("Host", "").lower() not in self._hosts:
            return web.Response(status=421, text="This console is asked for by another name.\n")
        if request.path == "/" and "token" in request.query:
            return self._exchanged(request)
        if not self.knows(request.cookies.get(COOKIE, "")):
            return web.Response(status=401, text=KNOCK)
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            return web.Response(status=403, text="Another site's page may not ask this.\n")
        asks = request.path.startswith("/api/") or request.method not in ("GET", "HEAD")
        if asks and not self._holds_key(request):
            return web.Response(status=403, text="Only the console's own page may ask this.\n")
        return None

    def _exchanged(self, request: web.Request) -> web.StreamResponse:
        admitted = self.admit(request.query["token"])
        if admitted is None:
            if not self.knows(request.cookies.get(COOKIE, "")):
                return web.Response(status=401, text=KNOCK)
            return web.Response(status=303, headers={"Location": "/"})
        cookie, key = admitted
        if request.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin"):
            response = web.Response(status=303, headers={"Location": f"/#key={key}"})
        else:
            response = web.Response(text=INWARDS.format(key=key), content_type="text/html")
        response.set_cookie(COOKIE, cookie, httponly=True, samesite="Strict", path="/")
        return response
