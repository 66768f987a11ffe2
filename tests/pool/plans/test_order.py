"""The order of every plan: what has to be true before what is done, in words."""

from __future__ import annotations

import pytest

from pooltrust.errors import OperationNotAllowed
from pooltrust.pool.operations.eject import eject
from pooltrust.pool.operations.enable import enable
from pooltrust.pool.operations.handover import hand_over
from pooltrust.pool.operations.refresh import refresh
from pooltrust.pool.operations.takeover import recover, take_over
from pooltrust.pool.plan.operation import Do, Done, Operation, Suspended
from pooltrust.pool.plan.picture import Picture, Probed
from pooltrust.pool.plan.plan import Demand, Phase, Plan
from pooltrust.pool.plan.steps import Adopt, Append, Probe, Promote, Retire, Step
from pooltrust.trust.entries import CertificateAccepted, CertificateWithdrawn

from ..fakes import minted
from .planned import (
    ASKED,
    H1,
    H2,
    H3,
    H4,
    ID,
    LOG,
    NEW,
    OLD,
    PLANS,
    THERE,
    missing,
    request,
    with_entries,
)

OLD_ONE, NEW_ONE = f"{OLD.short}…", f"{NEW.short}…"
ALL = "h1, h2, h3 take in the trust log"

ORDER = {
    "refresh": [
        ("accept", "write into the trust log: a second certificate is accepted from h2", "half"),
        ("adopt", ALL, "present, commits"),
        ("promote", f"h2 serves certificate {NEW_ONE}", "nobody"),
        ("probe", f"h1, h2, h3 connect to h2 and meet {NEW_ONE}", "present"),
        (
            "withdraw",
            f"write into the trust log: certificate {OLD_ONE} of h2 is accepted no longer",
            "half, no way back",
        ),
        ("settle", ALL, "half, commits"),
        ("retire", f"h2 deletes the key of {OLD_ONE}", "nobody"),
    ],
    "eject": [
        ("gather", ALL, "nobody"),
        ("dismiss", "write into the trust log: h3 is no member any more", "half, no way back"),
        ("adopt", ALL, "half, commits"),
        ("tell", "h3 takes in the trust log", "nobody"),
    ],
    "enable": [
        ("gather", ALL, "everyone"),
        (
            "probe",
            "h1, h2, h3 connect to one another, and each meets the right certificate",
            "everyone",
        ),
        (
            "require",
            "write into the trust log: every host must verify whom it connects to",
            "everyone, no way back",
        ),
        ("adopt", ALL, "present, commits"),
    ],
    "hand over": [
        ("gather", ALL, "present, commits"),
        ("probe", "h2 connects to every member and meets its certificate", "present"),
        ("hand over", "write into the trust log: h2 is the coordinator", "half, no way back"),
        ("adopt", ALL, "half, commits"),
    ],
    "take over": [
        ("gather", "h2 takes in the trust log", "nobody"),
        (
            "take over",
            "write into the trust log: h2 takes over from the lost coordinator h1",
            "more-than-half, no way back",
        ),
        ("adopt", ALL, "nobody"),
    ],
    "take over alone": [
        ("gather", "h2 takes in the trust log", "nobody"),
        (
            "take over",
            "write into the trust log: h2 takes over from the lost coordinator h1",
            "nobody, no way back",
        ),
        ("adopt", ALL, "nobody"),
    ],
    "recover": [("adopt", ALL, "nobody")],
}
BACK = [
    ("gather", ALL, "nobody"),
    ("promote", f"h2 serves certificate {OLD_ONE}", "present"),
    ("retire", f"h2 deletes the key of {NEW_ONE}", "present"),
    (
        "withdraw",
        f"write into the trust log: certificate {NEW_ONE} of h2 is accepted no longer",
        "half",
    ),
    ("adopt", ALL, "half, commits"),
]


def line(phase: Phase) -> tuple[str, str, str]:
    words = "; ".join(step.words(LOG.roster) for step in phase.steps)
    demand = str(phase.demand) + ", commits" * phase.commits + ", no way back" * phase.final
    return phase.name, words, demand


