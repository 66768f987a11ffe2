"""Passwords by PAM: a real libpam, with services of the test's own."""

from __future__ import annotations

import asyncio
import ctypes
import ctypes.util
import getpass
import os
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from daemons import PASSWORD, Host, run, running
from pooltrust.command.client import Reported
from pooltrust.errors import SessionAuthenticationFailed, SubjectCannotBeResolved
from pooltrust.host.accounts.logins import Logins
from pooltrust.host.accounts.system import asking
from pooltrust.host.accounts.system.asking import NoAnswer, System
from pooltrust.host.accounts.system.names import SystemDirectory
from pooltrust.host.accounts.system.pam import REMEMBERED_FOR, PamPasswords

from .stage import Client, refusal

Pool = Callable[..., tuple[Host, ...]]
ME = getpass.getuser()


def _has_pam() -> bool:
    try:
        return bool(ctypes.CDLL("libpam.so.0").pam_start_confdir)
    except (OSError, AttributeError):
        return False


def _modules() -> Path | None:
    found = list(Path("/").glob("lib/*/security/pam_exec.so"))
    return found[0].parent if found else None


pytestmark = pytest.mark.skipif(
    not _has_pam() or _modules() is None, reason="libpam 1.4 or pam_exec.so is not there"
)


class Bench:
    """A service of PAM in a folder: `script` is asked, with the password on its standard input."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[str] = []
        self.now = 0.0
        self.service(f'[ "$(cat | tr -d "\\0")" = "{PASSWORD}" ]')

    def service(self, script: str, account: str = "pam_permit.so") -> None:
        file = self.folder / "ask"
        file.write_text(
            f"#!/bin/sh\necho noise; echo noise >&2\necho $PAM_USER $PAM_RHOST >> {self.asked}\n{script}\n"
        )
        file.chmod(stat.S_IRWXU)
        lines = f"auth required pam_exec.so expose_authtok {file}\naccount required {account}\n"
        (self.folder / "stand-in").write_text(lines)

    @property
    def asked(self) -> Path:
        return self.folder / "asked"

    def passwords(self, seconds: float = 30.0) -> PamPasswords:
        return PamPasswords(
            System(seconds),
            "stand-in",
            self.told.append,
            folder=str(self.folder),
            monotonic=lambda: self.now,
        )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def tell(story: Awaitable[Any]) -> Any:
    return asyncio.run(asyncio.wait_for(story, 60))  # type: ignore[arg-type]


def test_pam_says_whether_a_password_is_right(bench: Bench) -> None:
    async def story() -> None:
        passwords = bench.passwords()
        assert await passwords.verify(ME, PASSWORD, "192.0.2.7")
        assert not await passwords.verify(ME, "wrong", "192.0.2.7")
        assert not await passwords.verify(ME, "", None)
        assert bench.asked.read_text().splitlines() == [f"{ME} 192.0.2.7"] * 2 + [ME]
        # pam_exec says the same of a wrong password as of its own trouble: that is told.
        assert {"refused: System error (4)"} == set(bench.told)

    tell(story())


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("", PASSWORD),
        ("a b", PASSWORD),
        ("-x", PASSWORD),
        ("../x", PASSWORD),
        ("a\0", PASSWORD),
        (ME, PASSWORD + "\0"),
        (ME, "\ud800"),
        (ME, "x" * 512),
    ],
)
def test_what_c_would_misread_is_not_asked(bench: Bench, username: str, password: str) -> None:
    assert not tell(bench.passwords().verify(username, password, None))
    assert not bench.asked.exists()


def test_a_right_password_is_asked_about_once_in_a_minute(bench: Bench) -> None:
    async def story() -> None:
        passwords = bench.passwords()
        logins = Logins(passwords, monotonic=lambda: bench.now)
        for _ in range(5):
            await logins.login(ME, PASSWORD, "192.0.2.7")
        assert len(bench.asked.read_text().splitlines()) == 1
        assert not passwords.remembers(ME, "wrong") and not passwords.remembers("x", PASSWORD)
        bench.now += REMEMBERED_FOR
        await logins.login(ME, PASSWORD, "192.0.2.7")
        assert len(bench.asked.read_text().splitlines()) == 2

    tell(story())


def test_a_user_whom_pam_lets_in_no_more_is_refused_with_the_right_password(bench: Bench) -> None:
    async def story() -> None:
        bench.service("exit 0", account="pam_deny.so")
        assert not await bench.passwords().verify(ME, PASSWORD, None)
        (told,) = bench.told
        assert told.startswith("refused: ")

    tell(story())


def test_a_service_that_is_not_there_is_a_fault_and_nobody_s_guess(bench: Bench) -> None:
    async def story() -> None:
        (bench.folder / "stand-in").write_text("auth required no_such_module.so\n")
        logins = Logins(bench.passwords())
        for _ in range(6):
            with pytest.raises(SessionAuthenticationFailed, match="could not check"):
                await logins.login(ME, PASSWORD, "192.0.2.7")
        assert logins.origins.failures("192.0.2.7", 0.0) == 0
        assert "unavailable: " in bench.told[0]

    tell(story())


def test_a_module_that_hangs_is_ended_with_all_that_it_started(bench: Bench) -> None:
    async def story() -> None:
        bench.service(f"echo $$ > {bench.folder}/pid; exec sleep 1000")
        with pytest.raises(SessionAuthenticationFailed):
            await bench.passwords(seconds=1.0).verify(ME, PASSWORD, None)
        assert bench.told == ["unavailable: it took more than 1 s"]
        pid = int((bench.folder / "pid").read_text())
        async with asyncio.timeout(10):
            while await asyncio.to_thread(_runs, pid):
                await asyncio.sleep(0.01)

    tell(story())


def _runs(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_a_login_that_is_given_up_ends_its_process(bench: Bench) -> None:
    async def story() -> None:
        bench.service(f"echo $$ > {bench.folder}/pid; exec sleep 1000")
        asking_ = asyncio.create_task(bench.passwords().verify(ME, PASSWORD, None))
        async with asyncio.timeout(20):
            while not (bench.folder / "pid").exists() or not (bench.folder / "pid").read_text():
                await asyncio.sleep(0.01)
            asking_.cancel()
            pid = int((bench.folder / "pid").read_text())
            while await asyncio.to_thread(_runs, pid):
                await asyncio.sleep(0.01)

    tell(story())


def test_a_module_that_crashes_takes_nothing_with_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    crashing = tmp_path / "crash.py"
    crashing.write_text("import os; os.abort()")
    monkeypatch.setattr(asking, "CHILD", crashing)

    async def story() -> None:
        with pytest.raises(NoAnswer, match="broke off"):
            await System().ask({"do": "user", "name": ME})

    tell(story())


def test_the_password_is_in_no_argument_and_no_environment(bench: Bench) -> None:
    async def story() -> None:
        bench.service(
            f"cat /proc/$PPID/cmdline /proc/$PPID/environ > {bench.folder}/seen; cat > /dev/null"
        )
        assert await bench.passwords().verify(ME, PASSWORD, None)
        seen = (bench.folder / "seen").read_bytes()
        assert b"child.py" in seen and PASSWORD.encode() not in seen

    tell(story())


def test_the_operating_system_s_users_and_groups_stand_behind_subjects() -> None:
    async def story() -> None:
        directory = SystemDirectory(System())
        mine = await directory.identifier(ME)
        assert mine == f"pam:{ME}"
        identities = await directory.identities(ME)
        assert identities[0] == mine
        groups = await directory.groups(mine)
        assert list(identities[1:]) == list(groups) != []
        assert (await directory.information(mine))["subject-name"] == ME
        told = await directory.information(groups[0])
        assert told["subject-is-group"] == "true"
        assert await directory.groups(groups[0]) == []
        for name in ("no-such-user-here", "a b", ""):
            with pytest.raises(SubjectCannotBeResolved):
                await directory.identifier(name)
        for identifier in ("local:root", "root", "pam:no-such-user-here", "pam-group:", ""):
            with pytest.raises(SubjectCannotBeResolved):
                await directory.information(identifier)

    tell(story())


def test_a_pool_whose_passwords_are_pam_s(
    pool: Pool, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root by PAM is the superuser, others what their groups may; the pool sets no passwords."""
    (h1,) = pool(1)
    h1 = h1.configured(passwords="pam", pam_service="stand-in")
    other = "daemon"
    os.chmod(bench.folder, 0o755)

    async def story() -> None:
        async with running(h1):
            h1.daemon.logins._passwords._folder = str(bench.folder)  # type: ignore[attr-defined]
            root = await Client.login(h1)
            assert (await refusal(Client.login(h1, "root", "wrong"))).code == (
                "SESSION_AUTHENTICATION_FAILED"
            )
            stranger = await refusal(Client.login(h1, other))
            assert stranger.code == "SESSION_AUTHORIZATION_FAILED"
            groups = await root.ask("auth.get_group_membership", f"pam:{other}")
            made = await root.ask("subject.create", {"subject_identifier": groups[0]})
            (role,) = await root.ask("role.get_by_name_label", "vm-operator")
            await root.ask("subject.add_to_roles", made, role)
            member = await Client.login(h1, other)
            assert await member.ask("session.get_auth_user_sid", member.session) == groups[0]
            assert await member.ask("session.get_subject", member.session) == made
            for call, *parameters in [
                ("session.change_password", "", "x"),
                ("pooltrust.create_user", "bob", "x", ""),
                ("pooltrust.set_password", "root", "x"),
                ("pooltrust.change_own_password", "x", "y"),
            ]:
                assert (await refusal(root.ask(call, *parameters))).code == (
                    "CHANGE_PASSWORD_REJECTED"
                )
            await root.ask("subject.remove_from_roles", made, role)
            assert not await member.is_there()

    run(story(), 60.0)


def test_nobody_joins_by_a_password_that_only_pam_knows(
    pool: Pool, stock: Any, tmp_path: Path
) -> None:
    (h1,) = pool(1)
    h1, h2 = h1.configured(passwords="pam"), stock.host(tmp_path, "h2")

    async def story() -> None:
        async with running(h1, h2):
            with pytest.raises(Reported) as refused:
                await h2.join(h1)
            assert refused.value.code == "OPERATION_NOT_ALLOWED"
            assert "Join with a code" in str(refused.value)
            await h2.join_with(await h1.code())

    run(story())
