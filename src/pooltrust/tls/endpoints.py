"""Every kind of connection on the management network: who dials whom, and who proves what to whom.

A table, and nothing else: docs/connections.md is written from it, by `python -m
pooltrust.tls.endpoints`.  The code that keeps these rules is in dial.py, contexts.py and
answer.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pooltrust.terms import JOIN_NAME, POOL_NAME


class Kind(StrEnum):
    """What a connection is for; the words are those of docs/connections.md."""

    MEMBER = "member"
    RETURNING = "returning member"
    JOINER_LOOK = "joiner, first look"
    JOINER_MEETING = "joiner, meeting"
    COMMAND_LINE = "command line"
    LOCAL_COMMAND_LINE = "command line on the host"
    CONSOLE = "console"
    BROWSER = "browser of the console"
    API_CLIENT = "third-party API client"
    CERTIFIED = "client with a certificate"
    OTHER_POOL = "another pool"
    BALANCING = "Workload Balancing"
    BALANCING_LOOK = "Workload Balancing, first look"
    TEST_POST = "test post"
    BALANCING_IN = "Workload Balancing, calling in"
    CONVERSION = "Conversion Manager"


class Direction(StrEnum):
    """As seen from a host of the pool."""

    BOTH = "dialled and answered"
    OUT = "dialled"
    IN = "answered"
    NONE = "neither dialled nor answered"


class Expects(StrEnum):
    """What the dialling side expects of the other; see trust/expect.py."""

    MEMBER = "Member"
    SERVER = "Server"
    PINNED = "Pinned"
    SERVER_OR_PINNED = "Server or Pinned"
    ANYONE = "Anyone"
    OWN_RULES = "by the client's own rules"
    NO_TLS = "no TLS"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One kind of connection.

    `server_name` is the TLS server name asked for; empty means any other, or none.
    `client_proof` is how the dialling side proves who it is.
    """

    kind: Kind
    dials: str
    answers: str
    direction: Direction
    server_name: str
    expects: Expects
    client_proof: str
    rule: str
    reason: str


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        kind=Kind.MEMBER,
        dials="a member",
        answers="another member",
        direction=Direction.BOTH,
        server_name=POOL_NAME,
        expects=Expects.MEMBER,
        client_proof="its pool identity, in the roster",
        rule="Exactly the certificates that the roster accepts from that host, on both sides; "
        "TLS 1.3, no session tickets, then a hello with signed heads before anything else.",
        reason="A bundle of everybody would let any member pass as any other.",
    ),
    Endpoint(
        kind=Kind.RETURNING,
        dials="a member that missed log entries",
        answers="any member",
        direction=Direction.BOTH,
        server_name=JOIN_NAME,
        expects=Expects.ANYONE,
        client_proof="a signature in the message by a key that the log once accepted",
        rule="Heads and log entries only; each entry proves itself, whoever sends it.",
        reason="Every certificate that it knows may have been refreshed while it was off.",
    ),
    Endpoint(
        kind=Kind.JOINER_LOOK,
        dials="a host that wants to join",
        answers="the coordinator",
        direction=Direction.BOTH,
        server_name=JOIN_NAME,
        expects=Expects.ANYONE,
        client_proof="none",
        rule="Public facts are read and nothing is sent; with a join code, or an expected "
        "thumbprint, only that certificate is accepted.",
        reason="The first connection is trusted; who was met is shown and recorded in the log.",
    ),
    Endpoint(
        kind=Kind.JOINER_MEETING,
        dials="a host that wants to join",
        answers="the coordinator",
        direction=Direction.BOTH,
        server_name=JOIN_NAME,
        expects=Expects.PINNED,
        client_proof="a signature by its new pool identity, and a proof of code or password",
        rule="The certificate of the first look and no other; no secret is ever sent.",
        reason="A man in the middle has other certificates, so the proofs do not fit.",
    ),
    Endpoint(
        kind=Kind.COMMAND_LINE,
        dials="xe, from anywhere",
        answers="a host",
        direction=Direction.IN,
        server_name="",
        expects=Expects.SERVER_OR_PINNED,
        client_proof="user name and password, or a session",
        rule="The host's server identity: by chain and name, or as the known host met before.",
        reason="A password must not be sent to somebody else.",
    ),
    Endpoint(
        kind=Kind.LOCAL_COMMAND_LINE,
        dials="xe, on the host itself",
        answers="that host",
        direction=Direction.IN,
        server_name="",
        expects=Expects.NO_TLS,
        client_proof="the kernel's word for its user (peer credentials)",
        rule="A Unix socket; nothing leaves the machine.",
        reason="The emergency commands must work when certificates do not.",
    ),
    Endpoint(
        kind=Kind.CONSOLE,
        dials="pooltrust console",
        answers="a host",
        direction=Direction.IN,
        server_name="",
        expects=Expects.SERVER_OR_PINNED,
        client_proof="user name and password, or a session",
        rule="As the command line; a changed certificate is shown before anything is said.",
        reason="It holds the passwords of many pools.",
    ),
    Endpoint(
        kind=Kind.BROWSER,
        dials="a browser",
        answers="pooltrust console, on the same machine",
        direction=Direction.NONE,
        server_name="",
        expects=Expects.NO_TLS,
        client_proof="the console's token",
        rule="Loopback only; it is not on the management network.",
        reason="Other users of that machine must not get in.",
    ),
    Endpoint(
        kind=Kind.API_CLIENT,
        dials="a program that uses the API, or a browser",
        answers="a host",
        direction=Direction.IN,
        server_name="",
        expects=Expects.OWN_RULES,
        client_proof="user name and password, or a session; a certificate if that is switched on",
        rule="The server identity, TLS 1.2 or newer, P-384 included.",
        reason="Clients verify the host with their own anchors; old ones speak TLS 1.2 only.",
    ),
    Endpoint(
        kind=Kind.CERTIFIED,
        dials="an API client that shows a certificate",
        answers="a host",
        direction=Direction.IN,
        server_name="",
        expects=Expects.OWN_RULES,
        client_proof="a certificate from an authority that is installed for it",
        rule="Asked for only where that is switched on; chain, dates and revocation lists count, "
        "and its name opens a session with the role client-cert.",
        reason="Programs can log in without a password that somebody has to keep.",
    ),
    Endpoint(
        kind=Kind.OTHER_POOL,
        dials="a host",
        answers="the coordinator of another pool",
        direction=Direction.OUT,
        server_name="",
        expects=Expects.PINNED,
        client_proof="a session of that pool",
        rule="Exactly the certificate that the administrator named, before the session is said.",
        reason="What another pool trusts is copied from it, and from nobody else.",
    ),
    Endpoint(
        kind=Kind.BALANCING,
        dials="a host",
        answers="the Workload Balancing appliance",
        direction=Direction.OUT,
        server_name="",
        expects=Expects.SERVER_OR_PINNED,
        client_proof="the appliance's user name and password",
        rule="Its certificate must be installed in the pool first: as an anchor, with its name, "
        "or pinned.  So wherever the pool says so (wlb-verify-cert) or the host verifies anybody.",
        reason="The host sends it a password and the pool's figures.",
    ),
    Endpoint(
        kind=Kind.BALANCING_LOOK,
        dials="a host",
        answers="the Workload Balancing appliance",
        direction=Direction.OUT,
        server_name="",
        expects=Expects.ANYONE,
        client_proof="none",
        rule="Nothing is said; its certificate is shown to whoever is about to pin it.",
        reason="An administrator compares the thumbprint, and the next connection expects it.",
    ),
    Endpoint(
        kind=Kind.TEST_POST,
        dials="a host",
        answers="a web server that an administrator names",
        direction=Direction.OUT,
        server_name="",
        expects=Expects.SERVER_OR_PINNED,
        client_proof="none",
        rule="A host of the pool by its server identity, anybody else as an appliance.",
        reason="It shows whom a host would believe there, before anything depends on it.",
    ),
    Endpoint(
        kind=Kind.BALANCING_IN,
        dials="the Workload Balancing appliance",
        answers="a host",
        direction=Direction.IN,
        server_name="",
        expects=Expects.OWN_RULES,
        client_proof="user name and password",
        rule="It is an API client like any other.",
        reason="It reads the pool's figures through the API.",
    ),
    Endpoint(
        kind=Kind.CONVERSION,
        dials="the Conversion Manager appliance",
        answers="a host",
        direction=Direction.IN,
        server_name="",
        expects=Expects.OWN_RULES,
        client_proof="user name and password; no certificate is asked for",
        rule="Exempt as a TLS client end point; hosts never dial it.",
        reason="It has no part in the pool's TLS: its certificate is never looked at.",
    ),
)
"""The table; the order is that in which it is shown."""

_HEAD = """\
# Every kind of connection

Who dials whom on the management network, and who proves what to whom.  This page is written
from the table that the program has of them; how the rules come about is in [trust.md](trust.md).
"""


def page() -> str:
    """The text of docs/connections.md."""
    return "\n".join((_HEAD, *map(_section, ENDPOINTS)))


def _section(endpoint: Endpoint) -> str:
    name = f"`{endpoint.server_name}`" if endpoint.server_name else "any other, or none"
    lines = (
        f"## {endpoint.kind[0].upper()}{endpoint.kind[1:]}\n",
        f"{endpoint.dials[0].upper()}{endpoint.dials[1:]} → {endpoint.answers}; as seen from a "
        f"host of the pool: {endpoint.direction}.  {endpoint.reason}\n",
        f"* TLS server name: {name}",
        f"* the dialling side expects: {endpoint.expects}",
        f"* and proves itself by: {endpoint.client_proof}",
        f"* {endpoint.rule}\n",
    )
    return "\n".join(lines)


if __name__ == "__main__":
    print(page(), end="")
