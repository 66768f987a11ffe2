"""Whom xe has met: kept once, by whoever comes first, and changed by nobody who has no say in it."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import pytest

from .stage import XE

OURS, THEIRS, EVIL, NEW = (":".join([pair] * 32) for pair in ("AA", "BB", "EE", "CC"))
POOL, OTHER = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"
H1, H2, H9 = (f"0000000{n}-0000-4000-8000-000000000000" for n in (1, 2, 9))


def loaded() -> Any:
    """The program as a module."""
    loader = SourceFileLoader("xe_program", str(XE))
    spec = spec_from_loader("xe_program", loader)
    assert spec
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture
def xe(tmp_path: Path) -> Iterator[Any]:
    """The program, whose known hosts are in a folder of the test."""
    module = loaded()
    vars(module)["known_file"] = lambda: str(tmp_path / "folder" / "known_hosts")
    yield module


def met(xe: Any, server: str, thumbprint: str) -> Any:
    found = xe.Met(server, 443, b"")
    found.thumbprint = thumbprint
    return found


def known_of(xe: Any) -> dict[str, tuple[str, str, str]]:
    return dict(xe.read_known())


@pytest.fixture
def theirs(xe: Any) -> dict[str, tuple[str, str, str]]:
    """A pool of two that is known already."""
    told = [("192.0.2.1", H1, OTHER, THEIRS), ("192.0.2.2", H2, OTHER, OURS)]
    met(xe, "192.0.2.1", THEIRS).remember(told)
    return known_of(xe)


def test_a_host_tells_who_else_is_in_its_pool(xe: Any) -> None:
    told = [("192.0.2.1", H1, POOL, OURS), ("2001:DB8::2", H2, POOL, THEIRS)]
    met(xe, "h1.example.org", OURS).remember(told)
    assert known_of(xe) == {
        "h1.example.org:443": (OURS, H1, POOL),
        "192.0.2.1:443": (OURS, H1, POOL),
        "2001:db8::2:443": (THEIRS, H2, POOL),
    }


@pytest.mark.parametrize("pool", [OTHER, POOL])
def test_a_host_changes_nothing_of_another_pool_whatever_it_says(
    xe: Any, theirs: dict[str, Any], pool: str
) -> None:
    evil = met(xe, "192.0.2.9", EVIL)
    evil.remember([("192.0.2.9", H9, pool, EVIL), ("192.0.2.1", H1, pool, EVIL)])
    again = met(xe, "192.0.2.9", EVIL)
    for uuid in (H1, H2):
        again.renewed(uuid, EVIL)
    known = known_of(xe)
    assert {place: known[place] for place in theirs} == theirs
    assert known["192.0.2.9:443"][0] == EVIL
    assert (known["192.0.2.9:443"][2] == pool) == (pool == POOL)


def test_a_pool_s_host_is_one_of_it_by_another_name_too(xe: Any, theirs: dict[str, Any]) -> None:
    told = [("192.0.2.1", H1, OTHER, THEIRS), ("192.0.2.3", H9, OTHER, NEW)]
    met(xe, "h1.example.org", THEIRS).remember(told)
    assert known_of(xe)["h1.example.org:443"] == (THEIRS, H1, OTHER)
    assert known_of(xe)["192.0.2.3:443"] == (NEW, H9, OTHER)


def test_a_new_certificate_of_a_member_is_told_by_its_pool(xe: Any, theirs: dict[str, Any]) -> None:
    met(xe, "192.0.2.1", THEIRS).renewed(H2, NEW)
    assert known_of(xe) == {**theirs, "192.0.2.2:443": (NEW, H2, OTHER)}


@pytest.mark.parametrize(
    "row",
    [
        ("192.0.2.7 " + EVIL, H9, POOL, EVIL),
        ("192.0.2.7\n#", H9, POOL, EVIL),
        ("192.0.2.7", "a b", POOL, EVIL),
        ("192.0.2.7", H9, f"{POOL}\n192.0.2.1:443", EVIL),
        ("192.0.2.7", H9, POOL, "EE:EE"),
        ("192.0.2.7", H9, POOL, EVIL[:-1] + "\n"),
        ("", H9, POOL, EVIL),
        ("ü", H9, POOL, EVIL),
    ],
)
def test_what_is_no_address_or_thumbprint_is_not_kept(xe: Any, row: tuple[str, ...]) -> None:
    host = met(xe, "192.0.2.9", OURS)
    host.remember([("192.0.2.9", H1, POOL, OURS), row])
    met(xe, "192.0.2.9", OURS).renewed(row[1], row[3])
    assert known_of(xe) == {"192.0.2.9:443": (OURS, H1, POOL)}


def test_many_at_once_forget_nobody(xe: Any) -> None:
    with ThreadPoolExecutor(8) as threads:
        for number in range(40):
            threads.submit(met(xe, f"192.0.2.{number}", OURS).remember)
    assert len(known_of(xe)) == 40


def test_the_file_is_its_user_s_alone_and_no_link_leads_elsewhere(xe: Any, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o700)
    (folder / "known_hosts.new").symlink_to(victim)
    met(xe, "192.0.2.1", OURS).remember()
    assert victim.read_text() == "mine"
    assert sorted(path.name for path in folder.iterdir()) == ["known_hosts", "known_hosts.lock"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())


def test_a_planted_lock_or_a_full_disk_is_said_and_no_reason_to_fail(
    xe: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    host = met(xe, "192.0.2.1", OURS)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "known_hosts.lock").symlink_to(tmp_path / "elsewhere")
    host.remember()
    assert "can't be remembered" in capsys.readouterr().err
    assert not (tmp_path / "elsewhere").exists()
    (tmp_path / "folder" / "known_hosts.lock").unlink()
    host.remember()
    before = known_of(xe)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    met(xe, "192.0.2.2", OURS).remember()
    assert "No space left on device" in capsys.readouterr().err
    assert known_of(xe) == before
    assert not (tmp_path / "folder" / "known_hosts.new").exists()
