"""Which names and addresses may be put into a certificate."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class BadName(ValueError):
    """This name or address can't be put into a certificate; the words say why."""


def dns_names(texts: Iterable[str]) -> tuple[str, ...]:
    """The names in lower case, each once, in their order.  Raises BadName.

    Host names of letters, digits and hyphens (RFC 1123), ``localhost`` among them; no wildcards.
    """
    return tuple(dict.fromkeys(_dns_name(text) for text in texts))


def ip_addresses(texts: Iterable[str]) -> tuple[IPv4Address | IPv6Address, ...]:
    """The addresses, each once, in their order.  Raises BadName."""
    return tuple(dict.fromkeys(_ip_address(text) for text in texts))


def _dns_name(text: str) -> str:
    if not text.isascii():
        raise BadName(f"{text[:100]!r} is not ASCII: give the name in its xn-- form (RFC 5890)")
    name = text.lower()
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadName(f"{text[:100]!r} is not a host name (RFC 1123)")
    if labels[-1].isdigit():
        raise BadName(f"{text[:100]!r} is no name: its last part is a number, as in an address")
    return name


def _ip_address(text: str) -> IPv4Address | IPv6Address:
    try:
        address = ip_address(text)
    except ValueError as why:
        raise BadName(f"{text[:100]!r} is not an IP address") from why
    if getattr(address, "scope_id", None) is not None:
        raise BadName(f"{text[:100]!r} has a zone, which means nothing to another host")
    if address.is_unspecified or address.is_multicast:
        raise BadName(f"{text[:100]!r} is not the address of one host")
    return address
