"""All the servers that the console was given, and who listens to what happens to them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import orjson

from pooltrust.console.pools.place import Place
from pooltrust.console.pools.state import State
from pooltrust.console.trusting.trust import Trust

MOST_QUEUED = 2000
MOST_BYTES = 32 * 1024 * 1024
"""A browser that falls so far behind is cut off; it begins anew when it is back."""

Said = Mapping[str, Any]


class Listener:
    """What one browser is still to be told."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[bytes | Said | None] = asyncio.Queue()
        self._bytes = 0

    def begin(self, said: Said) -> None:
        """Have it told what there is; that is shared with the pools, and takes no room."""
        self._queue.put_nowait(said)

    def tell(self, data: bytes) -> bool:
        """Have it told a change, as JSON.  False if it has fallen too far behind."""
        behind = self._queue.qsize() >= MOST_QUEUED or self._bytes + len(data) > MOST_BYTES
        if behind and not self._queue.empty():
            return False
        self._bytes += len(data)
        self._queue.put_nowait(data)
        return True

    def end(self) -> None:
        """It is told nothing more, what was still to be told neither."""
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def next(self) -> bytes | None:
        """The next thing to be told, as JSON; None at the end."""
        said = await self._queue.get()
        if isinstance(said, bytes):
            self._bytes -= len(said)
            return said
        return None if said is None else orjson.dumps(said)


class Hall:
    """Every server, by its id."""

    def __init__(self, trust: Trust) -> None:
        self.trust = trust
        self._places: dict[str, Place] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._listeners: set[Listener] = set()
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
        for one in self._listeners:
            one.end()

    @staticmethod
    async def _end(task: asyncio.Task[None]) -> None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    def _tell(self, said: Said) -> None:
        if not self._listeners:
            return
        data = orjson.dumps(said)
        for one in list(self._listeners):
            if not one.tell(data):
                self._listeners.discard(one)
                one.end()

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        """A listener that is told everything there is first."""
        one = Listener()
        for said in self._everything():
            one.begin(said)
        self._listeners.add(one)
        try:
            yield one
        finally:
            self._listeners.discard(one)

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
