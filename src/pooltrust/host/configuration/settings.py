"""The keys of a host's configuration file: one table, with how each value is read and written.

It knows the keys one by one; how they make a `Config` together is in config.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from pooltrust.pki.mint import KeyKind
from pooltrust.pki.names import BadName, dns_names, ip_addresses


class Unusable(Exception):
    """A value that a key can't have; the text says what is allowed."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a configuration file."""

    where: str
    met: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.where}: met {self.met}; allowed is {self.allowed}"


@dataclass(frozen=True, slots=True)
class Setting:
    """One key: its field of `Config`, how it is read, what a reader should know of it."""

    section: str
    key: str
    field: str
    read: Callable[[Any], Any]
    about: str
    default: Any = None
    required: bool = False

    @property
    def label(self) -> str:
        """How messages call it."""
        return f"[{self.section}] {self.key}"


def met(value: object, *, quote: bool = True) -> str:
    """A value from the file as one short, harmless piece of a line."""
    if isinstance(value, dict):
        return "a table"
    try:
        text = repr(value) if quote else repr(value)[1:-1]
    except (ValueError, RecursionError):  # a hexadecimal number of 5,000 digits
        return f"{type(value).__name__} of no printable size"
    text = text.encode("ascii", "backslashreplace").decode()
    return text if len(text) <= 80 else text[:77] + "..."


def written(value: object) -> str:
    """A field of `Config` as a TOML value."""
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case timedelta():
            return str(value.days)
        case tuple():
            return "[" + ", ".join(written(item) for item in value) + "]"
    return '"' + "".join(_escaped(character) for character in str(value)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Unusable("a text in quotes")
    return value


def _dns_name(value: Any) -> str:
    try:
        return dns_names([_text(value)])[0]
    except BadName as why:
        raise Unusable(f"a DNS name in quotes: {why}") from why


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise Unusable('a list of DNS names, e.g. ["h1.example.org"]')
    if len(value) > 64:
        raise Unusable("at most 64 names")
    return tuple(dict.fromkeys(_dns_name(name) for name in value))


def _listen(value: Any) -> str:
    text = _text(value)
    try:
        if "%" not in text:  # a zone is refused as it is in an address
            return str(ip_address(text))
    except ValueError:
        pass
    raise Unusable("an IP address in quotes, or 0.0.0.0 or :: for every one")


def _address(value: Any) -> str:
    try:
        return str(ip_addresses([_text(value)])[0])
    except BadName as why:
        raise Unusable(f"the IP address at which other hosts reach this one: {why}") from why


def _path(value: Any) -> Path:
    if not isinstance(value, str) or not value or "\0" in value:
        raise Unusable("a path in quotes")
    try:
        return Path(value).expanduser()
    except RuntimeError as why:
        raise Unusable("a path in quotes, beginning with the home of somebody known") from why


def _pam_service(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch("[a-z0-9][a-z0-9_.-]{0,63}", value):
        return value
    raise Unusable("the name of a file in /etc/pam.d, in quotes and in lower case")


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Unusable("true or false, without quotes")
    return value


def _whole(least: int, most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        # TOML's true is an int to Python.
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise Unusable(f"a whole number from {least} to {most}")
        return value

    return read


def _days(most: int) -> Callable[[Any], timedelta]:
    whole = _whole(1, most)
    return lambda value: timedelta(days=whole(value))


def _one_of(*words: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in words:
            raise Unusable("one of " + ", ".join(f'"{word}"' for word in words))
        return value

    return read


def _key_kind(value: Any) -> KeyKind:
    return KeyKind(_one_of(*(kind.value for kind in KeyKind))(value))


SETTINGS = (
    Setting("host", "name", "name", _dns_name, "The host's name, a DNS name.", required=True),
    Setting(
        "host",
        "address",
        "address",
        _address,
        "The management address: where the other hosts reach this one.\n"
        "It is in the server certificate.",
        required=True,
    ),
    Setting(
        "host", "listen", "listen", _listen, "The address to listen on; without it, `address`."
    ),
    Setting(
        "host",
        "names",
        "names",
        _names,
        "More DNS names for the server certificate, besides `name`.",
        default=(),
    ),
    Setting(
        "host",
        "port",
        "port",
        _whole(1, 65535),
        "The port for HTTPS, the same on every member of a pool.\n"
        "Without it 443 as root, 8443 otherwise.",
    ),
    Setting(
        "state",
        "folder",
        "folder",
        _path,
        "The folder for keys, trust log and database; only this host's user may write to it.",
    ),
    Setting(
        "socket",
        "path",
        "socket",
        _path,
        "The Unix socket for commands on this host.",
    ),
    Setting(
        "verification",
        "at_founding",
        "verification_at_founding",
        _truth,
        "Whether the pool that this host founds verifies every connection.",
        default=True,
    ),
    Setting(
        "verification",
        "expired_pool_identity",
        "expired_pool_identity",
        _one_of("alert", "refuse"),
        'A member whose pool identity has expired: "alert" goes on with it (it is pinned\n'
        'exactly) and raises an alert, "refuse" does not connect.',
        default="alert",
    ),
    Setting(
        "identity",
        "server_key",
        "server_key",
        _key_kind,
        "The key of the server identity: "
        + ", ".join(f'"{kind.value}"' for kind in KeyKind)
        + ".\nThe original xe command can talk to RSA only.",
        default=KeyKind.RSA2048,
    ),
    Setting(
        "identity",
        "pool_lifetime_days",
        "pool_lifetime",
        _days(3650),
        "How long a pool identity is valid; it is refreshed at two thirds of that.",
        default=timedelta(days=365),
    ),
    Setting(
        "identity",
        "server_lifetime_days",
        "server_lifetime",
        _days(36500),
        "How long a server identity is valid; it is never renewed unasked.",
        default=timedelta(days=3650),
    ),
    Setting(
        "login",
        "passwords",
        "passwords",
        _one_of("pool", "pam"),
        'Who checks passwords of clients: "pool" by its own accounts, "pam" by this host\'s PAM,\n'
        "with the users and groups of the operating system.",
        default="pool",
    ),
    Setting(
        "login",
        "pam_service",
        "pam_service",
        _pam_service,
        "The service of PAM: a file in /etc/pam.d.",
        default="pooltrust",
    ),
    Setting(
        "login",
        "session_hours",
        "session_hours",
        _whole(1, 8760),
        "After how many hours without a call a session ends.",
        default=24,
    ),
    Setting(
        "log",
        "level",
        "log_level",
        _one_of("debug", "info", "warning", "error"),
        'The least that is logged: "debug", "info", "warning" or "error".',
        default="info",
    ),
)
"""Every key, in the order of the file that `host init` writes."""
