"""Join codes: what an administrator carries from the coordinator to a joiner.

A code names whom to expect (pool, coordinator's certificate, addresses) and holds a one-time
secret of 128 bits that both sides prove and neither sends.  Values and a ledger in memory; no
clock, no disk.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from pooltrust.errors import Refused, failure
from pooltrust.terms import HostId, PoolId, Thumbprint
from pooltrust.trust import canonical

PREFIX = "pooltrust-join-"
SECRET_BYTES = 16
MOST_BAD_PROOFS = 5
MOST_CODES = 1000
MOST_ADDRESSES = 16


@failure("JOIN_CODE_INVALID", cure="Copy the whole code, in one line.")
class BadJoinCode(Refused):
    """This is no join code: {why}."""

    why: str


class JoinCodeVoid(Refused):
    """A code that was good once and is not any more."""


ANOTHER = "Make another on the coordinator: xe pool-join-code-create"


@failure("JOIN_CODE_UNKNOWN", cure=ANOTHER)
class JoinCodeUnknown(JoinCodeVoid):
    """The coordinator knows no such join code; codes do not outlive its daemon."""


@failure("JOIN_CODE_USED", cure=ANOTHER)
class JoinCodeUsed(JoinCodeVoid):
    """This join code was used by another host already; each is good for one."""


@failure("JOIN_CODE_EXPIRED", cure=ANOTHER)
class JoinCodeExpired(JoinCodeVoid):
    """This join code expired at {expired}."""

    expired: str


@failure("JOIN_CODE_LOCKED", cure=ANOTHER)
class JoinCodeLocked(JoinCodeVoid):
    """This join code is void after five wrong proofs of its secret: somebody was guessing."""


@failure("JOIN_CODE_STALE", cure=ANOTHER)
class JoinCodeStale(JoinCodeVoid):
    """This join code is void: {why}."""

    why: str


@dataclass(frozen=True, slots=True)
class JoinCode:
    """One code.  `secret` never shows in its repr; `expires` is UTC."""

    id: str
    pool: PoolId
    thumbprint: Thumbprint
    addresses: tuple[str, ...]
    port: int
    secret: bytes = field(repr=False)
    expires: datetime

    def text(self) -> str:
        """The code as one word, to be shown once and carried by hand."""
        content = canonical.encode(
            {
                "addresses": list(self.addresses),
                "expires": int(self.expires.timestamp()),
                "id": self.id,
                "pool": self.pool,
                "port": self.port,
                "secret": self.secret.hex(),
                "thumbprint": self.thumbprint.digest.hex(),
            }
        )
        return PREFIX + _packed(content + _check(content))

    @classmethod
    def parse(cls, text: str) -> JoinCode:
        """Read a code.  Raises BadJoinCode."""
        word = "".join(text.split())
        if not word.startswith(PREFIX) or len(word) > 4096:
            raise BadJoinCode(f'a join code begins with "{PREFIX}"')
        packed = word.removeprefix(PREFIX)
        try:
            raw = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
            content, check = raw[:-4], raw[-4:]
            # Python's decoder passes over letters that are none of base64's, and spare bits.
            if check != _check(content) or _packed(raw) != packed:
                raise BadJoinCode("some of its letters were changed or lost")
            return _from(canonical.decode(content, limit=4096, depth=3))
        except (binascii.Error, ValueError, KeyError, TypeError, OverflowError) as why:
            raise BadJoinCode("it was cut or changed") from why


@dataclass(frozen=True, slots=True)
class _Issued:
    code: JoinCode
    coordinator: HostId
    bad_proofs: int = 0
    used: bool = False


class CodeLedger:
    """The codes that this coordinator has made since its daemon started."""

    def __init__(self) -> None:
        self._issued: dict[str, _Issued] = {}

    def add(self, code: JoinCode, coordinator: HostId) -> None:
        """Know this code; the oldest is forgotten when there are too many."""
        self._issued[code.id] = _Issued(code, coordinator)
        while len(self._issued) > MOST_CODES:
            del self._issued[next(iter(self._issued))]

    def good(
        self, id: str, now: datetime, coordinator: HostId, serving: frozenset[Thumbprint]
    ) -> JoinCode:
        """The code with this id, if it is still good.

        `serving` are the certificates that the pool accepts from this coordinator.  Raises a
        JoinCodeVoid that says why it is not.
        """
        issued = self._issued.get(id)
        if issued is None:
            raise JoinCodeUnknown()
        if issued.used:
            raise JoinCodeUsed()
        if issued.bad_proofs >= MOST_BAD_PROOFS:
            raise JoinCodeLocked()
        if now >= issued.code.expires:
            raise JoinCodeExpired(f"{issued.code.expires:%Y-%m-%d %H:%M:%SZ}")
        if issued.coordinator != coordinator:
            raise JoinCodeStale("the pool has another coordinator since")
        if issued.code.thumbprint not in serving:
            raise JoinCodeStale("the coordinator has a new pool identity since")
        return issued.code

    def proved_badly(self, id: str) -> None:
        """Count a wrong proof of this code's secret."""
        if (issued := self._issued.get(id)) is not None:
            self._issued[id] = replace(issued, bad_proofs=issued.bad_proofs + 1)

    def use(self, id: str) -> None:
        """This code is admitting its host.  Raises JoinCodeUsed if it did so already."""
        if (issued := self._issued.get(id)) is not None:
            if issued.used:
                raise JoinCodeUsed()
            self._issued[id] = replace(issued, used=True)

    def give_back(self, id: str) -> None:
        """The host was not admitted after all: the code is as good as it was before `use`."""
        if (issued := self._issued.get(id)) is not None:
            self._issued[id] = replace(issued, used=False)


def _packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _from(content: object) -> JoinCode:
    if not isinstance(content, dict):
        raise BadJoinCode("it holds something else")
    addresses, port = content["addresses"], content["port"]
    if not isinstance(addresses, list) or not 1 <= len(addresses) <= MOST_ADDRESSES:
        raise BadJoinCode("it names no address")
    if not re.fullmatch(r"[0-9a-f]{64}", content["pool"]):
        raise BadJoinCode("it names no pool")
    if type(port) is not int or not 1 <= port <= 65535:
        raise BadJoinCode("it names no port")
    code = JoinCode(
        id=content["id"],
        pool=PoolId(content["pool"]),
        thumbprint=Thumbprint(bytes.fromhex(content["thumbprint"])),
        addresses=tuple(addresses),
        port=port,
        secret=bytes.fromhex(content["secret"]),
        expires=datetime.fromtimestamp(content["expires"], UTC),
    )
    if len(code.secret) != SECRET_BYTES or not all(_is_plain(t) for t in (code.id, *addresses)):
        raise BadJoinCode("it holds something else")
    return code


def _is_plain(text: object) -> bool:
    return isinstance(text, str) and 0 < len(text) <= 255 and text.isprintable()


def _check(content: bytes) -> bytes:
    return hashlib.sha256(b"pooltrust join code" + content).digest()[:4]
