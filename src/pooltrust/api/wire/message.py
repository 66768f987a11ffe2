"""What both codecs have in common: a request, an answer, the bounds of a body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

LONGEST_BODY = 300 * 1024
"""Bytes of a request."""

DEEPEST = 64
"""Levels of a request."""


class MalformedRequest(ValueError):
    """A body that is no request: the HTTP floor answers 500.  Nothing of the body is repeated."""


class Request(NamedTuple):
    """One call as it came.  `envelope` is the codec's own: what its answer repeats."""

    method: str
    parameters: list[Any]
    envelope: Any = None


class Answer(NamedTuple):
    """One answer, complete: the HTTP floor adds only what every answer has."""

    body: bytes
    content_type: str
    headers: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Wire:
    """One codec.

    `read` raises MalformedRequest; `success`, `bare` (without the envelope of a status) and
    `failure` (code first) write.
    """

    name: str
    content_type: str
    read: Callable[[bytes], Request]
    success: Callable[[Request, Any], bytes]
    bare: Callable[[Request, Any], bytes]
    failure: Callable[[Request, list[str]], bytes]
