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
        return ServerName(_server_name(hello))
    except (_Malformed, IndexError):
        return NotTls(Why.MALFORMED)


def _server_name(hello: bytes) -> str | None:
    """Walk the hello by its lengths (RFC 8446 3).  Raises IndexError or _Malformed."""
    at = 2 + 32  # legacy_version, random
    at += 1 + hello[at]  # legacy_session_id
    at += 2 + _two(hello, at)  # cipher_suites
    at += 1 + hello[at]  # legacy_compression_methods
    if at == len(hello):
        return None  # TLS 1.2 and older may have no extensions at all
    end = _end(hello, at, len(hello))
    at += 2
    while at < end:
        kind, rest = _two(hello, at), _end(hello, at + 2, end)
        if kind == _SERVER_NAME:
            return _host_name(hello, at + 4, rest)
        at = rest
    return None


def _host_name(hello: bytes, at: int, end: int) -> str | None:
    """The host name in a server_name extension, which is a list of typed names (RFC 6066 3)."""
    end = _end(hello, at, end)
    at += 2
    while at < end:
        kind, rest = hello[at], _end(hello, at + 1, end)
        if kind == _HOST_NAME:
            name = hello[at + 3 : rest]
            return name.decode("ascii").lower() if name and name.isascii() else None
        at = rest
    return None


def _two(data: bytes, at: int) -> int:
    return data[at] << 8 | data[at + 1]


def _end(data: bytes, at: int, within: int) -> int:
    """Where the vector ends whose length, two bytes, is at `at`.  It must end `within`."""
    end = at + 2 + _two(data, at)
    if end > within:
        raise _Malformed
    return end
