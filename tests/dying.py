"""Hosts of the test's own process that die as SIGKILL ends a process.

From one moment on not a byte of the host reaches another one, and what is in its state folder then
is all that a restart finds.  What the test's process still does for it happens in another folder.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from crashing import NOT_STATE, changes
from daemons import Host
from pooltrust.tls import dial
from pooltrust.tls.frames import Frames


class Death:
    """Ends running hosts.  Make it before they start, so that it knows their connections."""

    def __init__(self, patch: pytest.MonkeyPatch, copies: Path) -> None:
        self.heard: Callable[[str], None] = lambda _: None
        """Told the address of a host that is about to send a message to another one."""
        self._patch = patch
        self._copies = copies
        self._gone: set[str] = set()
        self._open: WeakKeyDictionary[Frames, str] = WeakKeyDictionary()
        """Every connection with the address of the host whose end it is."""
        self._disk = threading.RLock()
        self._tearing: tuple[Host, Callable[[Host], None], asyncio.AbstractEventLoop] | None = None
        for change in changes(patch):
            change(self._one_at_a_time)
        self._know_connections()
        self._hold_messages()
        self._hold_dials()

    def copy(self, host: Host) -> Host:
        """The host as it would be found after a kill at this moment."""
        folder = self._copies / f"{host.config.name}-{len(list(self._copies.iterdir()))}"
        with self._disk:
            shutil.copytree(host.config.folder, folder, ignore=NOT_STATE)
        return host.configured(folder=folder, socket=folder / "pooltrust.sock")

    def cut(self, host: Host) -> None:
        """Let nothing of this host be heard any more."""
        self._gone.add(host.config.address)
        for frames, address in list(self._open.items()):
            if address == host.config.address:
                frames.abort()

    async def kill(self, host: Host) -> Host:
        """End this host; returns what a restart finds, not started."""
        copy = self.copy(host)
        self.cut(host)  # nothing has run since: the two are one moment
        await self.bury(host)
        return copy

    async def bury(self, host: Host) -> None:
        """Stop a host that was cut off; its address is free then."""
        await host.stop()
        self._gone.discard(host.config.address)

    def tear(self, host: Host, torn: Callable[[Host], None]) -> None:
        """End this host in the middle of its next write to its trust log.

        `torn` is told, on the event loop, what a restart finds; the host is still to be stopped.
        """
        self._tearing = host, torn, asyncio.get_running_loop()

    def spare(self) -> None:
        """Tear nothing any more."""
        self._tearing = None

    def _one_at_a_time(self, change: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        with self._disk:  # or a copy would mix two moments of one database
            if self._tearing and _is_sync_of(self._tearing[0].folder.log, arguments):
                self._tear()
            return change(*arguments, **named)

    def _tear(self) -> None:
        """In a worker thread, which goes on when nothing is heard of the host any more."""
        assert self._tearing
        (host, torn, loop), self._tearing = self._tearing, None
        copy, cut = self.copy(host), threading.Event()
        data = copy.folder.log.read_bytes()
        copy.folder.log.write_bytes(data[: -(len(data.splitlines()[-1]) // 2)])

        def at_once() -> None:
            self.cut(host)
            cut.set()
            torn(copy)

        loop.call_soon_threadsafe(at_once)
        cut.wait(10)

    def _know_connections(self) -> None:
        make = Frames.__init__

        def known(frames: Frames, *arguments: Any, **named: Any) -> None:
            make(frames, *arguments, **named)
            name = frames._writer.get_extra_info("sockname")
            self._open[frames] = str(name[0]) if name else ""

        self._patch.setattr(Frames, "__init__", known)

    def _hold_messages(self) -> None:
        send = Frames.send

        async def held(frames: Frames, frame: Any, **named: Any) -> None:
            address = self._open[frames]
            self.heard(address)
            if address in self._gone:
                raise frames._gone("this host is dead")
            await send(frames, frame, **named)

        self._patch.setattr(Frames, "send", held)

    def _hold_dials(self) -> None:
        connect = dial._Call._connect

        async def held(call: Any, *arguments: Any) -> Any:
            if {call.source, call.address} & self._gone:
                raise ConnectionRefusedError
            return await connect(call, *arguments)

        self._patch.setattr(dial._Call, "_connect", held)


def _is_sync_of(path: Path, arguments: tuple[Any, ...]) -> bool:
    """Whether these are the arguments of an fsync of this file."""
    if not arguments or not isinstance(arguments[0], int):
        return False
    return os.readlink(f"/proc/self/fd/{arguments[0]}") == str(path)
