"""Reading the server name out of the first bytes of a TLS connection.

Pure, and no judge: it says which name was asked for, so that a context can be chosen, and leaves
every other rule of TLS to OpenSSL, which reads the same bytes afterwards.  RFC 8446 4.1.2 and 5.1
(a hello may span several records), RFC 6066 3 (server_name).

The answer never changes as bytes are added: a prefix gives `NeedMore` or the final answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

MOST_BYTES = 16 * 1024
"""The longest hello that is waited for, in bytes, record headers included."""

MOST_RECORDS = 64
"""RFC 8446 allows more; nobody sends more, and each could wake us once."""

_HEADER = 5
_HANDSHAKE, _CLIENT_HELLO, _SERVER_NAME, _HOST_NAME = 22, 1, 0, 0
_METHODS = tuple(
    f"{method} ".encode()
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "PATCH", "TRACE")
)


class Why(StrEnum):
    """What arrived instead of a ClientHello."""

    PLAIN_HTTP = "plain HTTP"
    NO_TLS = "bytes that are not TLS"
    NO_HELLO = "a TLS record that is no ClientHello"
    MALFORMED = "a malformed ClientHello"
    TOO_LONG = "a ClientHello that is too long"


@dataclass(frozen=True, slots=True)
class NeedMore:
    """Ask again when `total_bytes_needed` bytes are there, counted from the first one."""

    total_bytes_needed: int


@dataclass(frozen=True, slots=True)
class ServerName:
    """A whole ClientHello; `name` is in lower case, None if it has none that can be read."""

    name: str | None


@dataclass(frozen=True, slots=True)
class NotTls:
    """This connection does not begin with a ClientHello."""

    why: Why


Peeked: TypeAlias = NeedMore | ServerName | NotTls


class _Malformed(Exception):
    pass


def peeked(data: bytes) -> Peeked:
    """What the first bytes of a connection say.  Never raises."""
    if data[:1] and data[0] != _HANDSHAKE:
        return _other_protocol(data)
    message = bytearray()
    start = 0
    for _ in range(MOST_RECORDS):
        record = _record(data, start)
        if not isinstance(record, bytes):
            return record
        message += record
        start += _HEADER + len(record)
        whole = _hello_bytes(message)
        if isinstance(whole, NotTls):
            return whole
        if whole is not None and len(message) >= whole:
            return _named(bytes(message[4:whole]))
    return NotTls(Why.TOO_LONG)


def _other_protocol(data: bytes) -> Peeked:
    missing = [len(method) for method in _METHODS if method.startswith(data)]
    if missing:
        return NeedMore(min(missing)) if data not in _METHODS else NotTls(Why.PLAIN_HTTP)
    return NotTls(Why.PLAIN_HTTP if data.startswith(_METHODS) else Why.NO_TLS)


def _record(data: bytes, start: int) -> bytes | NeedMore | NotTls:
    """The content of the handshake record that starts here."""
    header = data[start : start + _HEADER]
    if header[:1] and header[0] != _HANDSHAKE:
        return NotTls(Why.NO_HELLO)
    if header[1:2] and header[1] != 3:
        return NotTls(Why.NO_TLS)
    if start + _HEADER > MOST_BYTES:
        return NotTls(Why.TOO_LONG)
    if len(header) < _HEADER:
        return NeedMore(start + _HEADER)
    length = int.from_bytes(header[3:])
    if length == 0:
        return NotTls(Why.MALFORMED)
    end = start + _HEADER + length
    if end > MOST_BYTES:
        return NotTls(Why.TOO_LONG)
    return data[start + _HEADER : end] if len(data) >= end else NeedMore(end)


def _hello_bytes(message: bytearray) -> int | NotTls | None:
    """How long the handshake message is, its header included; None if that is not known yet."""
    if message[0] != _CLIENT_HELLO:
        return NotTls(Why.NO_HELLO)
    if len(message) < 4:
        return None
    length = 4 + int.from_bytes(message[1:4])
    return NotTls(Why.TOO_LONG) if length > MOST_BYTES else length


def _named(hello: bytes) -> Peeked:
    try:
        return ServerName(_server_name(_Fields(hello)))
    except _Malformed:
        return NotTls(Why.MALFORMED)


def _server_name(hello: _Fields) -> str | None:
    hello.take(2 + 32)  # legacy_version, random
    hello.vector(1)  # legacy_session_id
    hello.vector(2)  # cipher_suites
    hello.vector(1)  # legacy_compression_methods
    if hello.empty:
        return None  # TLS 1.2 and older may have no extensions at all
    extensions = _Fields(hello.vector(2))
    while not extensions.empty:
        kind, content = extensions.number(2), extensions.vector(2)
        if kind == _SERVER_NAME:
            return _host_name(_Fields(_Fields(content).vector(2)))
    return None


def _host_name(names: _Fields) -> str | None:
    while not names.empty:
        kind, name = names.number(1), names.vector(2)
        if kind == _HOST_NAME:
            return name.decode("ascii").lower() if name and name.isascii() else None
    return None


class _Fields:
    """Reads the fields of one structure in turn (RFC 8446 3)."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def empty(self) -> bool:
        return self._at >= len(self._data)

    def take(self, length: int) -> bytes:
        taken = self._data[self._at : self._at + length]
        if len(taken) < length:
            raise _Malformed
        self._at += length
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def vector(self, size: int) -> bytes:
        return self.take(self.number(size))
