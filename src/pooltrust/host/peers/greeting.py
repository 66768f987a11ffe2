"""The hello: what two members say to each other before anything else.

In TLS 1.3 the dialling side sees success before the other has judged its certificate, so both
greet first.  The dialler says whom it expects and a nonce; the answerer signs its head over that
nonce, or says why it refuses; the dialler signs its own head over the answerer's nonce.  Either
shows the other a head of its own that it must not have signed, if it is a copy: see witness.py.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Protocol

from pooltrust.errors import CannotConnect, CannotContactHost, CannotVerify, FrameError
from pooltrust.host.belief import Belief
from pooltrust.host.peers import wire
from pooltrust.host.telling.witness import Witness
from pooltrust.terms import HostId, Thumbprint
from pooltrust.tls.reasons import Side
from pooltrust.trust.heads import BadHead, Head, Life, SignedHead, sign_head

HELLO_SECONDS = 5.0
VERSION = 1


class Frames(Protocol):
    """One framed connection."""

    async def send(self, frame: wire.Frame) -> None:
        """Send one frame."""

    async def receive(self, timeout: float) -> wire.Frame:  # noqa: ASYNC109
        """Wait for one frame, `timeout` seconds at most."""


@dataclass(frozen=True, slots=True)
class Greeted:
    """What a peer said in its hello: who it is, and the head that it signed over our nonce.

    No head: while verification is off, one who has not proved itself is greeted all the same.
    """

    host: HostId
    head: Head | None
    signed: SignedHead | None = None
    """The head as it came."""


def own_head(belief: Belief, nonce: bytes) -> SignedHead:
    """This host's head, signed over the asker's nonce."""
    roster = belief.roster
    head = Head(
        pool=roster.pool,
        number=roster.number,
        hash=roster.head,
        nonce=nonce,
        host=belief.me,
        signer=belief.identities.pool.identity.certificate.thumbprint,
        start=belief.start.number,
        instance=belief.start.instance,
        run=belief.start.run,
        vouches=belief.is_coordinator and belief.is_current(),
    )
    return sign_head(head, belief.identities.pool.identity)


def checked_head(belief: Belief, signed: SignedHead, host: HostId, nonce: bytes) -> Head:
    """The head in it, if `host` signed it over this nonce for our pool.

    Raises CannotVerify.
    """
    name = belief.roster.expect(host).name
    try:
        head = signed.verify(belief.roster, nonce=nonce)
    except BadHead as why:
        raise _forged(name, str(why)) from why
    if head.host != host:
        raise _forged(name, "it speaks for another host")
    return head


async def greet(
    frames: Frames,
    belief: Belief,
    host: HostId,
    nonce: bytes,
    *,
    witness: Witness | None = None,
    proved: bool = True,
) -> Greeted:
    """Greet the member that was dialled.

    `nonce`: 32 fresh random bytes.  `proved`: whether TLS has met a certificate of that host.
    Raises CannotVerify, PeerMisspoke, or the peer's refusal.
    """
    hello = {"hello": VERSION, "pool": belief.roster.pool, "host": belief.me, "expect": host}
    try:
        await frames.send({**hello, "nonce": wire.b64(nonce), "life": asdict(belief.life)})
        answer = await frames.receive(HELLO_SECONDS)
    except CannotConnect as why:
        raise CannotContactHost(host, why=f"{why.expected} was met, no hello: {why.why}") from why
    if "refused" in answer:
        raise wire.refused(answer["refused"])
    signed = wire.head(answer)
    try:
        head = checked_head(belief, signed, host, nonce)
    except CannotVerify:
        if proved:
            raise
        head = None
    _hear(answer, witness)
    shown = _against(host, head.life if head else None, witness)
    mine = own_head(belief, wire.nonce(answer))
    await frames.send({"head": wire.head_content(mine), **shown})
    return Greeted(host, head, signed)


async def answer(
    frames: Frames,
    belief: Belief,
    met: tuple[HostId, Thumbprint],
    nonce: bytes,
    witness: Witness | None = None,
) -> SignedHead:
    """Answer the greeting of the member whose certificate TLS has verified.

    Returns the head that it signed over our nonce, unchecked: `checked_head` checks it when it
    matters.  Raises CannotVerify when it is somebody else or wanted somebody else, or says no
    hello.
    """
    peer, shown = met
    try:
        hello = await frames.receive(HELLO_SECONDS)
        wrong = _what_is_wrong(hello, belief, peer, shown)
        if wrong is not None:
            await frames.send({"refused": wire.refusal(wrong)})
            raise wrong
        head = wire.head_content(own_head(belief, wire.nonce(hello)))
        known = _against(peer, _life(hello), witness)
        await frames.send({"hello": VERSION, "nonce": wire.b64(nonce), "head": head, **known})
        last = await frames.receive(HELLO_SECONDS)
        _hear(last, witness)
        return wire.head(last)
    except (CannotConnect, FrameError) as why:
        raise _no_hello(belief, peer, shown, why.why) from why


def _life(hello: wire.Frame) -> Life | None:
    """The life that the dialler says it is in; it signs it later."""
    said = hello.get("life")
    if not isinstance(said, dict):
        return None
    instance, run = (wire.text(said, name, limit=64) for name in ("instance", "run"))
    return Life(instance, wire.number(said, "start"), run)


def _against(host: HostId, life: Life | None, witness: Witness | None) -> wire.Frame:
    """What to show a host that must not be in this life."""
    known = witness.against(host, life) if witness and life else None
    return {"remembered": wire.head_content(known)} if known else {}


def _hear(frame: wire.Frame, witness: Witness | None) -> None:
    if witness is not None and "remembered" in frame:
        witness.hear(wire.head(frame, "remembered"))


def _what_is_wrong(
    hello: wire.Frame, belief: Belief, peer: HostId, shown: Thumbprint
) -> CannotVerify | None:
    if wire.number(hello, "hello") != VERSION:
        return CannotVerify(
            "they speak different versions of the pool's protocol",
            expected=f"version {VERSION} of the hello",
            met=f"version {hello['hello']}",
            remedy="Upgrade the older host.",
        )
    if wire.text(hello, "pool") != belief.roster.pool:
        return CannotVerify(
            "the two hosts belong to different pools",
            expected=f"pool {belief.roster.pool[:16]}…",
            met=f"pool {str(hello['pool'])[:16]}…",
            remedy="Join the pool again: xe pool-join",
        )
    if wire.host(hello, "host") != peer:
        return CannotVerify(
            "the certificate belongs to another member",
            expected=str(belief.roster.expect(HostId(str(hello["host"])))),
            met=f"certificate {shown} of {_named(belief, peer)}",
            remedy="Check the identities of both hosts: pooltrust host status",
        )
    if wire.host(hello, "expect") != belief.me:
        return CannotVerify(
            "another host was wanted",
            expected=_named(belief, HostId(str(hello["expect"]))),
            met=_named(belief, belief.me),
            remedy="Check the address of the host that was wanted: pooltrust host status",
        )
    return None


def _no_hello(belief: Belief, peer: HostId, shown: Thumbprint, why: str) -> CannotVerify:
    return CannotVerify(
        f"it did not say its hello: {why}",
        expected=f"the hello of {_named(belief, peer)}",
        met=f"its certificate {shown}",
        remedy="Look at that host's log: it may have expected another host at this address.",
        by=Side.PEER,
    )


def _named(belief: Belief, host: HostId) -> str:
    return f"{belief.roster.expect(host).name} ({host})"


def _forged(name: str, why: str) -> CannotVerify:
    return CannotVerify(
        f"its log head is not to be trusted: {why}",
        expected=f"a head signed by {name}",
        met="another",
        remedy="Compare the logs: pooltrust log verify",
    )
