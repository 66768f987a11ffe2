"""The envelopes of the Workload Balancing appliance: SOAP 1.1 written, and read with bounds.

Values only.  No document type, so no entities; no more bytes, levels and elements than the bounds.
Nothing recurses.  Elements are known by their local names: releases differ in their prefixes.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn
from xml.parsers import expat

from pooltrust.api.wire.xmlevents import events
from pooltrust.errors.appliances import WlbInternalError

LONGEST_ANSWER = 4 * 1024 * 1024
MOST_ELEMENTS = 50_000
DEEPEST = 32
FAULT = "Exception:"
"""What stands for a code where a fault has none that is a number."""

_ENVELOPE = """<?xml version="1.0" encoding="utf-8"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>\
<{method} xmlns="http://schemas.citrix.com/DWM">\
<request xmlns:i="http://www.w3.org/2001/XMLSchema-instance">{inside}</request>\
</{method}></s:Body></s:Envelope>
"""
_ARRAYS = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"


class Unreadable(ValueError):
    """This is no answer to that method; the words say why, and are our own."""


@dataclass(slots=True)
class Element:
    """One element: its local name, its own text, and what is inside it."""

    name: str
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def child(self, name: str) -> Element:
        """The first one of this name inside it.  Raises Unreadable."""
        for one in self.children:
            if one.name == name:
                return one
        raise Unreadable(f"there is no {name} in {self.name}")

    def said(self, name: str, otherwise: str = "") -> str:
        """The text of the first one of this name; the other if there is none."""
        return next((one.text.strip() for one in self.children if one.name == name), otherwise)


def envelope(method: str, *inside: str) -> bytes:
    """A request; what is inside was made by `leaf` and `settings`."""
    return _ENVELOPE.format(method=method, inside="".join(inside)).encode()


def leaf(name: str, text: str) -> str:
    """One element with a text, whatever that holds."""
    return f"<{name}>{html.escape(text)}</{name}>"


def settings(name: str, pairs: Mapping[str, str]) -> str:
    """A map, as the appliance spells one."""
    inside = "".join(
        f"<b:KeyValueOfstringstring>{leaf('b:Key', key)}{leaf('b:Value', value)}"
        "</b:KeyValueOfstringstring>"
        for key, value in sorted(pairs.items())
    )
    return f'<{name} xmlns:b="{_ARRAYS}">{inside}</{name}>'


def result(method: str, answer: bytes) -> Element:
    """The result of a method in its answer, if the appliance was content with the request.

    A missing ResultCode is one of 0.  Raises WlbInternalError for any other and for a fault, and
    Unreadable.
    """
    body = _read(answer).child("Body")
    _no_fault(body)
    found = body.child(f"{method}Response").child(f"{method}Result")
    code = found.said("ResultCode", "0")
    if code != "0":
        raise WlbInternalError(code, found.said("ErrorMessage"))
    return found


def _no_fault(body: Element) -> None:
    for fault in body.children:
        if fault.name != "Fault":
            continue
        reasons = [one for one in fault.children if one.name == "Reason"]
        words = reasons[0].said("Text") if reasons else fault.said("faultstring")
        raise WlbInternalError(FAULT, words)


def _read(document: bytes) -> Element:
    if len(document) > LONGEST_ANSWER:
        raise Unreadable(f"it is longer than {LONGEST_ANSWER} bytes")
    reader = _Reader()
    try:
        events(document, reader)
    except (expat.ExpatError, ValueError, LookupError) as why:
        if isinstance(why, Unreadable):
            raise
        raise Unreadable("it is not XML") from None
    return reader.top.child("Envelope")


class _Reader:
    def __init__(self) -> None:
        self.top = Element("the document")
        self._open = [self.top]
        self._texts: list[list[str]] = [[]]
        self._count = 0

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MOST_ELEMENTS:
            raise Unreadable(f"it has more than {MOST_ELEMENTS} elements")
        if len(self._open) > DEEPEST:
            raise Unreadable(f"it has more than {DEEPEST} levels")
        one = Element(tag.rpartition(":")[2])
        self._open[-1].children.append(one)
        self._open.append(one)
        self._texts.append([])

    def text(self, text: str) -> None:
        self._texts[-1].append(text)

    def document_type(self, *_: object) -> NoReturn:
        raise Unreadable("it has a document type")

    def end(self, _tag: str) -> None:
        self._open.pop().text = "".join(self._texts.pop())
