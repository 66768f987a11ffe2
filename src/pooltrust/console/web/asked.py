"""The JSON that the browser may ask for: servers, known servers, calls."""

from __future__ import annotations

import re
import time
from typing import Any

import orjson
from aiohttp import web

from pooltrust.console.pools.hall import Hall
from pooltrust.console.pools.history import history
from pooltrust.console.reading.apart import Reader
from pooltrust.console.reading.held import Held
from pooltrust.console.speaking.channel import Reported
from pooltrust.console.trusting.known import written
from pooltrust.console.trusting.trust import Changed, Stranger
from pooltrust.console.web.wishes import Wishes
from pooltrust.errors import Failure

DEFAULT_PORT = 443
_PLACE = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[^\[\]:/\s]+))(?::(?P<port>\d{1,5}))?"
)


def json(value: Any, status: int = 200) -> web.Response:
    """An answer in JSON."""
    return web.Response(body=orjson.dumps(value), status=status, content_type="application/json")


def wrong(words: str, code: str = "INVALID_VALUE", status: int = 400) -> web.Response:
    """A refusal in words."""
    return json({"error": {"code": code, "parameters": [], "words": words}}, status)


def place_typed(text: str) -> tuple[str, int] | None:
    """What was typed as a server: a name or an address, maybe with a port; None if it is none."""
    text = re.sub(r"^https://", "", text.strip()).rstrip("/")
    if text.count(":") > 1 and not text.startswith("["):
        text = f"[{text}]"
    found = _PLACE.fullmatch(text)
    port = int(found["port"] or DEFAULT_PORT) if found else 0
    if found is None or not 0 < port < 65536:
        return None
    return found["six"] or found["name"], port


class Asked:
    """Answers what the browser asks."""

    def __init__(self, hall: Hall, wishes: Wishes) -> None:
        self._hall = hall
        self._wishes = wishes
        self._reader = Reader()
        self._held = Held(time.monotonic)

    def routes(self) -> list[web.RouteDef]:
        """Every path, all of them behind the door."""
        return [
            web.post("/api/connect", self.connect),
            web.post("/api/answer", self.answer),
            web.post("/api/now", self.now),
            web.post("/api/disconnect", self.disconnect),
            web.post("/api/call", self.call),
            web.post("/api/read", self.read),
            web.post("/api/forget", self.forget),
            web.post("/api/import", self.take_in),
            web.get("/api/wishes", self.wishes),
            web.post("/api/wishes", self.wish),
            web.get("/api/known", self.known),
            web.get("/api/history", self.history),
        ]

    async def connect(self, request: web.Request) -> web.Response:
        """Add a server."""
        said = await _said(request)
        place = place_typed(said.get("address", ""))
        if place is None:
            return wrong("That is no address.  Write a name or an address, maybe with :port.")
        user = said.get("user") or "root"
        added = self._hall.add(place[0], place[1], user, said.get("password", ""))
        return json({"id": added.state.id})

    async def answer(self, request: web.Request) -> web.Response:
        """A person's answer about the certificate that was shown."""
        said = await _said(request)
        place = self._hall[said["id"]]
        if not place.answer(said.get("answer", ""), said.get("thumbprint", "")):
            return wrong("Another certificate is shown by now.  Look again.", "CERTIFICATE_CHANGED")
        return json({})

    async def now(self, request: web.Request) -> web.Response:
        """Try again now."""
        said = await _said(request)
        self._hall[said["id"]].now(said.get("password"))
        return json({})

    async def disconnect(self, request: web.Request) -> web.Response:
        """Remove a server."""
        await self._hall.remove((await _said(request))["id"])
        return json({})

    async def call(self, request: web.Request) -> web.Response:
        """Make a call of the public API in a server's session."""
        said = await _said(request)
        try:
            place = self._hall[said["id"]]
            parameters = self._held.filled(list(said["parameters"]))
            return json({"result": await place.call(said["method"], parameters)})
        except Reported as why:
            told = {"code": why.code, "parameters": why.parameters(), "words": why.words}
            return json({"error": told})
        except (Stranger, Changed):
            words = "The server shows another certificate than before.  Nothing was sent."
            return json({"error": {"code": "SSL_VERIFY_ERROR", "parameters": [], "words": words}})
        except Failure as why:
            told = {"code": why.code, "parameters": why.parameters(), "words": str(why)}
            return json({"error": told})

    async def read(self, request: web.Request) -> web.Response:
        """Read files and pastes, on this machine; a key among them stays here, under a handle."""
        try:
            said = await self._reader.read(await request.read())
        except Failure as why:
            return wrong(str(why), str(why.code))
        if (install := said.get("install")) and install["key"]:
            install["key"] = self._held.keep(install["key"])
        return json(said)

    async def wishes(self, _: web.Request) -> web.Response:
        """What the person wished."""
        return json(self._wishes.read())

    async def wish(self, request: web.Request) -> web.Response:
        """Keep what the person wishes."""
        try:
            self._wishes.write(await _said(request))
        except (ValueError, Failure) as why:
            return wrong(str(why))
        return json({})

    async def known(self, _: web.Request) -> web.Response:
        """The known servers, as they are kept and as they are exported."""
        return web.Response(body=written(self._hall.trust.known), content_type="application/json")

    async def forget(self, request: web.Request) -> web.Response:
        """Forget known servers, by their hosts' UUIDs."""
        self._hall.trust.forget((await _said(request))["hosts"])
        return json({})

    async def take_in(self, request: web.Request) -> web.Response:
        """Import known servers that were exported."""
        try:
            return json({"known": self._hall.trust.take_in(await request.read())})
        except Failure as why:
            return wrong(str(why), str(why.code))

    async def history(self, request: web.Request) -> web.Response:
        """The trust log of a server's pool, checked entry by entry on this machine."""
        try:
            return json(await history(self._hall[request.query["id"]].call))
        except (Failure, Stranger, Changed) as why:
            return wrong(str(why), getattr(why, "code", "SSL_VERIFY_ERROR"))


async def _said(request: web.Request) -> dict[str, Any]:
    try:
        said = orjson.loads(await request.read())
    except orjson.JSONDecodeError as why:
        raise web.HTTPBadRequest(text="That is no JSON.") from why
    if not isinstance(said, dict):
        raise web.HTTPBadRequest(text="That is no JSON object.")
    return said
