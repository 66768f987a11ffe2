"""A host dies, or can't write, at any step of any operation: no promise is broken, and all ends."""

from __future__ import annotations

import pytest

from .fakes.pool import FakePool
from .model.crashes import SCENES, cases, number_of_steps, played
from .model.ending import left_undone

STEPS = {
    "refresh of a supporter": 11,
    "refresh of the coordinator": 11,
    "ejection": 3,
    "ejection of a lost host": 2,
    "enabling": 9,
    "change of coordinator": 4,
    "takeover": 2,
}


@pytest.mark.parametrize("name", SCENES)
def test_every_step_is_numbered(name: str) -> None:
    assert STEPS[name] == number_of_steps(SCENES[name])


def unlike(pool: FakePool) -> list[str]:
    """What differs between the hosts, or is left over, when all is over."""
    heads = {host.log.head_hash for host in pool.hosts.values()}
    words = [*left_undone(pool), *(["their logs differ"] if len(heads) > 1 else [])]
    for host in pool.hosts.values():
        member = host.log.roster.members.get(host.id)
        if member and (host.serves != member.newest.thumbprint or not host.fresh):
            words.append(f"{member.name} does not serve what is accepted, or is not current")
    return words


@pytest.mark.parametrize("name", SCENES)
def test_wherever_a_host_dies_the_operation_is_done_or_was_never_begun(name: str) -> None:
    scene, wrong = SCENES[name], []
    for case in cases(STEPS[name]):
        pool = played(scene, case)
        begun = case.number > 0 or case.when in ("after", "torn")
        words = unlike(pool)
        if scene.is_done(pool) != begun and not scene.may_lapse:
            words.append("it is done" if not begun else "it is not done")
        wrong += [(case, words)] if words else []
    assert wrong == []
