"""What must not grow: the roster with the past, and the work of one entry with the log before it.

Instructions and folds are counted; nothing is timed.  docs/scale.md has the times.
"""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import pytest
from bench.scale.growth import grows, table, with_changes
from bench.scale.sizes import size

from pooltrust.pki.certificate import Certificate, read
from pooltrust.terms import EntryHash
from pooltrust.trust import entries as e
from pooltrust.trust import entry as entry_module
from pooltrust.trust.log import NOTHING_LOCAL, Adopted, adopt
from pooltrust.trust.log import chain as chain_module
from pooltrust.trust.roster import Roster
from pooltrust.trust.roster import fold as real_fold
from pooltrust.trust.roster import index as index_module
from pooltrust.trust.roster.fold import refold as real_refold

from .pools import A, B, C, D, Pool, host_number, pool_identity, server_identity


def instructions_run(action: Callable[..., object], *arguments: object) -> int:
    """How many instructions of Python a call runs."""
    count = 0

    def step(frame, event, argument):
        nonlocal count
        count += event == "opcode"
        frame.f_trace_opcodes = True
        return step

    before = sys.gettrace()
    sys.settrace(step)
    try:
        action(*arguments)
    finally:
        sys.settrace(before)
    return count


def out_of_time(roster: Roster) -> Roster:
    """The roster without its place in the log, which is all that may differ."""
    return replace(roster, number=10**6, head=EntryHash("ab" * 32))


def long_pool(entries: int, *more) -> Pool:
    pool = Pool.found(B, C, *more)
    while pool.log.head_number < entries:
        pool.append(e.AddressChanged(B, f"b{pool.log.head_number}.example"))
    return pool


def test_a_roster_forgets_three_hundred_joins_and_leaves_that_are_over():
    pool = Pool.found(B, C)
    before = out_of_time(pool.log.roster)
    for number in range(100, 400):
        pool.admit(host_number(number))
        pool.append(e.HostDismissed(host_number(number), "over"))
    after = out_of_time(pool.log.roster)
    assert pool.log.head_number == 3 + 600
    assert after == before
    assert after.snapshot() == before.snapshot()
    assert size(after).objects == size(before).objects
    assert size(after).bytes <= size(before).bytes + 1024  # tables of a few more slots


def test_a_roster_forgets_refreshes_that_are_over_and_those_that_were_undone():
    pool = Pool.found(B, C)
    before = out_of_time(pool.log.roster)
    for generation in range(2, 32):
        undone, new = pool_identity(B, 100 + generation), pool_identity(B, generation)
        pool.append(pool.accepted(B, undone))
        pool.append(e.CertificateWithdrawn(B, undone.certificate.thumbprint, "undone"))
        pool.append(pool.accepted(B, new))
        pool.append(pool.withdrawn(B, pool.keys[B]))
        pool.keys[B] = new
    after = out_of_time(pool.log.roster)
    assert len(after.snapshot()) == pytest.approx(len(before.snapshot()), abs=16)  # DER varies
    assert size(after).objects == size(before).objects


def test_the_work_of_one_entry_does_not_grow_with_the_log_before_it(monkeypatch):
    monkeypatch.setattr(chain_module, "STRIDE", 32)
    counts = set()
    for entries in (100, 400, 1600):
        pool = long_pool(entries + 5)
        signed = pool.sign(e.AddressChanged(C, "c.example"))
        pool.log.extended(signed)  # now it is parsed
        counts.add(instructions_run(pool.log.extended, signed))
    assert len(counts) == 1


def test_the_work_of_one_entry_does_not_grow_with_the_hosts():
    counts = set()
    for hosts in (2, 20, 100):
        pool = long_pool(150, *map(host_number, range(100, 100 + hosts)))
        for body in (e.AddressChanged(C, "c.example"), pool.accepted(C, pool_identity(C, 2))):
            signed = pool.sign(body)
            pool.log.extended(signed)
            counts.add((body.kind, instructions_run(pool.log.extended, signed)))
    assert len(counts) == 2


def test_looking_into_a_log_does_not_grow_with_it():
    counts = []
    for entries in (100, 1000):
        log = long_pool(entries).log
        asked = (log.at, 50), (log.hash_at, 50), (log.roster_at, entries - 5), (log.tail, 50)
        counts.append([instructions_run(*question) for question in asked])
    assert counts[0] == counts[1]


def test_a_log_that_grows_is_not_copied():
    pool = long_pool(50)
    before = pool.log
    pool.append(e.AddressChanged(C, "c.example"))
    assert pool.log._shared is before._shared


def test_a_roster_of_the_past_is_never_far_from_one_at_hand(monkeypatch):
    monkeypatch.setattr(chain_module, "RECENT", 4)
    monkeypatch.setattr(chain_module, "STRIDE", 16)
    folded = []

    def counting(roster, signed):
        folded.append(signed)
        return real_refold(roster, signed)

    monkeypatch.setattr(chain_module, "refold", counting)
    pool = long_pool(150)
    pool.take_over(B, C)
    pool.take_over(C, A)
    while pool.log.head_number < 300:
        pool.append(e.AddressChanged(A, f"a{pool.log.head_number}.example"))
    log = pool.log
    assert len(log._kept) <= 4 + 300 // 16 + 2
    for number in range(1, 301):
        folded.clear()
        if number not in (151, 153):  # there is none between a takeover and its endorsement
            assert log.roster_at(number).number == number
        assert len(folded) <= 16


