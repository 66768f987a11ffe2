"""One first meeting on the coordinator's side: what has been said, and what may follow from it.

A value that fills up as frames come; it sends and stores nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from pooltrust.errors import CannotVerify
from pooltrust.host.meeting.facts import facts
from pooltrust.host.meeting.proofs import HostProof
from pooltrust.host.peers import wire
from pooltrust.pki.certificate import Certificate, read
from pooltrust.pki.mint import pool_host
from pooltrust.pool.join import Facts
from pooltrust.terms import Thumbprint
from pooltrust.trust.entries import HostAdmitted
from pooltrust.trust.log import Log
from pooltrust.trust.transcript import statement


@dataclass(slots=True)
class Meeting:
    """One first meeting, as far as it has come."""

    address: str
    joiner_nonce: bytes = b""
    coordinator_nonce: bytes = b""
    proof: HostProof | None = None
    joiner: Facts | None = None
    certificate: Certificate | None = None
    server: Certificate | None = None
    signature: bytes = b""
    proved: bool = False
    story: tuple[Log, int] | None = None
    steps: int = 0
    done: bool = False
    tls_version: str = ""

    def introduced(self, frame: wire.Frame) -> tuple[HostProof, Certificate, Certificate]:
        """Take the joiner's papers; returns how it will prove itself, its pool certificate and its
        server certificate.

        Raises PeerMisspoke for papers out of turn.
        """
        if self.proof is None or self.certificate is not None:
            raise wire.PeerMisspoke("an introduction out of turn")
        self.joiner = facts(frame)
        self.certificate = _certificate(frame, "certificate")
        self.server = _certificate(frame, "server")
        self.signature = wire.raw(frame, "signature", limit=1024)
        return self.proof, self.certificate, self.server

    def proved_by(self) -> tuple[Facts, HostProof]:
        """Who has proved itself, and how.  Raises PeerMisspoke before it has."""
        if not self.proved or self.joiner is None or self.proof is None:
            raise wire.PeerMisspoke("a request before the proof")
        return self.joiner, self.proof

    def admission(self) -> HostAdmitted:
        """The entry that admits the joiner.  Raises PeerMisspoke."""
        joiner, proof = self.proved_by()
        if self.certificate is None or self.server is None:
            raise wire.PeerMisspoke("an admission out of turn")
        try:
            return HostAdmitted(
                host=joiner.host,
                name=joiner.name,
                address=joiner.address,
                certificate=self.certificate.der,
                server=self.server.der,
                kinds=joiner.kinds,
                met=proof.way,
                coordinator_nonce=self.coordinator_nonce,
                joiner_nonce=self.joiner_nonce,
                signature=self.signature,
            )
        except ValueError as why:
            raise wire.PeerMisspoke(f"facts that can't be written down: {why}") from why

    def check_possession(self, agreed: bytes) -> None:
        """Whether the joiner holds its certificate's key; `agreed` is the transcript.

        Raises CannotVerify.
        """
        joiner, certificate = self.joiner, self.certificate
        if joiner is None or certificate is None:
            raise wire.PeerMisspoke("a proof before the introduction")
        said = statement("joiner", agreed)
        if _named(certificate) == joiner.host and certificate.verify(self.signature, said):
            return
        raise CannotVerify(
            "it did not prove that it holds its certificate's key",
            expected=f"{joiner.name} ({joiner.host})",
            met=f"{certificate.subject} with certificate {certificate.thumbprint}",
            remedy="Join again; if it stays, somebody is in between: use a join code.",
            certificate=Thumbprint.of(certificate.der),
        )


def _named(certificate: Certificate) -> str | None:
    try:
        return pool_host(certificate)
    except ValueError:
        return None


def _certificate(frame: wire.Frame, field: str) -> Certificate:
    try:
        return read(wire.raw(frame, field))
    except ValueError as why:
        raise wire.PeerMisspoke(f"{field!r} is no certificate: {why}") from why
