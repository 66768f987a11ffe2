"""Reads in a process of its own: a question on stdin, an answer on stdout.

`python -m pooltrust.console.reading.child`, started by apart.py.
The question is JSON: purpose (``server``, ``answers``, ``authority``, ``pinned`` or ``crl``),
sources (each a name and base64), passphrase; and of the host names, request, published and present,
or of several hosts names and request.
"""

from __future__ import annotations

import base64
import binascii
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from pooltrust.console.reading import trusted
from pooltrust.console.reading.apart import CPU_SECONDS, MEMORY
from pooltrust.console.reading.offer import Finding, Offer, Target, answered, offered
from pooltrust.console.reading.pieces import Asked, Piece, RevocationList, pieces
from pooltrust.console.reading.sealed import Key, Sealed
from pooltrust.console.trusting.shown import facts
from pooltrust.pki.certificate import Certificate

MOST_BYTES = 1024 * 1024
"""Of one source."""
MOST_SOURCES = 20
MOST_AHEAD = 50 * 365 * 86400
"""Seconds."""


class BadQuestion(ValueError):
    """The browser asked in a form that no page of ours does."""


def answer(asked: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What was found in it, and every finding.  Raises BadQuestion."""
    passphrase = str(asked.get("passphrase", ""))
    sources, given, errors = _read(asked, passphrase)
    sealed = [one for one in given if isinstance(one, Sealed)]
    said: dict[str, Any] = {
        "sources": sources,
        "passphrase": "wrong" if any(one.wrong for one in sealed) else "needed" if sealed else "",
    }
    match asked.get("purpose"):
        case "server":
            return said | _server(given, errors, asked, now)
        case "answers":
            return said | _answers(given, errors, asked, now)
        case "authority" | "pinned" as purpose:
            return said | _certificates(given, errors, purpose, now)
        case "crl":
            lists = trusted.lists(given, now)
            none = trusted.nothing(given, "revocation list", bool(lists))
            return said | {"items": lists, "findings": [*errors, *none]}
    raise BadQuestion("no purpose")


def _read(
    asked: Mapping[str, Any], passphrase: str
) -> tuple[list[dict[str, str]], list[Piece], list[Finding]]:
    sources, given, errors = [], [], []
    wanted = list(asked.get("sources", ()))
    if len(wanted) > MOST_SOURCES:
        raise BadQuestion(f"more than {MOST_SOURCES} files")
    for one in wanted:
        name, data = str(one["name"])[:100], _bytes(str(one["data"]))
        if len(data) > MOST_BYTES:
            words = f"{name} has over {MOST_BYTES // 1024} KiB: no certificate or key is so large."
            errors.append(Finding("certificate", "error", words))
            continue
        found = list(pieces(data, passphrase))
        given += found
        sources.append({"name": name, "words": _counted(found)})
    return sources, given, errors


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as why:
        raise BadQuestion("no base64") from why


_KINDS: Sequence[tuple[type, str]] = (
    (Key, "key"),
    (Certificate, "certificate"),
    (RevocationList, "revocation list"),
    (Asked, "request"),
    (Sealed, "under a passphrase"),
)


def _counted(found: Sequence[Piece]) -> str:
    words = []
    for kind, word in _KINDS:
        if count := sum(isinstance(one, kind) for one in found):
            many = count > 1 and kind is not Sealed
            words.append(word if kind is Sealed else f"{count} {word}{'s' if many else ''}")
    return ", ".join(words) or "nothing that can be used"


def _server(
    given: Sequence[Piece], errors: list[Finding], asked: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    present = _first(asked.get("present"), Certificate)
    request = _first(asked.get("request"), Asked)
    target = Target(
        names=tuple(map(str, asked.get("names", ()))),
        request=request.spki if request else None,
        published=bool(asked.get("published")),
        present=present,
    )
    ahead = _ahead(asked.get("ahead", 0))
    offer = offered(given, target, now + ahead)
    return {
        "findings": [*errors, *offer.findings, *_clock(ahead)],
        "leaf": facts(offer.leaf, now) if offer.leaf else None,
        "chain": [facts(one, now) for one in offer.chain],
        "present": facts(present, now) if present else None,
        "install": _installed(offer) if offer.ready and not errors else None,
    }


def _ahead(seconds: Any) -> timedelta:
    """How far a host's clock is before ours, which judges the dates there."""
    known = seconds if isinstance(seconds, int | float) else 0
    return timedelta(seconds=max(-MOST_AHEAD, min(MOST_AHEAD, known)))


_UNITS = ((86400, "days"), (3600, "hours"), (60, "minutes"), (1, "seconds"))


def _clock(ahead: timedelta) -> Iterator[Finding]:
    if abs(ahead) >= timedelta(seconds=2):
        seconds = abs(ahead.total_seconds())
        unit, name = next(one for one in _UNITS if seconds >= 2 * one[0])
        much = f"{seconds / unit:.0f} {name}"
        side = "ahead of" if ahead > timedelta(0) else "behind"
        words = f"The host’s clock is {much} {side} this machine’s; it judges the dates by its own."
        yield Finding("certificate", "advice", words)


def _answers(
    given: Sequence[Piece], errors: list[Finding], asked: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """By host: the certificate of its request's key, if it is among these."""
    found = {}
    for host, told in dict(asked.get("hosts", {})).items():
        request = _first(told.get("request"), Asked)
        target = Target(tuple(map(str, told.get("names", ()))), request.spki if request else None)
        offer = answered(given, target, now)
        found[str(host)] = {
            "leaf": facts(offer.leaf, now) if offer.leaf else None,
            "findings": offer.findings,
            "install": _installed(offer) if offer.ready else None,
        }
    if given and not errors and not any(one["install"] for one in found.values()):
        words = "None of it can be installed: is it the answer to these requests?"
        errors = [Finding("certificate", "error", words)]
    none = trusted.nothing(given, "certificate", any(isinstance(o, Certificate) for o in given))
    return {"hosts": found, "findings": [*errors, *none]}


def _installed(offer: Offer) -> dict[str, str]:
    assert offer.leaf is not None
    return {
        "certificate": offer.leaf.pem(),
        "chain": "".join(one.pem() for one in offer.chain),
        "key": offer.key.pem if offer.key else "",
    }


def _first(text: Any, kind: type[Any]) -> Any:
    found = pieces(str(text).encode("latin-1", "replace"), "") if text else ()
    return next((one for one in found if isinstance(one, kind)), None)


def _certificates(
    given: Sequence[Piece], errors: list[Finding], purpose: str, now: datetime
) -> dict[str, Any]:
    found = trusted.certificates(given, purpose)
    items = [
        facts(one, now)
        | {"name": trusted.file_name(one.subject), "is_ca": one.is_ca}
        | {"findings": list(trusted.of_certificate(one, purpose, now))}
        for one in found
    ]
    none = trusted.nothing(given, "certificate", bool(found))
    return {"items": items, "findings": [*errors, *none]}


def _bounded() -> None:
    """Little time and memory, no file to be written, none left by a crash."""
    try:
        import resource  # not on every system
    except ImportError:
        return
    for what, most in (
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # some systems do not know each of them
            resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    _bounded()
    told = answer(orjson.loads(sys.stdin.buffer.read()), datetime.now(UTC))
    sys.stdout.buffer.write(orjson.dumps(told, default=asdict))