@pytest.mark.parametrize("kind", PLANS)
def test_the_steps_of_a_plan_stand_in_this_order(kind: str) -> None:
    assert ORDER[kind] == [line(phase) for phase in PLANS[kind].phases]


def test_only_a_refresh_has_anything_to_take_back_and_it_goes_backwards() -> None:
    assert [line(phase) for phase in PLANS["refresh"].undo] == BACK
    assert [kind for kind, plan in PLANS.items() if plan.undo] == ["refresh"]


REFRESH = PLANS["refresh"]
ACCEPTED = with_entries(LOG, request())
WITHDRAWN = with_entries(ACCEPTED, CertificateWithdrawn(H2, OLD, "replaced by a newer one"))
HELD = Picture.whole(ACCEPTED, H1).seen(H2, serves=OLD)
PROMOTED = HELD.seen(H2, serves=NEW)
MET = PROMOTED.probed(*(Probed(host, H2, NEW, ACCEPTED.head_number) for host in (H1, H2, H3)))
SETTLED = Picture.whole(WITHDRAWN, H1).seen(H2, keys=frozenset({OLD, NEW}))

STANDS_AT: dict[str, tuple[Picture, str]] = {
    "as it was": (THERE, "accept"),
    "accepted, and two have not heard": (HELD.seen(H2, held=3).seen(H3, held=3), "adopt"),
    "one that is there has not heard": (HELD.seen(H3, held=3), "adopt"),
    "everybody accepts it": (HELD, "promote"),
    "it is served": (PROMOTED, "probe"),
    "everybody has met it": (MET, "withdraw"),
    "the old one is withdrawn": (SETTLED.seen(H2, held=4).seen(H3, held=4), "settle"),
    "everybody knows": (SETTLED, "retire"),
}


@pytest.mark.parametrize("stands", STANDS_AT)
def test_where_a_refresh_stands_is_read_from_the_picture(stands: str) -> None:
    picture, phase = STANDS_AT[stands]
    now = Operation(REFRESH).next(picture)
    assert isinstance(now, Do) and now.phase == phase


def test_it_is_done_when_the_old_key_is_gone() -> None:
    ended = Operation(REFRESH).next(SETTLED.seen(H2, keys=frozenset({NEW})))
    assert ended == Done("The refresh of h2 is done.")


def test_a_member_that_is_away_does_not_block_a_refresh_and_owes_its_part() -> None:
    picture = SETTLED.seen(H2, keys=frozenset({NEW})).seen(H3, held=3, reachable=False)
    ended = Operation(REFRESH).next(picture)
    assert isinstance(ended, Done)
    assert ended.owed == (Adopt(H3),)
    assert ended.words == "The refresh of h2 is done. Left to be done by h3 on return."


def test_the_host_itself_and_half_of_the_members_do() -> None:
    for away in (H2,), (H2, H3):
        stopped = Operation(REFRESH).next(missing(H1, *away))
        assert isinstance(stopped, Suspended) and stopped.phase == "accept"
        assert [reason.host for reason in stopped.reasons] == [H2]
        assert "xe operation-resume uuid=" in stopped.words


MAY_ABANDON = {"accepted": (HELD, True), "met": (MET, True), "withdrawn": (SETTLED, False)}


@pytest.mark.parametrize("stands", MAY_ABANDON)
def test_a_refresh_is_taken_back_until_the_old_certificate_is_withdrawn(stands: str) -> None:
    picture, may = MAY_ABANDON[stands]
    operation = Operation(REFRESH)
    assert operation.may_abandon(picture) is may
    assert not operation.abandoned().may_abandon(picture)


