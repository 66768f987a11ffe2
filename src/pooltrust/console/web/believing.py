"""What the page *Known servers* asks: who is known, and which authorities are believed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aiohttp import web

from pooltrust.console.trusting.authorities import offered
from pooltrust.console.trusting.book import Book, utc_now
from pooltrust.console.trusting.known import written
from pooltrust.console.trusting.shown import facts
from pooltrust.console.web.answers import json, said
from pooltrust.pki.certificate import Certificate


class Believing:
    """Answers about known servers and authorities."""

    def __init__(self, trust: Book) -> None:
        self._trust = trust

    def routes(self) -> list[web.RouteDef]:
        """Every path, all of them behind the door."""
        return [
            web.get("/api/known", self.known),
            web.post("/api/forget", self.forget),
            web.post("/api/import", self.take_in),
            web.get("/api/authorities", self.authorities),
            web.post("/api/authorities/look", self.look),
            web.post("/api/authorities/believe", self.believe),
            web.post("/api/authorities/remove", self.remove),
        ]

    async def known(self, _: web.Request) -> web.Response:
        """The known servers, as they are kept and as they are exported."""
        return web.Response(body=written(self._trust.known), content_type="application/json")

    async def forget(self, request: web.Request) -> web.Response:
        """Forget known servers, by their hosts' UUIDs."""
        self._trust.forget((await said(request))["hosts"])
        return json({})

    async def take_in(self, request: web.Request) -> web.Response:
        """Import known servers that were exported."""
        return json({"known": self._trust.take_in(await request.read())})

    async def authorities(self, _: web.Request) -> web.Response:
        """The authorities that are believed, and by whose word which hosts are."""
        now = utc_now()
        rows = [_row(one, now) | self._rests(one) for one in self._trust.authorities]
        return json({"authorities": rows})

    def _rests(self, one: Certificate) -> dict[str, Any]:
        entries = self._trust.known.entries
        return {"hosts": [host.name for host in entries if host.authority == str(one.thumbprint)]}

    async def look(self, request: web.Request) -> web.Response:
        """What a file of authorities holds (PEM, or DER as it is); nothing is believed by it."""
        now = utc_now()
        found = offered(await request.read(), now)
        return json({"authorities": [_row(one, now) for one in found]})

    async def believe(self, request: web.Request) -> web.Response:
        """Believe the authorities in such a file."""
        new = self._trust.believe(await request.read())
        return json({"believed": [one.subject for one in new]})

    async def remove(self, request: web.Request) -> web.Response:
        """Believe an authority no longer, nor whom it vouched for."""
        return json({"forgotten": self._trust.disbelieve((await said(request))["thumbprint"])})


def _row(one: Certificate, now: datetime) -> dict[str, Any]:
    return facts(one, now) | {"hosts": []}
