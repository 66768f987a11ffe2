"""The accounts of this pool that live in its own store, and whether a password is an account's.

It waits, but never hashes on the event loop: one worker thread derives one verifier at a time, so
that a flood of logins costs one core and little memory.  Who may try how often is in logins.py,
what an account may do in subjects.py.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import re
import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from pooltrust.errors import PasswordRejected
from pooltrust.host.accounts.remembered import Remembered
from pooltrust.host.accounts.verifier import ITERATIONS, Verifier, prepared
from pooltrust.host.records.guarded import Guarded
from pooltrust.host.records.store import Change

ADMINISTRATOR = "root"
"""The account that is there from the beginning: it may do everything."""

TABLE = "accounts"
SECRETS = "account_secrets"
UNKNOWN = "unknown"
"""The row of SECRETS from which the verifiers of accounts that don't exist are made."""

REMEMBERED_FOR = 300.0
"""Seconds for which a right password need not be derived again."""

LONGEST_NAME = 64
"""Characters of a user's name."""

_NAME = re.compile(rf"[A-Za-z0-9_@+$][A-Za-z0-9_@+$.-]{{0,{LONGEST_NAME - 1}}}")


class Accounts:
    """Local accounts over a store.

    `monotonic` gives seconds; `iterations` are those of new verifiers.
    """

    at_once = 1

    def __init__(
        self,
        guarded: Guarded,
        *,
        iterations: int = ITERATIONS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._guarded = guarded
        self._store = guarded.store
        self._iterations = iterations
        self._monotonic = monotonic
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="passwords")
        self._remembered = Remembered(REMEMBERED_FOR)
        self._own_unknown = secrets.token_bytes(32)

    async def verify(self, username: str, password: str, origin: str | None = None) -> bool:
        """Whether this is the user's password; takes as long for a user who does not exist."""
        verifier = self.verifier(username)
        try:
            candidate = prepared(password)
        except PasswordRejected:
            candidate = b""  # costs what every other wrong one costs
        loop = asyncio.get_running_loop()
        matches = await loop.run_in_executor(self._worker, verifier.matches, candidate)
        if matches and candidate:
            self._remembered.keep(self._monotonic(), *_parts(username, candidate, verifier))
        # Not if it was changed meanwhile: whose sessions were ended must not open one now.
        return matches and bool(candidate) and self.verifier(username) == verifier

    def remembers(self, username: str, password: str) -> bool:
        """Whether this was found right a short while ago, and still is: it costs nothing."""
        try:
            candidate = prepared(password)
        except PasswordRejected:
            return False
        parts = _parts(username, candidate, self.verifier(username))
        return self._remembered.knows(self._monotonic(), *parts)

    async def set_password(self, username: str, password: str) -> None:
        """Make this the account's password; the account too, if there is none.

        Raises PasswordRejected, and what a guarded change raises.
        """
        check_name(username)
        verifier = await self.derived(password)
        await self._guarded.change(lambda: self.with_verifier(username, verifier))

    async def derived(self, password: str) -> Verifier:
        """The verifier of a new password.  Raises PasswordRejected."""
        salt = secrets.token_bytes(16)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._worker, Verifier.derive, prepared(password), salt, self._iterations
        )

    def with_verifier(self, username: str, verifier: Verifier | None) -> Sequence[Change]:
        """The changes that give an account this verifier; with None nobody can log in with it.

        At the first one, the secret for unknown users comes with it.
        """
        changes = [Change(TABLE, username, verifier.row() if verifier else {})]
        if self._store.get(SECRETS, UNKNOWN) is None:
            value = base64.b64encode(self._own_unknown).decode()
            changes.append(Change(SECRETS, UNKNOWN, {"value": value}))
        return changes

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
                pass  # without a password, or damaged: it lets nobody in
        seed = hmac.digest(self._unknown(), username.encode(errors="surrogatepass"), "sha256")
        nobody = secrets.token_bytes(32)
        return Verifier(seed[:16], self._iterations, nobody, nobody)

    def close(self) -> None:
        """Let the worker go."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _unknown(self) -> bytes:
        row = self._store.get(SECRETS, UNKNOWN)
        try:
            return base64.b64decode(row["value"], validate=True) if row else self._own_unknown
        except (binascii.Error, KeyError, TypeError):
            return self._own_unknown


def _parts(username: str, candidate: bytes, verifier: Verifier) -> tuple[bytes, ...]:
    """Who, which password and which verifier: another verifier, no memory."""
    return username.encode(errors="surrogatepass"), verifier.stored_key, candidate


def check_name(username: str) -> None:
    """Raises PasswordRejected for a name that no account can have.

    Without spaces: the trust log writes "root via h2" for somebody on whose name another host
    stands.  In ASCII: nobody is to look like somebody else there.
    """
    if not _NAME.fullmatch(username):
        raise PasswordRejected(
            f"a user name has 1 to {LONGEST_NAME} plain letters, digits and ._-@+$"
        )
