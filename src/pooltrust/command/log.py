"""`pooltrust log show` and `pooltrust log verify`: a trust log read from its file, unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from pooltrust.command.tables import shown
from pooltrust.errors import Refused, failure
from pooltrust.host.configuration.config import Config
from pooltrust.host.folder import StateFolder
from pooltrust.pki.certificate import read
from pooltrust.terms import Thumbprint
from pooltrust.trust.entries import Body
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.store import Contents, read_log, torn_file


@failure("NO_TRUST_LOG", cure="Set the host up first: pooltrust host init")
class NoTrustLog(Refused):
    """There is no trust log at {file}."""

    file: str


def file(named: Path | None, config: Path) -> Path:
    """The log to read: the named one, or the configured host's.  Raises NoTrustLog, BadConfig."""
    path = named or StateFolder(Config.read(config).folder).log
    if not path.is_file():
        raise NoTrustLog(str(path))
    return path


def show(path: Path, as_json: bool) -> int:
    """Print every entry: number, time, who by which call, and what."""
    for signed in read_log(path):
        print(signed.payload.decode() if as_json else _line(signed))
    return 0


def verify(path: Path) -> int:
    """Check the log from its founding entry on, and say what follows from it."""
    contents = Contents.read(path)
    roster = contents.verified().roster
    coordinator = roster.members[roster.coordinator]
    print(f"The log holds: {roster.number} entries, every hash, signature and rule checked.")
    print(f"  pool          {roster.pool}")
    print(f"  head          {roster.head}")
    print(f"  coordinator   {shown(coordinator.name)} ({coordinator.host})")
    print(f"  verification  {'on' if roster.verification else 'off'}")
    for member in roster.members.values():
        pool = ", ".join(str(one.thumbprint) for one in member.certificates)
        print(f"  member        {shown(member.name)} ({member.host}) at {shown(member.address)}")
        print(f"                pool    {pool}")
        print(f"                server  {member.server.thumbprint}")
    for words in _end(contents):
        print(words)
    return 0


def _end(contents: Contents) -> Iterator[str]:
    """What is wrong with the end of the file, and what the daemon makes of it at its start."""
    cut = torn_file(contents.path)
    if contents.torn:
        length = len(contents.torn)
        yield f"The last {length} bytes are no whole entry and don't count: a write was cut off."
        yield f"The daemon moves them to {cut} when it starts."
    if contents.unended:
        yield "The last entry has lost its newline: an editor, or a crash.  It counts all the same;"
        yield "the daemon writes the newline when it starts."
    if cut.exists():
        yield f"Bytes that were cut off the end at an earlier start are in {cut}."


def _line(signed: SignedEntry) -> str:
    entry = signed.entry
    when = f"{entry.at:%Y-%m-%d %H:%M:%SZ}"
    alone = " (alone)" if entry.alone else ""
    by = f"{shown(entry.by)} by {shown(entry.call)}"
    return f"{entry.number:>5}  {when}  {entry.body.kind}{alone}  {_said(entry.body)}  [{by}]"


def _said(body: Body) -> str:
    """The fields that people compare; certificates by their thumbprints, signatures left out."""
    said = []
    for field in fields(body):
        value = getattr(body, field.name)
        if field.name in ("certificate", "server"):
            said.append(f"{field.name}={Thumbprint.of(read(value).der).short}…")
        elif isinstance(value, str | int | Thumbprint):
            said.append(f"{field.name}={shown(str(value))}")
    return " ".join(said)
