"""The answers that pages read, in the one form that they read: texts, lists and maps of texts.

A host may be of another release, or mean ill.  What can be read as the published form is brought
to it; what can't is refused in words, before any page has seen it.  Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

Shape = Callable[[Any], Any]
LONGEST = 100_000
"""Characters of a text; a certificate with its chain has fewer."""
MOST = 20_000
"""Rows of a list."""


class Odd(ValueError):
    """It has another form than the published one; the words say which was expected."""


def text(value: Any) -> str:
    """A text; nothing is an empty one, a number is written out."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)[:LONGEST]
    raise Odd("a text was expected")


def number(value: Any) -> float:
    """A number, also one that came as a text."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise Odd("a number was expected") from None


def rows(one: Shape, most: int = MOST) -> Shape:
    """A list of these, cut after so many; nothing is an empty one."""

    def shaped(value: Any) -> Any:
        if value is None or value == "":
            return []
        if not isinstance(value, list):
            raise Odd("a list was expected")
        return [one(item) for item in value[:most]]

    return shaped


def record(**fields: Shape) -> Shape:
    """A map that has these; whatever else is in it is left as it is."""

    def shaped(value: Any) -> Any:
        if not isinstance(value, dict):
            raise Odd("a map was expected")
        found: dict[str, Any] = dict(value)
        for name, shape in fields.items():
            found[name] = shape(value.get(name))
        return found

    return shaped


def texts(*names: str) -> Shape:
    """A map of texts that has these."""
    plain = record(**dict.fromkeys(names, text))

    def shaped(value: Any) -> Any:
        return {str(name): text(one) for name, one in plain(value).items()}

    return shaped


def as_text(inner: Shape) -> Shape:
    """JSON in a text; an empty one stays so."""

    def shaped(value: Any) -> Any:
        if value is None or value == "":
            return ""
        try:
            told = orjson.loads(value) if isinstance(value, str) else None
        except orjson.JSONDecodeError:
            told = None
        if told is None:
            raise Odd("JSON in a text was expected")
        return orjson.dumps(inner(told)).decode()

    return shaped


def _perhaps(inner: Shape) -> Shape:
    return lambda value: None if value is None else inner(value)


PLAN = as_text(
    record(
        title=text,
        hosts=rows(text),
        order=rows(record(name=text, steps=rows(text, 500), final=bool), 200),
        drops=text,
        blockers=rows(record(host=text, words=text, cure=text), 500),
        later=rows(text),
        undo=rows(text),
        standing=text,
    )
)
REPORT = as_text(
    record(
        certificates=rows(
            record(
                type=text, host=text, subject=text, issuer=text, key=text, signature=text,
                not_before=text, not_after=text, sha256=text, sha1=text, names=rows(text),
                addresses=rows(text), purposes=rows(text), not_covered=rows(text),
            )
        )
    )
)  # fmt: skip
OPERATIONS = rows(
    texts("id", "kind", "subject", "title", "state", "phase", "words", "may_abandon", "progress")
)
TASK = record(
    name_label=text, status=text, progress=number, result=text, error_info=rows(text),
    allowed_operations=rows(text),
)  # fmt: skip

SHAPES: Mapping[str, Shape] = {
    "pooltrust.get_plan": PLAN,
    "pooltrust.get_takeover_plan": PLAN,
    "pooltrust.get_join_plan": PLAN,
    "pooltrust.get_certificate_report": REPORT,
    "pooltrust.get_operations": OPERATIONS,
    "pooltrust.get_own_operations": OPERATIONS,
    "pooltrust.get_alerts": rows(texts("uuid", "words", "date")),
    "pooltrust.get_users": rows(texts("uuid", "name", "fullname", "subject", "roles")),
    "pooltrust.get_sessions": rows(
        texts("uuid", "user", "address", "originator", "opened", "last_active")
    ),
    "pooltrust.probe_members": rows(
        texts("observer", "host", "uuid", "address", "met", "tls_version", "verified", "reason",
              "cure", "at")
    ),
    "pooltrust.get_observed": rows(
        texts("observer", "kind", "way", "outcome", "host", "peer", "address", "says", "met",
              "shown", "tls_version", "expected", "refused_by", "reason", "cure", "at", "first",
              "count", "forgotten", "since")
    ),
    "pooltrust.get_endpoints": rows(
        texts("kind", "dials", "answers", "direction", "server_name", "expects", "client_proof",
              "rule", "reason")
    ),
    "pooltrust.get_last_failure": texts("code", "words"),
    "pooltrust.get_next_break": texts("at", "certificate", "words", "cure"),
    "pooltrust.pin_wlb_certificate": _perhaps(
        texts("thumbprint", "subject", "issuer", "names", "not_after")
    ),
    "pooltrust.install_server_certificate": rows(text),
    "pooltrust.install_requested_certificate": rows(text),
    "pooltrust.get_certificate_request": text,
    "pooltrust.get_command_line": text,
    "pooltrust.create_join_code": text,
    "host.get_server_certificate": text,
    "host.get_servertime": text,
    "pool.crl_list": rows(text),
    "task.get_record": TASK,
}  # fmt: skip
"""By call.  Of those that are not here no page reads more than whether they were answered."""


def shaped(method: str, result: Any) -> Any:
    """The result of a call as pages read it.  Raises Odd."""
    shape = text if method.startswith("Async.") else SHAPES.get(method)
    return result if shape is None else shape(result)