def test_a_catch_up_folds_what_is_new_and_nothing_else(monkeypatch):
    pool = long_pool(200)
    behind = Pool(pool.log.verify(pool.log.entries[:150])).log
    folded = []

    def counting(roster, signed, **more):
        folded.append(signed)
        return real_fold(roster, signed, **more)

    monkeypatch.setattr(chain_module, "fold", counting)
    outcome = adopt(behind, pool.log.tail(100), local=NOTHING_LOCAL)
    assert isinstance(outcome, Adopted)
    assert outcome.log.roster == pool.log.roster
    assert folded == list(pool.log.tail(150))


def test_a_log_cut_at_a_checkpoint_keeps_the_rosters_since_and_none_before():
    pool = long_pool(100)
    pool.append(e.Checkpoint(pool.log.roster.fingerprint()))
    for number in range(3):
        pool.append(e.AddressChanged(B, f"after{number}.example"))
    live = pool.log.from_checkpoint(101)
    assert [roster.number for roster in live._kept] == [100, 101, 102, 103, 104]
    for number in range(100, 105):
        assert live.roster_at(number) == pool.log.roster_at(number)
    assert live.extended(pool.sign(e.AddressChanged(C, "x"))).roster.number == 105


def test_an_anchor_that_was_removed_leaves_nothing():
    pool = Pool.found(B, C)
    before = out_of_time(pool.log.roster)
    for number in range(20):
        der = server_identity(f"ca{number}").certificate.der
        pool.append(e.AnchorInstalled("ca", "ca", der, ()))
        thumbprint = server_identity(f"ca{number}").certificate.thumbprint
        pool.append(e.AnchorRemoved(thumbprint))
    after = out_of_time(pool.log.roster)
    assert after.snapshot() == before.snapshot()
    assert size(after).objects == size(before).objects


def test_an_entry_takes_little_more_memory_than_its_bytes():
    pool = Pool.found(B, C)
    pool.append(e.AddressChanged(B, "warm.example"))
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        signed = [pool.sign(e.AddressChanged(B, f"b{number}.example")) for number in range(200)]
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert taken / len(signed) < len(signed[0].line()) + 1024


def test_certificates_keep_their_bytes_and_share_what_they_say_alike():
    one, other = (read(pool_identity(host).certificate.der) for host in (B, C))
    assert one.usages is other.usages
    assert one.extensions is other.extensions
    assert one.key is other.key
    assert one.subject is one.issuer
    values = [getattr(one, name) for name in Certificate.__dataclass_fields__]
    assert not [each for each in values if type(each).__module__.startswith("cryptography")]


def test_a_checkpoint_is_begun_at_with_one_look_at_each_member(monkeypatch):
    pool = Pool.found(*map(host_number, range(100, 130)))
    roster = pool.log.roster
    monkeypatch.setattr(index_module.Index, "swapped", None)  # a copy of all members, each time
    restored = Roster.restore(roster.snapshot())
    assert restored == roster
    assert restored._index == roster._index


def parsed_by(monkeypatch, action: Callable[[], object]) -> int:
    """How many entries are parsed for it."""
    seen: list[bytes] = []
    real = entry_module._entry

    def counting(payload):
        seen.append(payload)
        return real(payload)

    with monkeypatch.context() as patched:
        patched.setattr(entry_module, "_entry", counting)
        action()
    return len(seen)


def test_whoever_asks_for_a_story_has_those_entries_read_that_are_about_him(monkeypatch):
    pool = Pool.found(B, C, D)
    old, new = pool.keys[D], pool_identity(D, 2)
    pool.append(pool.accepted(D, new))
    pool.append(pool.withdrawn(D, old))
    withdrawn = pool.log.head_number
    for number in range(300):
        pool.append(e.AddressChanged(B, f"b{number}.example"))
    log = pool.log
    assert log.story_until(old.certificate) == withdrawn
    assert parsed_by(monkeypatch, lambda: log.story_until(old.certificate)) == 2 + 1
    assert parsed_by(monkeypatch, lambda: log.story_until(pool.keys[B].certificate)) == 0
    pool.append(e.HostDismissed(D, "over"))
    assert pool.log.story_until(old.certificate) == withdrawn
    assert pool.log.story_until(new.certificate) == pool.log.head_number
    stranger = server_identity("e").certificate  # which is in every entry
    assert log.story_until(stranger) == 0
    assert parsed_by(monkeypatch, lambda: log.story_until(stranger)) == 0


def test_a_page_of_the_log_is_not_the_rest_of_it():
    log = long_pool(300).log
    assert log.tail(10, 5) == log.entries[10:15]
    assert log.tail(298, 5) == log.entries[298:]
    assert log.tail(10, 0) == ()


def test_a_pool_in_memory_grows_by_every_kind_of_change_and_is_measured(capsys):
    (moment,) = with_changes(4, [60], seed=1)
    assert moment.get("entries in the log") > 60
    assert moment.get("catch up: one missed entry, µs") > 0
    assert moment.get("enabling: its steps") >= 6
    shown = table([moment], lambda moment: moment.hosts)
    assert "| one entry: bytes of log | 1," in shown
    assert grows([(10, 5.0), (100, 50.0)]) == "in step"
    assert grows([(10, 5.0), (100, 500.0)]) == "square"
    assert grows([(10, 5.0), (100, 5.1)]) == "stays"
