"""What must be true of a pool, looked at from outside.

Some of it always: no two hosts disagree about an entry.  The rest at quiet moments, when nobody is
hurt any more and the pool had a moment to settle.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from pools.stage import Host, within
from pooltrust.terms import Thumbprint
from pooltrust.trust.entries import CertificateAccepted, Founded, HostAdmitted
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.store import read_identity, verify_log

SETTLE_SECONDS = 45.0
"""In which a pool that nobody hurts is whole again; most of them for a slow machine."""

DEFECT = re.compile(r" error (?:\S*defect\S*|message) |Traceback|INTERNAL_ERROR")


def entries(log: Path) -> list[SignedEntry]:
    """The whole entries in a host's log file now; what is being written is left out."""
    lines = log.read_bytes().splitlines(keepends=True)
    return [SignedEntry.from_line(line) for line in lines if line.endswith(b"\n")]


def disagreements(hosts: Iterable[Host]) -> list[str]:
    """The numbers under which two of these hosts have different entries."""
    found, known = [], {}
    for host in hosts:
        for entry in entries(host.state / "trust.log"):
            number = entry.envelope.number
            first = known.setdefault(number, (host.name, entry.hash))
            if first[1] != entry.hash:
                found.append(f"entry {number}: {host.name} has another than {first[0]}")
    return found


def ever_accepted(log: Path) -> set[tuple[str, str]]:
    """Every host with each certificate that this log ever accepted from it."""
    found = set()
    for entry in entries(log):
        match entry.entry.body:
            case Founded() | HostAdmitted() | CertificateAccepted() as body:
                found.add((str(body.host), str(Thumbprint.of(body.certificate))))
    return found


def settled(hosts: list[Host]) -> None:
    """Wait until this pool is as it should be; fails with what was not so."""
    within(SETTLE_SECONDS, lambda: _none(unsettled(hosts)))


def unsettled(hosts: list[Host]) -> Iterator[str]:
    """What is not as it should be, cheapest first.  Members that are not among these may be dead."""
    told = {host.name: host.status() for host in hosts}
    heads = {name: one["head"][:12] for name, one in told.items()}
    if len(set(heads.values())) != 1:
        yield f"their logs differ: {heads}"
    roles = [name for name, one in told.items() if one["role"] == "coordinator"]
    if len(roles) != 1 or len({one["coordinator"] for one in told.values()}) != 1:
        yield f"coordinators: {roles}"
    for host in hosts:
        if told[host.name]["current"] != "yes":
            yield f"{host.name} may have missed something"
        for name, seen in host.probe().items():
            if name in told and seen["verified"] != "true":
                yield f"{host.name} does not believe {name}: {seen['reason']}"
    for host in hosts:
        yield from (f"{host.name}: {words}" for words in unended(host))
    yield from left_over(hosts)


def left_over(hosts: list[Host]) -> Iterator[str]:
    """What a refresh has to clear away: second certificates, and keys of withdrawn ones."""
    log = hosts[0].state / "trust.log"
    ever = {thumbprint for _, thumbprint in ever_accepted(log)}
    for member in verify_log(log).roster.members.values():
        if len(member.certificates) != 1:
            yield f"{len(member.certificates)} certificates are accepted from {member.name}"
    for host in hosts:
        serves = host.members()[host.name]["pool"]["thumbprint"]
        for file in (host.state / "identities").glob("pool-*.pem"):
            kept = str(read_identity(file).identity.certificate.thumbprint)
            if kept in ever and kept != serves:
                yield f"{host.name} has the key of {kept[:23]}…, which was withdrawn"


def unended(host: Host) -> list[str]:
    """The operations that this host knows of and that have not ended."""
    known: list[dict[str, str]] = host.call("pooltrust.get_own_operations")
    going = [one for one in known if one["state"] in ("running", "suspended")]
    return [f"{one['title']} is {one['state']}: {one['words']}" for one in going]


def defects(hosts: Iterable[Host]) -> list[str]:
    """What daemons said about faults of the program itself."""
    return [
        f"{host.name}: {line}"
        for host in hosts
        for line in host.log.read_text().splitlines()
        if DEFECT.search(line)
    ]


def _none(found: Iterator[str]) -> bool:
    first = next(found, None)
    if first is not None:
        raise OSError(first)  # so that `within` shows it
    return True
