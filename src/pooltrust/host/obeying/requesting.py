"""Having an authority sign this host's server identity without the key ever leaving.

The host makes key and request and keeps both, 0400, across restarts; the signed answer comes back
later and is judged like anything that is installed.  A second request, or a reset of the server
identity, replaces it; a host that is ejected deletes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from pooltrust.api.classes.certificates.requests import NoRequest
from pooltrust.api.sessions import Caller
from pooltrust.errors import InvalidValue
from pooltrust.host.configuration.config import Config
from pooltrust.host.founding import server_names
from pooltrust.host.obeying.server_identity import ServerIdentity
from pooltrust.host.telling.journal import Journal
from pooltrust.pki.mint import KeyKind, new_key
from pooltrust.pki.names import BadName
from pooltrust.pki.offered.leaf import Installable, server_identity
from pooltrust.pki.offered.refusals import KeyMismatch
from pooltrust.pki.offered.request import BadRequest, Request
from pooltrust.trust.store import delete_identity, replace_file
from pooltrust.trust.store.files import storing

LONGEST_FILE = 64 * 1024


class Requesting:
    """The one request of this host.  `now`: UTC."""

    def __init__(
        self,
        file: Path,
        config: Config,
        served: ServerIdentity,
        journal: Journal,
        now: Callable[[], datetime],
    ) -> None:
        self._file = file
        self._config = config
        self._served = served
        self._journal = journal
        self._now = now
        self._one = asyncio.Lock()
        served.forget = self.discard

    async def create(self, names: Sequence[str], kind: str, caller: Caller) -> str:
        """Make a key and a request for this host's names, and these; returns the request in PEM.

        Raises InvalidValue, CannotStore.
        """
        async with self._one:
            request = await asyncio.to_thread(self._made, names, kind)
            await asyncio.to_thread(self._write, request)
        self._journal.event("certificate-requested", by=caller.user)
        return request.text()

    async def pending(self) -> str:
        """The request that waits for its answer, in PEM; empty if there is none."""
        request = await asyncio.to_thread(self._read)
        return request.text() if request else ""

    async def install(self, leaf: str, chain: str, caller: Caller) -> tuple[str, Sequence[str]]:
        """Serve clients the answer; returns its thumbprint and what its user should know.

        Raises NoRequest, and as the installation of any identity does.
        """
        async with self._one:
            request = await asyncio.to_thread(self._read)
            if request is None:
                raise NoRequest(self._config.name)
            judged = await asyncio.to_thread(self._judged, request, leaf, chain)
            await self._served.install(judged.identity, by=caller.user, call=caller.call)
            await asyncio.to_thread(delete_identity, self._file)
        for warning in judged.warnings:
            self._journal.warning("server-identity-installed", words=warning)
        return str(judged.identity.certificate.thumbprint), judged.warnings

    async def discard(self) -> None:
        """Delete key and request; twice is once.  Raises CannotStore."""
        async with self._one:
            await asyncio.to_thread(delete_identity, self._file)

    async def open(self) -> None:
        """A request whose answer was installed just before this host was killed is over."""
        request = await asyncio.to_thread(self._read)
        if request is not None and request.spki == self._served.served.certificate.spki:
            await self.discard()

    def _made(self, names: Sequence[str], kind: str) -> Request:
        config = self._config
        try:
            key = new_key(KeyKind(kind) if kind else config.server_key)
        except ValueError as why:
            raise InvalidValue("key", kind) from why
        asked = list(dict.fromkeys([*server_names(config), *names]))
        try:
            return Request.made(key, asked, [config.address])
        except BadName as why:
            raise InvalidValue("names", str(why)) from why

    def _judged(self, request: Request, leaf: str, chain: str) -> Installable:
        config = self._config
        names = (*server_names(config), config.address)
        try:
            return server_identity(leaf, request.key(), chain, now=self._now(), names=names)
        except KeyMismatch as why:
            raise KeyMismatch(", not for the one that this host asked with last") from why

    def _write(self, request: Request) -> None:
        with storing(self._file):
            replace_file(self._file, request.pem().encode("ascii"), 0o400)

    def _read(self) -> Request | None:
        try:
            with self._file.open("rb") as file:
                return Request.read(file.read(LONGEST_FILE).decode("ascii"))
        except FileNotFoundError:
            return None
        except (BadRequest, ValueError, OSError) as why:
            self._journal.error("certificate-request", words=f"{self._file}: {why}")
            return None
