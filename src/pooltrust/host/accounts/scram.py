"""Proving a password at a first meeting without sending it: SCRAM-SHA-256-PLUS (RFC 5802, 7677).

Both sides give T, the 32 bytes that name this one meeting: the pool, both sides' certificates and
nonces, each of which its owner signed.  T goes in as the channel binding data.  RFC 5056 asks of a
unique channel binding that no two channels share it and that both ends see the same; T is that for
our meetings, as `tls-unique` is for TLS 1.2 connections.  The library knows names of TLS only, so T
travels under the name `tls-unique`; nobody but these two classes ever reads that word.

A man in the middle has other certificates, so another T: the server refuses it and the client never
sees the server's proof.  What SCRAM does not promise: whoever answers in the server's place gets a
proof to guess the password from offline, at `least_iterations` rounds a guess.  So a short password
deserves a join code instead.

Messages are text; nothing here opens a connection.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections.abc import Callable

from scramp import core
from scramp.utils import ScramException, ServerError

from pooltrust.errors import CannotVerify, SessionAuthenticationFailed
from pooltrust.host.accounts.verifier import Verifier, prepared

LONGEST_MESSAGE = 2048
"""Bytes of one message; a user name of 255 characters fits."""

LEAST_ITERATIONS = 100_000
MOST_ITERATIONS = 5_000_000
SALT_BYTES = range(12, 65)
"""What a client accepts from a server that has proved nothing yet."""

MECHANISM = "SCRAM-SHA-256-PLUS"
BINDING = "tls-unique"

_SERVER_FIRST = re.compile(
    r"r=[!-+\--~]{1,512},s=(?P<salt>[A-Za-z0-9+/=]{1,128}),i=(?P<iterations>[1-9][0-9]{0,9})"
)


class ScramServer:
    """The side that has the verifiers: `first`, then `final`.  For one attempt.

    `lookup` gives the verifier of a user name, for unknown users too (see `Accounts.verifier`).
    """

    def __init__(self, lookup: Callable[[str], Verifier], transcript: bytes) -> None:
        self.username = ""
        self._lookup = lookup
        mechanism = core.ScramMechanism(MECHANISM)
        self._server = mechanism.make_server(self._found, _binding(transcript))

    def first(self, client_first: str) -> str:
        """Answer the client's first message.  Raises SessionAuthenticationFailed, CannotVerify."""
        try:
            self._server.set_client_first(_bounded(client_first))
            return _text(self._server.get_server_first())
        except (ScramException, ValueError) as why:
            raise self._refusal(why) from why

    def final(self, client_final: str) -> str:
        """Check the client's proof and give the server's.

        Raises SessionAuthenticationFailed for a wrong password or an unknown user (alike), and
        CannotVerify if the two sides are not in one meeting.
        """
        try:
            self._server.set_client_final(_bounded(client_final))
            return _text(self._server.get_server_final())
        except (ScramException, ValueError) as why:
            raise self._refusal(why) from why

    def _found(self, username: str) -> tuple[bytes, bytes, bytes, int]:
        self.username = username
        verifier = self._lookup(username)
        return verifier.salt, verifier.stored_key, verifier.server_key, verifier.iterations

    def _refusal(self, why: Exception) -> CannotVerify | SessionAuthenticationFailed:
        wrong = getattr(why, "server_error", None)
        if wrong is ServerError.CHANNEL_BINDINGS_DONT_MATCH:
            return CannotVerify(
                "it proves a password for another meeting than this one",
                expected="the joiner of this connection",
                met="somebody who repeats another connection",
                remedy="Somebody may sit between the two hosts: join with a code.",
            )
        if wrong is ServerError.INVALID_PROOF:
            return SessionAuthenticationFailed(self.username)
        return SessionAuthenticationFailed(self.username, "The proof of the password is malformed")


class ScramClient:
    """The side that knows the password: `first`, `final`, `finish`.  For one attempt.

    Only after `finish` may anything else be said to the server.  Raises PasswordRejected for a
    password that no account can have, SessionAuthenticationFailed for such a user name.
    """

    def __init__(
        self,
        username: str,
        password: str,
        transcript: bytes,
        *,
        least_iterations: int = LEAST_ITERATIONS,
    ) -> None:
        self._username = username
        self._least = least_iterations
        prepared(password)
        binding = _binding(transcript)
        try:
            self._client = core.ScramClient([MECHANISM], username, password, binding)
        except ScramException as why:
            raise SessionAuthenticationFailed(username) from why

    def first(self) -> str:
        """The first message."""
        return _text(self._client.get_client_first())

    async def final(self, server_first: str) -> str:
        """The proof, derived in a worker thread.

        Raises CannotVerify for an answer that a host of ours would not give: few iterations would
        make it cheap to guess the password from the proof, many would keep this host busy.
        """
        try:
            self._check(_bounded(server_first))
            self._client.set_server_first(server_first)
            return _text(await asyncio.to_thread(self._client.get_client_final))
        except (ScramException, ValueError) as why:
            raise _impostor(str(why)) from why

    def finish(self, server_final: str) -> None:
        """Check the server's proof.

        Raises CannotVerify unless the server knows this user's verifier and the same meeting.
        """
        try:
            self._client.set_server_final(_bounded(server_final))
        except (ScramException, ValueError) as why:
            raise _impostor("it did not prove that it knows the account") from why

    def _check(self, server_first: str) -> None:
        found = _SERVER_FIRST.fullmatch(server_first)
        if not found:
            raise ValueError("its answer is malformed")
        iterations = int(found["iterations"])
        if not self._least <= iterations <= MOST_ITERATIONS:
            allowed = f"{self._least} to {MOST_ITERATIONS}"
            raise ValueError(f"it asks for {iterations} iterations, allowed are {allowed}")
        try:
            size = len(base64.b64decode(found["salt"], validate=True))
        except binascii.Error as why:
            raise ValueError("its salt is not base64") from why
        if size not in SALT_BYTES:
            raise ValueError(f"its salt has {size} bytes")


def _binding(transcript: bytes) -> tuple[str, bytes]:
    if len(transcript) != 32:
        raise ValueError("a transcript has 32 bytes")
    return BINDING, transcript


def _bounded(message: str) -> str:
    if not isinstance(message, str):
        raise ValueError("its message is not a text")
    if len(message.encode(errors="surrogatepass")) > LONGEST_MESSAGE:
        raise ValueError("its message is too long")
    return message


def _text(message: object) -> str:
    return str(message)


def _impostor(why: str) -> CannotVerify:
    return CannotVerify(
        why,
        expected="a coordinator that knows this account",
        met="somebody else",
        remedy="Check the user name and the password; if they are right, join with a code.",
    )
