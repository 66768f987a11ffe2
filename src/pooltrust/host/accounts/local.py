"""The accounts of this pool that live in its own store, and checking a password against them.

It waits, but never hashes on the event loop: one worker thread derives one verifier at a time, so
that a flood of logins costs one core and little memory.  What an account may do is not its matter.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import math
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

from pooltrust.errors import PasswordRejected, SessionAuthenticationFailed
from pooltrust.host.accounts.origins import Origins
from pooltrust.host.accounts.verifier import ITERATIONS, Verifier, prepared
from pooltrust.host.records.store import Change, Stale, Store

if TYPE_CHECKING:
    from pooltrust.host.accounts.scram import ScramServer

TABLE = "accounts"
SECRETS = "account_secrets"
UNKNOWN = "unknown"
"""The row of SECRETS from which the verifiers of accounts that don't exist are made."""

REMEMBERED_FOR = 300.0
"""Seconds for which a right password need not be derived again."""

MOST_WAITING = 100
"""Logins that may wait for the worker; one more is told to come again."""


class Keeper(Protocol):
    """Sees to it that a change of an account outlives this host."""

    def may_change(self) -> None:
        """Raise a Failure if a change made here now would not count."""

    async def held(self) -> None:
        """Return when enough members hold the change.  Raises a Suspended if too few do."""


