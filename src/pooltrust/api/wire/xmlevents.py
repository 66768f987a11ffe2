"""What an XML document says, event by event, on expat: no document type, so no entities."""

from __future__ import annotations

from typing import NoReturn, Protocol
from xml.parsers import expat


class Heard(Protocol):
    """Who hears the events, and counts them: its exceptions end the reading."""

    def start(self, tag: str, attributes: dict[str, str], /) -> None:
        """An element begins."""

    def end(self, tag: str, /) -> None:
        """An element ends."""

    def text(self, text: str, /) -> None:
        """Text inside the last element that has begun."""

    def document_type(self, *_: object) -> NoReturn:
        """There is one, or an entity of one.  Raises what such a document is refused with."""


def events(document: bytes, heard: Heard, encoding: str | None = None) -> None:
    """Read it.  `encoding`: this one, whatever the document says.

    Namespaces are not resolved: each element's name would have the address of its own written out,
    and a long one of those times many elements is minutes of work for a small document.  Raises
    ExpatError, for an encoding LookupError or ValueError, and what `heard` raises.
    """
    parser = expat.ParserCreate(encoding)
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = heard.document_type
    parser.EntityDeclHandler = heard.document_type
    parser.StartElementHandler = heard.start
    parser.EndElementHandler = heard.end
    parser.CharacterDataHandler = heard.text
    parser.Parse(document, True)
