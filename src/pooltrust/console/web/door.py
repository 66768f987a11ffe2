"""Who may come in: a browser that was given the one-time link, from a page of ours.

The link's token is exchanged for a cookie and is worth nothing afterwards.  A request must name
this very host (or another site's name could be made to point here), and one that changes something
must carry a header that no other site's page can send.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable, Set

from aiohttp import web

COOKIE = "pooltrust-console"
CSRF = "X-Pooltrust-Console"
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
    '<meta http-equiv="refresh" content="0;url=/"><a href="/">Go on</a></html>'
)
"""For who follows a link from elsewhere: a redirect from there would lack the strict cookie."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Door:
    """The tokens that are good, and the browsers that came in by one."""

    def __init__(self, hosts: Set[str]) -> None:
        self._hosts = hosts
        """What the Host header may be."""
        self._token = ""
        self._cookies: set[str] = set()

    def new_token(self) -> str:
        """A token for one browser; the one before is void."""
        self._token = secrets.token_urlsafe(32)
        return self._token

    def admit(self, token: str) -> str | None:
        """Exchange the token for a cookie's value; None if it is not the good one."""
        if not self._token or not hmac.compare_digest(
            self._token.encode(), token.encode(errors="replace")
        ):
            return None
        self._token = ""
        cookie = secrets.token_urlsafe(32)
        self._cookies.add(cookie)
        return cookie

    def knows(self, cookie: str) -> bool:
        """Whether a browser came in and was given this."""
        given = cookie.encode(errors="replace")
        return any(hmac.compare_digest(one.encode(), given) for one in self._cookies)

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
        if request.method not in ("GET", "HEAD") and request.headers.get(CSRF) != "1":
            return web.Response(status=403, text="Only the console's own page may ask this.\n")
        return None

    def _exchanged(self, request: web.Request) -> web.StreamResponse:
        cookie = self.admit(request.query["token"])
        if cookie is None and not self.knows(request.cookies.get(COOKIE, "")):
            return web.Response(status=401, text=KNOCK)
        if request.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin"):
            response = web.Response(status=303, headers={"Location": "/"})
        else:
            response = web.Response(text=INWARDS, content_type="text/html")
        if cookie is not None:
            response.set_cookie(COOKIE, cookie, httponly=True, samesite="Strict", path="/")
        return response
