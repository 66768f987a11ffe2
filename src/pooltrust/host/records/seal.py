"""The seal under records: that the host which led when they were written stands by them.

A member that is asked for its records after the coordinator was lost could make some up, with a
password of its own choice.  So a coordinator signs what it ships, and a taker believes a member's
records by that signature only.  A store keeps the seal with the records, in one write.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator
from dataclasses import replace

import orjson

from pooltrust.host.records.store import Dump
from pooltrust.pki.certificate import Certificate
from pooltrust.pki.identity import Identity
from pooltrust.terms import HostId, Thumbprint
from pooltrust.trust.canonical import statement
from pooltrust.trust.leading import keys_of, leader
from pooltrust.trust.log import Log


class BadSeal(ValueError):
    """These records are not known to be those of a coordinator; the words say why."""


def sealed(dump: Dump, log: Log, me: HostId, identity: Identity) -> Dump:
    """These records with the seal of this host, which leads since their revision's change."""
    row = {
        "host": me,
        "signer": str(identity.certificate.thumbprint),
        "signature": base64.b64encode(identity.sign(_said(dump, log, me))).decode("ascii"),
    }
    return replace(dump, seal=row)


def check_seal(dump: Dump, log: Log, *, since: int | None = None) -> None:
    """Whether the host that led this log at their revision sealed these records.

    `since`: the entry by which the log's coordinator leads, if the caller knows it.  Most records
    are its own, and then nothing is looked up in a log that may be long.  Raises BadSeal.
    """
    row = dump.seal
    if row is None:
        raise BadSeal("no coordinator has signed them")
    change = dump.revision.coordinator_change
    led = leader(log, change)
    if led is None or row.get("host") != led:
        raise BadSeal(f"their signer did not coordinate this pool since entry {change}")
    try:
        signer = Thumbprint.parse(row["signer"])
        signature = base64.b64decode(row["signature"], validate=True)
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error) as why:
        raise BadSeal("their signature can't be read") from why
    said = _said(dump, log, led)
    for certificate in _certificates(log, led, change, since):
        if certificate.thumbprint == signer:
            if certificate.verify(signature, said):
                return
            raise BadSeal("their signature is not valid: they were changed")
    raise BadSeal(f"certificate {signer.short}… was not their coordinator's at that time")


def _certificates(log: Log, led: HostId, change: int, since: int | None) -> Iterator[Certificate]:
    """Those that count for records of this change, present ones first."""
    if change == since:
        # It has led without a break, so it was a member all the time: these are among the others.
        yield from log.roster.members[led].certificates
    yield from keys_of(log, led, change)


def _said(dump: Dump, log: Log, host: HostId) -> bytes:
    change = dump.revision.coordinator_change
    tables = {name: dict(rows) for name, rows in dump.tables.items() if rows}
    data = orjson.dumps(tables, option=orjson.OPT_SORT_KEYS)
    return statement(
        "records",
        {
            "pool": log.pool,
            "host": host,
            # Two branches of a log may have a change of one number each.
            "entry": log.hash_at(change or 1) or "",
            "revision": str(dump.revision),
            "tables": hashlib.sha256(data).hexdigest(),
        },
    )
