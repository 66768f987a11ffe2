"""Canonical JSON, and the bytes that a signature covers.

One value has one spelling: keys sorted by code point, no spaces, UTF-8, integers only.  Every
other spelling is refused, so that two parsers can never read one signed text in two ways.
Knows nothing of entries or keys.
"""

from __future__ import annotations

from typing import Any

import orjson

MIB = 1024 * 1024
LARGEST = 2**53 - 1
"""Integers beyond this are not the same number to every JSON parser (RFC 8259 section 6)."""


class NotCanonical(ValueError):
    """These bytes, or this value, are not canonical JSON; the words say why."""


def encode(value: Any, *, depth: int = 16) -> bytes:
    """The one spelling of a value made of None, bool, int, str, list or tuple, and dict.

    Raises NotCanonical for any other type, an integer beyond 2^53 - 1, a lone surrogate, or a
    nesting deeper than `depth`.
    """
    _check(value, depth)
    try:
        # A copy: orjson's own bytes hold on to a buffer of several times their length, and entries
        # stay in memory for as long as the log.
        return bytes(memoryview(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)))
    except orjson.JSONEncodeError as why:
        raise NotCanonical(str(why)) from why


def decode(data: bytes, *, limit: int = MIB, depth: int = 16) -> Any:
    """Read canonical JSON.  Raises NotCanonical unless `encode` gives back these very bytes.

    Duplicate keys, white space, other escapes, -0 and trailing bytes all fall to that comparison.
    """
    if len(data) > limit:
        raise NotCanonical(f"{len(data)} bytes, more than the {limit} allowed")
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as why:
        raise NotCanonical(f"not JSON: {why}") from why
    if encode(value, depth=depth) != data:
        raise NotCanonical("valid JSON, but not its canonical spelling")
    return value


def pae(payload_type: str, payload: bytes) -> bytes:
    """The DSSE v1 pre-authentication encoding: what is signed and hashed, with its type.

    The type keeps a signature made for one purpose from counting for another.
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def statement(what: str, value: dict[str, Any]) -> bytes:
    """The bytes to sign for one statement: its name is part of them."""
    return pae(f"application/vnd.pooltrust.{what}+json", encode(value))


def _check(value: Any, depth: int) -> None:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return
    if kind is int:
        if not -LARGEST <= value <= LARGEST:
            raise NotCanonical("an integer beyond 2^53 - 1")
    elif depth == 0:
        raise NotCanonical("nested too deeply")
    elif kind is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise NotCanonical("a key that is no text")
            _check(item, depth - 1)
    elif kind is list or kind is tuple:
        for item in value:
            _check(item, depth - 1)
    else:
        raise NotCanonical(f"a value of type {kind.__name__}")
