"""How a joiner and a coordinator prove a shared secret without sending it.

Two ways, one shape: a join code's secret (HMAC over the transcript, the coordinator's first), or an
account's password (SCRAM-SHA-256 bound to the transcript, RFC 5802).  A man in the middle has other
certificates, so another transcript, and neither proof holds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from pooltrust.errors import CannotVerify, Failure, SessionAuthenticationFailed
from pooltrust.host.accounts.local import Accounts
from pooltrust.host.accounts.logins import Logins
from pooltrust.host.accounts.subjects import Subjects
from pooltrust.host.peers import wire
from pooltrust.pki.certificate import Certificate
from pooltrust.pool.code import CodeLedger, JoinCode
from pooltrust.terms import PoolId
from pooltrust.trust.transcript import code_proof, same_proof

if TYPE_CHECKING:
    from pooltrust.host.accounts.scram import ScramClient, ScramServer

REMEDY = (
    "Somebody may be in between, or the address leads to another pool.  Make a new join code on "
    "the coordinator: xe pool-join-code-create"
)


class JoinerProof(Protocol):
    """The joiner's half of one way."""

    way: str
    pool: PoolId | None
    """The pool that is expected, if it is known."""

    def opening(self) -> wire.Frame:
        """What names the way in the first frame; nothing secret."""

    def begin(self, agreed: bytes) -> wire.Frame:
        """What goes with the introduction.  `agreed`: the transcript, 32 bytes."""

    async def answer(self, challenge: wire.Frame, met: Certificate) -> wire.Frame:
        """Our proof, once the coordinator's challenge (or proof) was checked."""

    def finish(self, answer: wire.Frame, met: Certificate) -> None:
        """Check the coordinator's last word."""


class ByCode:
    """Prove a join code."""

    way = "code"

    def __init__(self, code: JoinCode) -> None:
        self.pool: PoolId | None = code.pool
        self._code = code
        self._agreed = b""

    def opening(self) -> wire.Frame:
        """The code's public name."""
        return {"way": self.way, "code": self._code.id}

    def begin(self, agreed: bytes) -> wire.Frame:
        """Nothing: the coordinator proves itself first."""
        self._agreed = agreed
        return {}

    async def answer(self, challenge: wire.Frame, met: Certificate) -> wire.Frame:
        """Check the coordinator's proof, then give ours."""
        expected = code_proof(self._code.secret, "coordinator", self._agreed)
        if not same_proof(expected, wire.raw(challenge, "proof", limit=32)):
            raise CannotVerify(
                "it does not know the secret of the join code",
                expected="the coordinator that made the join code",
                met=f"certificate {met.thumbprint}",
                remedy=REMEDY,
                certificate=met.thumbprint,
            )
        return {"proof": wire.b64(code_proof(self._code.secret, "joiner", self._agreed))}

    def finish(self, answer: wire.Frame, met: Certificate) -> None:
        """The coordinator proved itself before."""


class ByPassword:
    """Prove an account's password."""

    way = "password"

    def __init__(self, username: str, password: str) -> None:
        self.pool: PoolId | None = None
        self._username = username
        self._password = password
        self._scram: ScramClient | None = None

    def opening(self) -> wire.Frame:
        """Only the way: the user is named inside SCRAM."""
        return {"way": self.way}

    def begin(self, agreed: bytes) -> wire.Frame:
        """SCRAM's client-first message."""
        from pooltrust.host.accounts.scram import ScramClient  # most daemons never need it

        self._scram = ScramClient(self._username, self._password, agreed)
        return {"scram": self._scram.first()}

    async def answer(self, challenge: wire.Frame, met: Certificate) -> wire.Frame:
        """SCRAM's client-final message; deriving the key takes a worker thread's time."""
        return {"scram": await self._client().final(wire.text(challenge, "scram"))}

    def finish(self, answer: wire.Frame, met: Certificate) -> None:
        """Check that the coordinator knows the password's verifier too."""
        try:
            self._client().finish(wire.text(answer, "scram"))
        except Failure as why:
            raise CannotVerify(
                "it does not know the account's password",
                expected="the coordinator of a pool with this account",
                met=f"certificate {met.thumbprint}",
                remedy=REMEDY,
                certificate=met.thumbprint,
            ) from why

    def _client(self) -> ScramClient:
        if self._scram is None:
            raise RuntimeError("the proof was not begun")
        return self._scram


class HostProof(Protocol):
    """The coordinator's half of one way.  `by` says who was proved, for the log."""

    way: str
    by: str

    def challenge(self, introduction: wire.Frame, agreed: bytes) -> wire.Frame:
        """What answers the introduction."""

    def accept(self, frame: wire.Frame) -> wire.Frame:
        """Check the joiner's proof and say our last word.  Raises what the joiner is told."""

    def use(self) -> None:
        """The joiner is being admitted by this proof.  Raises what says that it is spent."""

    def give_back(self) -> None:
        """The joiner was not admitted after all."""


class CodeProof:
    """Check a joiner's proof of a code.  `good` is called before each check; see `CodeLedger`."""

    way = "code"

    def __init__(self, ledger: CodeLedger, good: Callable[[], JoinCode]) -> None:
        self.code = good()
        self.by = f"join code {self.code.id}"
        self._ledger = ledger
        self._good = good
        self._agreed = b""

    def challenge(self, introduction: wire.Frame, agreed: bytes) -> wire.Frame:
        """Our proof, which comes first."""
        self._agreed = agreed
        return {"proof": wire.b64(code_proof(self.code.secret, "coordinator", agreed))}

    def accept(self, frame: wire.Frame) -> wire.Frame:
        """Check the joiner's; a wrong one is counted against the code."""
        self._good()  # other meetings may have used it up since this one began
        expected = code_proof(self.code.secret, "joiner", self._agreed)
        if not same_proof(expected, wire.raw(frame, "proof", limit=32)):
            self._ledger.proved_badly(self.code.id)
            raise SessionAuthenticationFailed(self.by, "the proof of the join code is wrong")
        return {}

    def use(self) -> None:
        """Raises a JoinCodeVoid if it was used, locked or has expired since it was proved."""
        self._good()
        self._ledger.use(self.code.id)

    def give_back(self) -> None:
        """The code can be used again."""
        self._ledger.give_back(self.code.id)


class PasswordProof:
    """Check a joiner's proof of a password, from one origin; wrong ones make that origin wait."""

    way = "password"

    def __init__(self, accounts: Accounts, logins: Logins, subjects: Subjects, origin: str) -> None:
        self.by = ""
        self._accounts = accounts
        self._logins = logins
        self._subjects = subjects
        self._origin = origin
        self._scram: ScramServer | None = None

    def challenge(self, introduction: wire.Frame, agreed: bytes) -> wire.Frame:
        """SCRAM's server-first message."""
        from pooltrust.host.accounts.scram import ScramServer  # most daemons never need it

        self._scram = ScramServer(self._accounts.verifier, agreed)
        return {"scram": self._scram.first(wire.text(introduction, "scram"))}

    def accept(self, frame: wire.Frame) -> wire.Frame:
        """SCRAM's server-final message, if the proof holds."""
        if self._scram is None:
            raise wire.PeerMisspoke("a proof before its challenge")
        proof = wire.text(frame, "scram")
        final = self._logins.check_proof(self._scram, proof, self._origin)
        self._subjects.check_may_admit(self._scram.username)
        self.by = self._scram.username
        return {"scram": final}

    def use(self) -> None:
        """A password is never spent; but what its user may do can have changed since."""
        self._subjects.check_may_admit(self.by)

    def give_back(self) -> None:
        """Nothing was taken."""
