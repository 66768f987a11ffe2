"""Where a host is, as people and URLs write it."""

from __future__ import annotations

from pooltrust.errors import InvalidValue


def split(text: str, port: int, field: str = "master_address") -> tuple[str, int]:
    """Address and port of ``address[:port]``; an IPv6 address with a port is in brackets.

    `port` is the one without any, `field` what an InvalidValue names.
    """
    host, colon, digits = text.strip().rpartition(":")
    if text.startswith("["):
        host, bracket, digits = text[1:].partition("]")
        colon, digits = (":", digits[1:]) if digits.startswith(":") else ("", digits)
        if not bracket or (not colon and digits):
            raise InvalidValue(field, text)
    elif not colon or ":" in host:
        host, colon = text.strip(), ""
    if colon:
        if not digits.isascii() or not digits.isdigit() or not 0 < int(digits[:6]) < 65536:
            raise InvalidValue(field, text)
        port = int(digits)
    if not host:
        raise InvalidValue(field, text)
    return host, port


def bracketed(address: str) -> str:
    """A name or an address as it stands before a port: IPv6 in brackets (RFC 3986 3.2.2)."""
    return f"[{address}]" if ":" in address else address


def named(address: str, port: int) -> str:
    """What a request's Host says (RFC 9112 3.2); a zone means something here only (RFC 6874 4)."""
    return f"{bracketed(address.partition('%')[0])}:{port}"
