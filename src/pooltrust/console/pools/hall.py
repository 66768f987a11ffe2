"""All the servers that the console was given, and who listens to what happens to them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from pooltrust.console.pools.place import Place
from pooltrust.console.pools.state import State
from pooltrust.console.trusting.trust import Trust

MOST_QUEUED = 2000
"""A browser that falls so far behind is cut off; it begins anew when it is back."""

Said = Mapping[str, Any]


class Hall:
    """Every server, by its id."""

    def __init__(self, trust: Trust) -> None:
        self.trust = trust
        self._places: dict[str, Place] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._listeners: set[asyncio.Queue[Said | None]] = set()
        self._ids = itertools.count(1)

    def __getitem__(self, id: str) -> Place:
        return self._places[id]

    def add(self, address: str, port: int, user: str, password: str) -> Place:
        """Begin to connect to a server; one that is there already gets the new password."""
        for place in self._places.values():
            state = place.state
            if (state.address, state.port, state.user) == (address, port, user):
                place.now(password)
                return place
        state = State(f"s{next(self._ids)}", address, port, user)
        place = Place(state, password, self.trust, self._tell)
        self._places[state.id] = place
        self._tasks[state.id] = asyncio.create_task(place.run(), name=f"server {state.id}")
        return place

    async def remove(self, id: str) -> None:
        """Disconnect a server and forget its password.  Raises KeyError."""
        place = self._places.pop(id)
        await place.log_out()
        await self._end(self._tasks.pop(id))
        self._tell({"kind": "gone", "id": id})

    async def close(self) -> None:
        """Disconnect all."""
        await asyncio.gather(*(place.log_out() for place in self._places.values()))
        for task in self._tasks.values():
            await self._end(task)
        for queue in self._listeners:
            queue.put_nowait(None)

    @staticmethod
    async def _end(task: asyncio.Task[None]) -> None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    def _tell(self, said: Said) -> None:
        for queue in list(self._listeners):
            if queue.qsize() >= MOST_QUEUED:
                self._listeners.discard(queue)
                queue.put_nowait(None)
            else:
                queue.put_nowait(said)

    @contextmanager
    def listening(self) -> Iterator[asyncio.Queue[Said | None]]:
        """A queue that begins with everything there is; None ends it."""
        queue: asyncio.Queue[Said | None] = asyncio.Queue()
        for said in self._everything():
            queue.put_nowait(said)
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)

    def _everything(self) -> Iterator[Said]:
        yield {"kind": "begin"}
        for place in self._places.values():
            yield {"kind": "place", "place": place.shown()}
            changes = [
                {"class": kind, "ref": ref, "record": record}
                for kind, records in place.mirror.objects.items()
                for ref, record in records.items()
            ]
            yield {"kind": "objects", "id": place.state.id, "all": True, "changes": changes}