class Accounts:
    """Local accounts over a `Store`.

    `monotonic` gives seconds; `iterations` are those of new verifiers.  `keeper`: who is asked
    before a change, and waited for before it is said to be done.
    """

    keeper: Keeper | None = None

    def __init__(
        self,
        store: Store,
        *,
        iterations: int = ITERATIONS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._iterations = iterations
        self._monotonic = monotonic
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="passwords")
        self._turn = asyncio.Semaphore(1)
        self._waiting = 0
        self._key = secrets.token_bytes(32)
        self._remembered: dict[bytes, float] = {}
        self._own_unknown = secrets.token_bytes(32)
        self.origins = Origins()

    async def login(self, username: str, password: str, origin: str | None) -> None:
        """Let somebody in from an origin (IP address; None for the Unix socket).

        Raises SessionAuthenticationFailed: for a wrong password, an unknown user (alike), an
        origin that must wait first, and when too many logins wait already.
        """
        self._may_try(username, origin)
        if not self._is_remembered(username, password):
            await self._take_turn(username, password, origin)
        self.origins.succeeded(origin)

    async def verify(self, username: str, password: str) -> bool:
        """Whether this is the user's password; takes as long for a user who does not exist."""
        if self._is_remembered(username, password):
            return True
        async with self._turn:
            return await self._derive(username, password)

    def check_proof(self, server: ScramServer, client_final: str, origin: str | None) -> str:
        """`ScramServer.final`, counted against its origin like a login.

        Make the server with this object's `verifier`.  Raises what `final` raises.
        """
        # Here and not at the first message: however many meetings an origin has open, its guesses
        # are counted one by one.
        self._may_try(server.username, origin)
        try:
            answer = server.final(client_final)
        except SessionAuthenticationFailed:
            self.origins.failed(origin, self._monotonic())
            raise
        self.origins.succeeded(origin)
        return answer

    async def set_password(self, username: str, password: str) -> None:
        """Make this the account's password; the account too, if there is none.

        Raises PasswordRejected, CannotStore, and what `keeper` raises: after RecordsNotHeld the
        password is changed here, but a takeover may lose that.
        """
        _check_name(username)
        salt = secrets.token_bytes(16)
        loop = asyncio.get_running_loop()
        verifier = await loop.run_in_executor(
            self._worker, Verifier.derive, prepared(password), salt, self._iterations
        )
        await self._change(Change(TABLE, username, verifier.row()))

    async def remove(self, username: str) -> None:
        """Nobody can log in as this user any more.  Raises as `set_password`."""
        await self._change(Change(TABLE, username, None))

    def names(self) -> list[str]:
        """Every account, by name."""
        return sorted(self._store.rows(TABLE))

    def verifier(self, username: str) -> Verifier:
        """The account's verifier; for an unknown user one that no password has.

        That one's salt is always the same for one name, on every member, so that an outsider who
        asks for it (SCRAM shows the salt) can't tell the two apart.  Its iterations are those of
        new verifiers: an account that still has an older number does show.
        """
        row = self._store.get(TABLE, username)
        if row is not None:
            try:
                return Verifier.from_row(row)
            except (ValueError, KeyError, TypeError):
                pass  # a damaged record lets nobody in
        seed = hmac.digest(self._unknown(), username.encode(errors="surrogatepass"), "sha256")
        nobody = secrets.token_bytes(32)
        return Verifier(seed[:16], self._iterations, nobody, nobody)

    def close(self) -> None:
        """Let the worker go."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _may_try(self, username: str, origin: str | None) -> None:
        wait = math.ceil(self.origins.wait(origin, self._monotonic()))
        if wait:
            why = f"Too many wrong passwords came from this address: try again in {wait} s"
            raise SessionAuthenticationFailed(username, why)

    async def _take_turn(self, username: str, password: str, origin: str | None) -> None:
        if self._waiting >= MOST_WAITING:
            why = f"{MOST_WAITING} logins are being checked already: try again in a minute"
            raise SessionAuthenticationFailed(username, why)
        self._waiting += 1
        try:
            async with self._turn:
                # Again: the same origin's guesses before this one have been counted meanwhile, and
                # another login may have brought the same password.
                self._may_try(username, origin)
                if self._is_remembered(username, password):
                    return
                if not await self._derive(username, password):
                    self.origins.failed(origin, self._monotonic())
                    raise SessionAuthenticationFailed(username)
        finally:
            self._waiting -= 1

    async def _derive(self, username: str, password: str) -> bool:
        verifier = self.verifier(username)
        try:
            candidate = prepared(password)
        except PasswordRejected:
            candidate = b""  # costs what every other wrong one costs
        loop = asyncio.get_running_loop()
        matches = await loop.run_in_executor(self._worker, verifier.matches, candidate)
        if matches and candidate:
            self._remember(self._mark(username, candidate, verifier))
        return matches and bool(candidate)

    def _is_remembered(self, username: str, password: str) -> bool:
        try:
            mark = self._mark(username, prepared(password), self.verifier(username))
        except PasswordRejected:
            return False
        # The mark is keyed and no outsider can choose its bytes, so looking it up tells nothing.
        return self._remembered.get(mark, -math.inf) > self._monotonic()

    def _remember(self, mark: bytes) -> None:
        now = self._monotonic()
        self._remembered = {m: until for m, until in self._remembered.items() if until > now}
        self._remembered[mark] = now + REMEMBERED_FOR

    def _mark(self, username: str, candidate: bytes, verifier: Verifier) -> bytes:
        """A keyed hash of who, which password and which verifier: another verifier, no memory."""
        name = username.encode(errors="surrogatepass")
        parts = (name, verifier.stored_key, candidate)
        message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.digest(self._key, message, "sha256")

    def _unknown(self) -> bytes:
        row = self._store.get(SECRETS, UNKNOWN)
        try:
            return base64.b64decode(row["value"], validate=True) if row else self._own_unknown
        except (binascii.Error, KeyError, TypeError):
            return self._own_unknown

    async def _change(self, change: Change) -> None:
        """Append this change, and at the first one the secret for unknown users with it."""
        while True:
            if self.keeper is not None:
                self.keeper.may_change()
            changes = [change]
            if self._store.get(SECRETS, UNKNOWN) is None:
                value = base64.b64encode(self._own_unknown).decode()
                changes.append(Change(SECRETS, UNKNOWN, {"value": value}))
            try:
                await self._store.append(self._store.revision, changes)
            except Stale:
                continue
            if self.keeper is not None:
                await self.keeper.held()
            return


def _check_name(username: str) -> None:
    """SCRAM brings a name in its prepared form, so an account must be called by that one."""
    refusal = PasswordRejected("a user name has 1 to 255 printable characters in their plain form")
    try:
        plain = prepared(username) == username.encode()
    except (PasswordRejected, UnicodeEncodeError) as why:
        raise refusal from why
    if not plain or len(username) > 255 or not username.isprintable():
        raise refusal
