"""The JSON that the browser may ask for: servers, calls, files, wishes, histories."""

from __future__ import annotations

import re
import time

from aiohttp import web

from pooltrust.console.pools.hall import Hall
from pooltrust.console.pools.history import history
from pooltrust.console.pools.place import UNLIKE_AN_API
from pooltrust.console.reading.apart import Reader
from pooltrust.console.reading.held import Held
from pooltrust.console.speaking.channel import Reported
from pooltrust.console.trusting.trust import Changed, Stranger
from pooltrust.console.web.answers import json, said, wrong
from pooltrust.console.web.wishes import Wishes
from pooltrust.errors import Failure

DEFAULT_PORT = 443
_PLACE = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[^\[\]:/\s]+))(?::(?P<port>\d{1,5}))?"
)


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
            web.get("/api/wishes", self.wishes),
            web.post("/api/wishes", self.wish),
            web.get("/api/history", self.history),
        ]

    async def connect(self, request: web.Request) -> web.Response:
        """Add a server."""
        wanted = await said(request)
        place = place_typed(wanted.get("address", ""))
        if place is None:
            return wrong("That is no address.  Write a name or an address, maybe with :port.")
        user = wanted.get("user") or "root"
        added = self._hall.add(place[0], place[1], user, wanted.get("password", ""))
        return json({"id": added.state.id})

    async def answer(self, request: web.Request) -> web.Response:
        """A person's answer about the certificate that was shown."""
        wanted = await said(request)
        place = self._hall[wanted["id"]]
        if not place.answer(wanted.get("answer", ""), wanted.get("thumbprint", "")):
            return wrong("Another certificate is shown by now.  Look again.", "CERTIFICATE_CHANGED")
        return json({})

    async def now(self, request: web.Request) -> web.Response:
        """Try again now."""
        wanted = await said(request)
        self._hall[wanted["id"]].now(wanted.get("password"))
        return json({})

    async def disconnect(self, request: web.Request) -> web.Response:
        """Remove a server."""
        await self._hall.remove((await said(request))["id"])
        return json({})

    async def call(self, request: web.Request) -> web.Response:
        """Make a call of the public API in a server's session."""
        wanted = await said(request)
        try:
            place = self._hall[wanted["id"]]
            parameters = self._held.filled(list(wanted["parameters"]))
            return json({"result": await place.call(wanted["method"], parameters)})
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
            self._wishes.write(await said(request))
        except (ValueError, Failure) as why:
            return wrong(str(why))
        return json({})

    async def history(self, request: web.Request) -> web.Response:
        """The trust log of a server's pool, checked entry by entry on this machine."""
        place = self._hall[request.query["id"]]
        try:
            return json(await history(place.call))
        except UNLIKE_AN_API as why:
            return wrong(f"The server tells its history in another form than ours: {why}.")
        except (Failure, Stranger, Changed) as why:
            return wrong(str(why), getattr(why, "code", "SSL_VERIFY_ERROR"))
