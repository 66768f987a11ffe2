"""How speaking with another host can fail."""

from __future__ import annotations

from pooltrust.errors.declaring import Refused, Unreachable, Untrusted, aside, failure
from pooltrust.terms import Thumbprint


@failure("SSL_VERIFY_ERROR")
class CannotVerify(Untrusted):
    """Expected {expected}, met {met}: {reason}."""

    reason: str
    expected: str = aside("somebody known")
    met: str = aside("nobody")
    remedy: str = aside()
    certificate: Thumbprint | None = aside(None)
    tls_version: str = aside()
    by: str = aside("this host")
    """Which side refused; empty if neither did: see Side in tls/reasons.py."""


class NotAccepted(CannotVerify):
    """It is whom we expected, and it said that it does not accept our certificate."""


@failure("TLS_CONNECTION_FAILED", cure="Check that the host is up: pooltrust host status")
class CannotConnect(Unreachable):
    """No connection to {expected} at {address} port {port}: {why}."""

    address: str
    port: int
    expected: str = aside("a host")
    why: str = aside("it did not answer")


@failure("CANNOT_CONTACT_HOST", cure="Check that the host is up: pooltrust host status")
class CannotContactHost(Unreachable):
    """Host {host} did not answer: {why}."""

    host: str
    why: str = aside("no connection")


@failure("PEER_FRAME_ERROR")
class FrameError(Untrusted):
    """{peer} does not speak the pool's protocol: {why}."""

    why: str
    peer: str = aside("The peer")
    remedy: str = aside("Check that both hosts run the same version of pooltrust.")


@failure("CANNOT_LISTEN", cure="See who has it (ss -ltnp), or choose another in the configuration.")
class CannotListen(Refused):
    """This host can't listen on {address} port {port}: {why}."""

    address: str
    port: int
    why: str
