"""The trust log of a pool, in words, checked on this machine: every hash, signature and rule.

The host's word is not taken for it: the entries are folded here, from the founding entry on.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pooltrust.errors import Failure
from pooltrust.pki.certificate import BadCertificate, read
from pooltrust.trust import entries as e
from pooltrust.trust.entries import Body
from pooltrust.trust.entry import NotAnEntry, SignedEntry
from pooltrust.trust.log.chain import Log
from pooltrust.trust.roster import ANY_ORDER

PAGE = 500
MOST = 20_000
"""Entries that are asked for; a longer log is shown to here, and said to be cut."""

SHOWN = ("number", "hash", "at", "by", "call", "kind")

Call = Callable[[str, list[Any]], Awaitable[Any]]


async def history(call: Call) -> dict[str, Any]:
    """Every entry, oldest first; whether all hold, and if not the first one that does not.

    Raises ValueError for an answer that is no list of entries, and as `call` does.
    """
    told: list[Mapping[str, str]] = []
    while len(told) < MOST:
        page = _page(await call("pooltrust.get_log", [_last(told), PAGE]))
        told += page
        if len(page) < PAGE:
            break
    return checked(told)


def _page(answer: Any) -> list[Mapping[str, str]]:
    """Whatever was answered, as entries of texts."""
    if not isinstance(answer, list) or not all(isinstance(one, dict) for one in answer):
        raise ValueError("its log is no list of entries")
    return [{str(name): str(value) for name, value in one.items()} for one in answer[:MOST]]


def _last(told: list[Mapping[str, str]]) -> int:
    number = told[-1].get("number", "") if told else "0"
    if not number.isascii() or not number.isdigit() or len(number) > 15:
        raise ValueError("an entry of its log has no number")
    return int(number)


def checked(told: list[Mapping[str, str]]) -> dict[str, Any]:
    """What was told, in words, and the verdict on it.  Pure."""
    verdict = {"holds": True, "words": "", "entries": len(told), "from_founding": True}
    names: dict[str, str] = {}
    lines = []
    log: Log | None = None
    for one in told:
        signed = None
        try:
            signed = _signed(one)
            if verdict["holds"]:
                log = _grown(log, signed, verdict)
        except (Failure, NotAnEntry, ValueError, KeyError) as why:
            if verdict["holds"]:
                verdict |= {"holds": False, "words": str(why), "at": one.get("number", "?")}
        lines.append(_line(one, signed, names, holds=bool(verdict["holds"])))
    return {"verdict": verdict, "entries": lines, "names": names}


def _grown(log: Log | None, signed: SignedEntry, verdict: dict[str, Any]) -> Log | None:
    if log is None:
        if signed.entry.number != 1:
            # It begins at a checkpoint, and we were not told the roster that this one binds.
            verdict["from_founding"] = False
            return None
        return Log.verify([signed], ordered=ANY_ORDER)
    return log.extended(signed, ordered=ANY_ORDER)


def _signed(one: Mapping[str, str]) -> SignedEntry:
    try:
        return SignedEntry(
            one["payload"].encode(), base64.b64decode(one["signature"], validate=True)
        )
    except binascii.Error as why:
        raise ValueError("its signature can't be read") from why


def _line(
    one: Mapping[str, str], signed: SignedEntry | None, names: dict[str, str], *, holds: bool
) -> dict[str, Any]:
    """What was signed; what the host says of it beside that is shown of unreadable entries only."""
    line: dict[str, Any] = {name: str(one.get(name, "")) for name in SHOWN}
    line |= {"words": "It can't be read.", "host": "", "holds": holds}
    if signed is None:
        return line
    try:
        entry = signed.entry
    except NotAnEntry as why:
        return line | {"words": f"Not understood by this release: {why}"}
    return line | {
        "number": str(entry.number),
        "hash": signed.hash,
        "at": f"{entry.at:%Y%m%dT%H:%M:%SZ}",
        "by": entry.by,
        "call": entry.call,
        "kind": entry.kind,
        "host": str(getattr(entry.body, "host", "")),
        "words": said(entry.body, names) + (" (ordered alone)" if entry.alone else ""),
    }


def said(body: Body, names: dict[str, str]) -> str:
    """One entry as a sentence; hosts by the names that the log itself gave them."""
    if isinstance(body, e.Founded | e.HostAdmitted):
        names[body.host] = body.name
    who = names.get(getattr(body, "host", ""), getattr(body, "host", ""))
    match body:
        case e.Founded():
            state = "on" if body.verification else "off"
            return f"{who} founded the pool with {_of(body.certificate)}; verification {state}."
        case e.HostAdmitted():
            return f"{who} was admitted (met by {body.met}), certificate {_of(body.certificate)}"
        case e.CertificateAccepted():
            return f"A new pool identity of {who} is accepted: {_of(body.certificate)}"
        case e.CertificateWithdrawn():
            return f"{body.thumbprint.short}… of {who} is accepted no longer: {body.reason}"
        case e.ServerIdentityChanged():
            return f"Clients meet another server certificate at {who}: {_of(body.server)}"
        case e.AnchorInstalled():
            sort = "authority" if body.sort == "ca" else "certificate"
            return f"The pool trusts the {sort} {body.name or _of(body.certificate)}."
        case e.AnchorRemoved():
            return f"The pool no longer trusts {body.thumbprint.short}…"
        case e.AddressChanged():
            return f"{who} is found at {body.address}."
        case e.KindsDeclared():
            return f"{who} understands {len(body.kinds)} kinds of entries."
        case e.VerificationRequired():
            return "Every host verifies whom it dials: certificate verification is enabled."
        case e.CoordinatorChanged():
            return f"{who} is the coordinator now."
        case e.TakenOver():
            return f"{who} took over from {names.get(body.replaced, body.replaced)}."
        case e.TakeoverEndorsed():
            return f"The takeover was endorsed by {len(body.endorsements)} members."
        case e.HostDismissed():
            return f"{who} is no member any more: {body.reason}"
        case e.Checkpoint():
            return "Checkpoint: the roster so far is bound by its hash."


def _of(der: bytes) -> str:
    try:
        return f"{read(der).thumbprint.short}…"
    except BadCertificate:
        return "(unreadable)"
