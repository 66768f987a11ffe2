"""The console's server: on a loopback address, for one person's browser."""

from __future__ import annotations

import asyncio
import logging
import mimetypes
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aiohttp import web

from pooltrust.console.pools.hall import Hall
from pooltrust.console.trusting.trust import Trust
from pooltrust.console.web.answers import wrong
from pooltrust.console.web.asked import Asked
from pooltrust.console.web.believing import Believing
from pooltrust.console.web.door import EVENTS, Door, Handler
from pooltrust.console.web.stream import stream
from pooltrust.console.web.wishes import Wishes
from pooltrust.errors import Failure, Refused, failure

_log = logging.getLogger(__name__)
STATIC = Path(__file__).parent.parent / "static"
LARGEST = 4 * 1024 * 1024
"""Bytes of a request from the browser."""


@failure("CONSOLE_CANNOT_LISTEN", cure="Choose another port: pooltrust console --port N")
class NoPort(Refused):
    """The console can't listen on 127.0.0.1 port {port}: {why}."""

    port: int
    why: str


@dataclass(frozen=True, slots=True)
class Running:
    """A console that runs: `link` makes a new link, good for one browser."""

    link: Callable[[], str]
    hall: Hall


@asynccontextmanager
async def running(known: Path, port: int) -> AsyncIterator[Running]:
    """Serve until the context ends.  `port` 0: any that is free.  Raises NoPort."""
    hall = Hall(Trust(known))
    hosts: set[str] = set()
    door = Door(hosts)
    wishes = Wishes(known.with_name("console.json"))
    application = _application(door, hall, Asked(hall, wishes))
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        try:
            await site.start()
        except OSError as why:
            raise NoPort(port, why.strerror or str(why)) from why
        port = int(runner.addresses[0][1])
        hosts |= {f"127.0.0.1:{port}", f"localhost:{port}"}
        yield Running(lambda: f"http://127.0.0.1:{port}/?token={door.new_token()}", hall)
    finally:
        await hall.close()
        await runner.cleanup()


def _application(door: Door, hall: Hall, asked: Asked) -> web.Application:
    application = web.Application(middlewares=[door.guard, _faults], client_max_size=LARGEST)
    application.add_routes([*asked.routes(), *Believing(hall.trust).routes()])
    application.router.add_get(EVENTS, partial(stream, hall))
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            name = str(path.relative_to(STATIC))
            at = "/" if name == "index.html" else f"/{name}"
            application.router.add_get(at, _file(path))
    return application


@web.middleware
async def _faults(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except KeyError:
        return wrong("That server is not in the list any more.", "UUID_INVALID", 404)
    except Failure as why:
        return wrong(str(why), str(why.code))
    except web.HTTPException:
        raise
    except Exception:  # noqa: BLE001 - a defect is logged, and said in words
        _log.exception("%s %s", request.method, request.path)
        words = "The console failed in answering that.  Where it was started it says more."
        return wrong(words, "INTERNAL_ERROR", 500)


def _file(path: Path) -> Callable[[web.Request], Awaitable[web.Response]]:
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"

    async def answer(_: web.Request) -> web.Response:
        # Read at each request: the files are few and small, and a developer sees what is there.
        data = await asyncio.to_thread(path.read_bytes)
        charset = "utf-8" if kind.startswith("text/") else None
        return web.Response(body=data, content_type=kind, charset=charset)

    return answer
