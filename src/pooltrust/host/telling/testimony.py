"""The file in which a host remembers the latest heads of others, and that it is a copy itself.

Nothing in it is believed because it is there: a head proves itself by its signature to the host
that signed it.  A file that can't be read is as good as none.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pooltrust.pool.alerts import Copied
from pooltrust.terms import HostId, PoolId, Thumbprint, host_id
from pooltrust.trust.heads import Head, SignedHead
from pooltrust.trust.store import replace_file
from pooltrust.trust.store.files import storing


@dataclass(frozen=True, slots=True)
class Testimony:
    """A head as it came, verified then, and what it says."""

    signed: SignedHead
    head: Head


@dataclass(frozen=True, slots=True)
class Kept:
    """What the file holds."""

    pool: PoolId
    heads: Mapping[HostId, Testimony] = field(default_factory=dict)
    own: Copied | None = None


def write(path: Path, kept: Kept) -> None:
    """Replace the file.  Raises CannotStore."""
    content = {
        "pool": kept.pool,
        "heads": [_signed(one.signed) for one in kept.heads.values()],
        "own": _copied(kept.own) if kept.own else None,
    }
    with storing(path):
        replace_file(path, json.dumps(content).encode(), 0o600)


def read(path: Path) -> Kept:
    """What was written; nothing if that can't be read."""
    try:
        content = json.loads(path.read_bytes())
        heads = [_testimony(one) for one in content["heads"]]
        own = _read_copied(content["own"]) if content["own"] else None
        return Kept(PoolId(content["pool"]), {one.head.host: one for one in heads}, own)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return Kept(PoolId(""))


def _signed(signed: SignedHead) -> dict[str, str]:
    return {
        "payload": signed.payload.decode(),
        "signature": base64.b64encode(signed.signature).decode(),
    }


def _testimony(content: Any) -> Testimony:
    signature = base64.b64decode(content["signature"], validate=True)
    signed = SignedHead(content["payload"].encode(), signature)
    return Testimony(signed, signed.head)


def _copied(copied: Copied) -> dict[str, str]:
    return {
        "host": copied.host,
        "certificate": str(copied.certificate),
        "why": copied.why,
        "at": copied.at.isoformat(),
    }


def _read_copied(content: Any) -> Copied:
    at = datetime.fromisoformat(content["at"])
    return Copied(
        host_id(content["host"]), Thumbprint.parse(content["certificate"]), content["why"], at
    )
