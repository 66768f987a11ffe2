"""Which of a host's names and addresses a certificate speaks for (RFC 6125, RFC 9525)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from pooltrust.pki.certificate import Certificate


def uncovered(certificate: Certificate, names: Iterable[str]) -> tuple[str, ...]:
    """Those names and addresses for which a client would refuse it, each once, in their order."""
    return tuple(name for name in dict.fromkeys(names) if name and not covers(certificate, name))


def covers(certificate: Certificate, name: str) -> bool:
    """Whether it covers this DNS name, or IP address.

    Only subjectAltName counts; the common name does not, as in every current client.
    """
    address = _address(name)
    if address is not None:
        return any(_address(one) == address for one in certificate.addresses)
    return any(_matches(pattern, name) for pattern in certificate.names)


def _matches(pattern: str, name: str) -> bool:
    """Compare without regard to case; a wildcard is the whole leftmost label and stands for one."""
    wanted, given = _labels(name), _labels(pattern)
    if given[:1] == ["*"] and len(given) > 2:
        return len(wanted) == len(given) and wanted[1:] == given[1:]
    return wanted == given


def _labels(name: str) -> list[str]:
    return name.lower().removesuffix(".").split(".")


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