def test_taking_back_ends_with_the_old_identity_served_and_the_new_one_unknown() -> None:
    back = Operation(REFRESH).abandoned()
    steps: list[tuple[str, tuple[Step, ...]]] = []
    picture = MET
    for then in (
        picture.seen(H2, serves=OLD),
        picture.seen(H2, serves=OLD, keys=frozenset({OLD})),
    ):
        now = back.next(picture)
        assert isinstance(now, Do)
        steps.append((now.phase, now.steps))
        picture = then
    now = back.next(picture)
    assert isinstance(now, Do)
    assert [*steps, (now.phase, now.steps)] == [
        ("promote", (Promote(H2, OLD),)),
        ("retire", (Retire(H2, NEW),)),
        ("withdraw", (REFRESH.undo[3].steps[0],)),
    ]


def _gone(reason: str) -> Picture:
    return Picture.whole(with_entries(ACCEPTED, CertificateWithdrawn(H2, NEW, reason)), H1)


def test_a_certificate_that_was_withdrawn_since_ends_its_refresh() -> None:
    ended = Operation(REFRESH).next(_gone("somebody else"))
    assert isinstance(ended, Done)
    assert ended.words == "The refresh of h2 is over: its new certificate was withdrawn since."


def test_one_that_another_coordinator_has_finished_meanwhile_is_not_taken_back() -> None:
    ended = Operation(REFRESH).abandoned().next(SETTLED)
    assert isinstance(ended, Done)
    over = "The refresh of h2 is over: another coordinator had finished it by then."
    assert ended.words == over


def test_two_phases_of_one_name_are_refused() -> None:
    one = Phase("adopt", (Adopt(H2),), Demand.NOBODY)
    with pytest.raises(ValueError, match="two phases have one name"):
        Plan(ID, REFRESH.kind, H2, 3, (one, one), (), "root", "test", "it", "", "")


REFUSED = {
    "no member": lambda: refresh(THERE, request(H4, OLD, NEW), ASKED),
    "replaces another one": lambda: refresh(THERE, request(H2, NEW, NEW), ASKED),
    "two are accepted": lambda: refresh(HELD, request(H2, NEW, NEW), ASKED),
    "the coordinator": lambda: eject(THERE, H1, ASKED),
    "a stranger": lambda: eject(THERE, H4, ASKED),
    "to a stranger": lambda: hand_over(THERE, H4, ASKED),
    "it coordinates": lambda: take_over(THERE, ASKED),
    "the coordinator answers": lambda: take_over(Picture.whole(LOG, H2), ASKED),
    "by a supporter": lambda: recover(Picture.whole(LOG, H2), ASKED),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_can_not_be_is_refused_before_there_is_a_plan(why: str) -> None:
    with pytest.raises(OperationNotAllowed):
        REFUSED[why]()


def test_what_is_so_already_needs_no_plan() -> None:
    assert enable(THERE, ASKED) is None
    assert hand_over(THERE, H1, ASKED) is None


def test_every_plan_that_writes_has_one_point_of_no_return() -> None:
    for kind, plan in PLANS.items():
        final = [phase for phase in plan.phases if phase.final]
        assert len(final) == (kind != "recover"), kind
        assert all(phase.entries for phase in final)


def test_enabling_meets_every_pair_and_a_refresh_only_its_host() -> None:
    enabling = Operation(PLANS["enable"]).next(
        Picture.whole(minted.founded(3, verification=False), H1)
    )
    assert isinstance(enabling, Do)
    pairs = {(s.observer, s.subject) for s in enabling.steps if isinstance(s, Probe)}
    assert pairs == {(a, b) for a in (H1, H2, H3) for b in (H1, H2, H3) if a != b}
    looking = Operation(REFRESH).next(PROMOTED)
    assert isinstance(looking, Do)
    assert {(s.observer, s.subject) for s in looking.steps if isinstance(s, Probe)} == {
        (H1, H2), (H2, H2), (H3, H2)
    }  # fmt: skip


def test_a_request_is_written_once_however_often_it_is_asked() -> None:
    append = Append(request(), LOG.head_number)
    assert not append.holds(THERE)
    assert append.holds(HELD)
    assert Append(CertificateAccepted.read(request().record()), 0).holds(HELD)
