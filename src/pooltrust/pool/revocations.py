"""The revocation lists of a pool: records by name, so many and so large at the most."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pooltrust.errors import OperationNotAllowed, Refused, aside, failure
from pooltrust.pki.revocation import read_list, renewal
from pooltrust.pool.alerts import About, Alert
from pooltrust.terms import PoolId

TABLE = "crl"
DER = "der"

MOST_LISTS = 64
MOST_BYTES = 1024 * 1024
"""Of all lists together: records are shipped to a member in one frame."""


@failure("CRL_ALREADY_EXISTS", cure="See the lists: xe pool-crl-list")
class CrlAlreadyExists(Refused):
    """The pool has a revocation list {name} already{why}."""

    name: str
    why: str = aside()


@failure("CRL_DOES_NOT_EXIST", cure="See the lists: xe pool-crl-list")
class CrlDoesNotExist(Refused):
    """The pool has no revocation list {name}."""

    name: str


def lists(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, bytes]:
    """The lists (DER) of these rows, by name; one that this release can't use is none.

    They were looked at when they were installed, maybe by another release.
    """
    found = {}
    for name, row in rows.items():
        try:
            found[name] = read_list(base64.b64decode(row[DER], validate=True))
        except (KeyError, TypeError, ValueError, binascii.Error):  # a BadList is a ValueError
            continue
    return found


def unusable(
    rows: Mapping[str, Mapping[str, Any]], lists: Mapping[str, bytes], pool: PoolId
) -> Iterator[Alert]:
    """The alert about rows that are none of these lists."""
    if left := sorted(rows.keys() - lists.keys()):
        yield Alert(
            "POOL_CRL_UNUSABLE",
            About.POOL,
            pool,
            2,
            f"Revocation lists can't be used by this release: {', '.join(left)}.  They revoke "
            "nobody.  Install what their issuers offer now: xe pool-crl-install",
        )


def row(der: bytes) -> dict[str, str]:
    """A list as it is kept."""
    return {DER: base64.b64encode(der).decode("ascii")}


def outdated(lists: Mapping[str, bytes], pool: PoolId, now: datetime) -> Iterator[Alert]:
    """The alert about lists that their issuers have renewed since, if there are any."""
    promised = {name: renewal(der) for name, der in lists.items()}
    late = {name: at for name, at in promised.items() if at is not None and at < now}
    if late:
        yield Alert(
            "POOL_CRL_OUTDATED",
            About.POOL,
            pool,
            3,
            f"Revocation lists are out of date: {', '.join(sorted(late))}.  Later revocations are "
            "not known.  Install the present ones: xe pool-crl-uninstall, xe pool-crl-install",
            min(late.values()),
        )


def check_room(known: Mapping[str, bytes], name: str, der: bytes) -> None:
    """Whether one more may be installed.  Raises CrlAlreadyExists, OperationNotAllowed."""
    if name in known:
        raise CrlAlreadyExists(name)
    together = len(der) + sum(map(len, known.values()))
    if len(known) >= MOST_LISTS or together > MOST_BYTES:
        raise OperationNotAllowed(
            f"A pool has at most {MOST_LISTS} revocation lists, of {MOST_BYTES} bytes together: "
            "remove one that is no longer needed"
        )
