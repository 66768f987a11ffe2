"""What a join would do, before anything is said to the pool.

A join is no stored operation: one entry of the pool's log decides it, and both sides are as they
were until that is written.  The meeting itself is in host/meeting/.
"""

from __future__ import annotations

from collections.abc import Iterator

from pooltrust.pool.join import Facts, blockers
from pooltrust.pool.plan.demands import Reason
from pooltrust.pool.plan.preview import Line, Preview
from pooltrust.terms import HostId, Thumbprint

NOBODY_KNOWN: frozenset[HostId] = frozenset()


def join_preview(joiner: Facts, pool: Facts, met: Thumbprint) -> Preview:
    """The join of this host to the pool whose coordinator answers with certificate `met`."""
    who, whom = joiner.name, pool.name
    reasons = blockers(joiner, pool, NOBODY_KNOWN)
    return Preview(
        operation="join",
        title=f"the join of {who} to the pool of {whom}",
        hosts=(who, whom),
        order=(
            Line("meet", (f"{who} meets {whom}, which must show certificate {met}",), False),
            Line(
                "prove", ("both prove that they know the password or code; it is not sent",), False
            ),
            Line("stage", (f"{who} fetches and checks the trust log of the pool",), False),
            Line("admit", (f"write into the trust log: {who} is a member",), True),
            Line("move", (f"{who} follows the log of its new pool; its own records go",), False),
            *_brought(joiner, pool),
        ),
        drops=f"Members connect to {who} under its new identity; its clients stay connected, and "
        "their sessions end.",
        blockers=tuple(Reason(joiner.host, str(one)) for one in reasons),
        later=(),
        undo=(f"nothing before it is admitted; then: xe pool-eject host-uuid={joiner.host}",),
        standing="Until it is admitted, both sides are as they were.",
    )


def _brought(joiner: Facts, pool: Facts) -> Iterator[Line]:
    """What the pool comes to trust by it."""
    there = {one.thumbprint for one in pool.anchors}
    new = [one.name or one.thumbprint for one in joiner.anchors if one.thumbprint not in there]
    if new:
        yield Line("bring", (f"the pool trusts what {joiner.name} did: {', '.join(new)}",), False)
