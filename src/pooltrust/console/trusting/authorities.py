"""The authorities that an administrator gave this console: whoever they certify for a name is it.

None is built in, not even those of the operating system.  Kept as PEM.  Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pooltrust.console.trusting.kept import BadKnownServers
from pooltrust.errors import Refused, failure
from pooltrust.pki import pemtext
from pooltrust.pki.certificate import BadCertificate, Certificate, read, read_pem
from pooltrust.pki.expiry import Validity, validity
from pooltrust.pki.offered.chain import may_issue

MOST = 400
"""More than any operating system's list."""
WEAK = ("RSA-512", "RSA-768", "RSA-1024")


@failure("AUTHORITY_REFUSED")
class NoAuthority(Refused):
    """{who} can't be an authority of this console: {why}."""

    who: str
    why: str
    remedy: str = "Give the certificate of the authority itself, in PEM or DER."


@dataclass(frozen=True, slots=True)
class Authorities:
    """Those that are believed; a change is a new value."""

    certificates: tuple[Certificate, ...] = ()

    def __iter__(self) -> Iterator[Certificate]:
        return iter(self.certificates)

    def named(self, thumbprint: str) -> Certificate | None:
        """The one with this thumbprint, if it is believed."""
        return next((one for one in self if str(one.thumbprint) == thumbprint), None)

    def with_(self, more: Iterable[Certificate]) -> Authorities:
        """With these too.  Raises NoAuthority if that is more than can be kept."""
        together = tuple(dict.fromkeys([*self.certificates, *more]))
        if len(together) > MOST:
            raise NoAuthority("What was given", f"{len(together)} authorities; at most {MOST}")
        return Authorities(together)

    def without(self, thumbprint: str) -> Authorities:
        """Without this one."""
        return Authorities(tuple(one for one in self if str(one.thumbprint) != thumbprint))


def offered(data: bytes, now: datetime) -> tuple[Certificate, ...]:
    """The authorities in a file of PEM, or of one certificate in DER.

    Of a list those are left out whose time is over, as systems' lists have some.  Raises
    NoAuthority for anything else that is none, and if nothing is left.
    """
    found = dict.fromkeys(_read(data))
    for one in found:
        _judge(one)
    good = tuple(one for one in found if validity(one, now) is Validity.VALID)
    if not good:
        one = next(iter(found))
        span = f"it is valid from {one.not_before:%F %T} to {one.not_after:%F %T} UTC"
        raise NoAuthority(one.subject, f"it has expired or is not valid yet: {span}")
    return good


def _read(data: bytes) -> list[Certificate]:
    pem = b"-----BEGIN" in data
    try:
        return read_pem(data) if pem else [read(data)]
    except BadCertificate as why:
        words = str(why) if pem else "it is neither PEM nor one certificate in DER"
        raise NoAuthority("What was given", words) from why


def _judge(one: Certificate) -> None:
    if not may_issue(one):
        raise NoAuthority(
            one.subject or "It",
            "it is a server's certificate, or may not issue any",
            "Give the certificate of who issued it.  To believe that one server, connect to it and "
            "compare its thumbprint.",
        )
    if one.key in WEAK:
        raise NoAuthority(one.subject, f"its key is weak ({one.key})")


def beside(known_servers: Path) -> Path:
    """The file of the authorities that belongs to a file of known servers."""
    return known_servers.with_name(f"{known_servers.stem}.authorities.pem")


def written(authorities: Authorities) -> bytes:
    """As PEM, to be kept."""
    return "".join(one.pem() for one in authorities).encode("ascii")


def read_authorities(data: bytes, file: str) -> Authorities:
    """Read `written`.  Raises BadKnownServers."""
    try:
        return Authorities(tuple(read(der) for der in pemtext.blocks(data, "CERTIFICATE")))
    except (pemtext.BadPem, BadCertificate) as why:
        remedy = "Correct the file, or move it away: then no authority is believed."
        raise BadKnownServers(file, str(why), remedy) from why
