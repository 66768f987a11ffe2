"""What happens, as it happens: server-sent events to one browser."""

from __future__ import annotations

import asyncio

from aiohttp import web

from pooltrust.console.pools.hall import Hall
from pooltrust.console.web.door import HEADERS

BEAT_SECONDS = 15.0
"""So often something is written, so that both sides notice that the other has gone."""


async def stream(hall: Hall, request: web.Request) -> web.StreamResponse:
    """Everything there is, then every change, until the browser goes or falls behind."""
    response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
    await response.prepare(request)
    with hall.listening() as listener:
        try:
            while True:
                try:
                    async with asyncio.timeout(BEAT_SECONDS):
                        said = await listener.next()
                except TimeoutError:
                    await response.write(b": still here\n\n")
                    continue
                if said is None:
                    return response
                await response.write(b"data: " + said + b"\n\n")
        except ConnectionError:
            return response
