"""What administrators type, and what they see."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from daemons import run, running
from operations.stage import Pool, served
from pki.offered.stage import key_text, made, private

from .stage import Ran, console, remote, xe


def test_the_fields_of_a_host_list(pool: Pool) -> None:
    hosts = h1, h2 = pool(2)

    async def story() -> None:
        async with running(*hosts):
            for asked in hosts:
                listed = await console(asked, "host-list", "name-label=h2")
                assert (listed.code, listed.err) == (0, "")
                assert listed.out.splitlines() == [
                    f"uuid ( RO)                : {h2.me}",
                    "          name-label ( RW): h2",
                    "    name-description ( RW): ",
                    "",
                    "",
                ]
            names = await console(h1, "host-list", "params=name-label", "--minimal")
            assert names.out == "h1,h2\n"

    run(story())


def test_the_commands_of_the_specification(pool: Pool) -> None:
    hosts = _, h2 = pool(2)

    async def story() -> None:
        async with running(*hosts):
            for asked in hosts:
                uuid = (await console(asked, "pool-list", "--minimal")).out.strip()
                shown = ("pool-param-get", f"uuid={uuid}", "param-name=tls-verification-enabled")
                assert (
                    await console(asked, *shown)
                ).out == "tls-verification-enabled ( RO): true\n"
                assert (await console(asked, *shown, "--minimal")).out == "true\n"
                assert await console(asked, "pool-enable-tls-verification") == Ran(0, "", "")
                old = served(h2)
                refresh = "host-refresh-server-certificate"
                assert await console(asked, refresh, f"host={h2.me}") == Ran(0, "", "")
                assert served(h2) != old
                for selector in ("uuid=" + h2.me, "name-label=h2", "hostname=h2", "host=h2"):
                    assert (
                        await console(asked, "host-reset-server-certificate", selector)
                    ).code == 0
            assert await console(h2, "host-emergency-disable-tls-verification") == Ran(0, "", "")
            assert not h2.daemon.belief.enforcing
            assert await console(h2, "host-emergency-reenable-tls-verification") == Ran(0, "", "")
            assert h2.daemon.belief.enforcing
            types = await console(h2, "certificate-list", "params=type", "--minimal")
            assert types.out == "host,host_internal,host,host_internal\n"

    run(story(), 60)


def test_several_hosts_or_none_are_not_one(pool: Pool) -> None:
    hosts = h1, _ = pool(2)

    async def story() -> None:
        async with running(*hosts):
            many = await console(h1, "host-reset-server-certificate")
            assert many.code == 1 and many.err.startswith("Error: Multiple matching hosts found")
            none = await console(h1, "host-reset-server-certificate", "host=h9")
            assert none == Ran(1, "", "Error: No matching hosts found\n")

    run(story())


def test_what_is_wrong_is_said_with_the_original_words_and_status(pool: Pool) -> None:
    (h1,) = pool(1)
    usage = "For usage run: 'xe help'\n"

    async def story() -> None:
        async with running(h1):
            assert await console(h1, "foo") == Ran(1, "", f"Unknown command: foo\n{usage}")
            missing = Ran(1, "", f"Required parameter not found: host-uuid\n{usage}")
            assert await console(h1, "pool-eject") == missing
            ran = await console(h1, "host-param-get", "uuid=x", "param-name=name-label")
            assert ran.code == 1 and "Error code: UUID_INVALID" in ran.err.splitlines()
            ran = await console(h1, "pool-param-set", f"uuid={h1.me}")
            assert ran.code == 1
            wrong = await xe(*remote(h1, "--nossl"), environment={"HOME": "/nowhere"})
            assert wrong.code == 1

    run(story())


def test_over_tls_nobody_is_believed_who_was_not_met_or_named(pool: Pool, tmp_path: Path) -> None:
    hosts = h1, h2 = pool(2)
    environment = {"HOME": str(tmp_path)}

    async def story() -> None:
        async with running(*hosts):
            stranger = await xe(*remote(h1, "host-list"), environment=environment)
            assert (stranger.code, stranger.out) == (4, "")
            thumbprint = str(h1.daemon.belief.identities.server.identity.certificate.thumbprint)
            assert thumbprint in stranger.err and "Nothing was sent" in stranger.err
            wrong = await xe(
                *remote(h1, "--thumbprint=AA:BB", "host-list"), environment=environment
            )
            assert wrong.code == 5
            named = f"--thumbprint={thumbprint}"
            met = await xe(*remote(h1, named, "host-list", "--minimal"), environment=environment)
            assert met == Ran(0, f"{h1.me},{h2.me}\n", "")
            member = await xe(*remote(h2, "host-list"), environment=environment)
            assert member.code == 1 and "HOST_IS_SLAVE" in member.err  # believed: it was asked

    run(story(), 60)


def test_a_reset_that_was_ordered_from_here_is_no_surprise(pool: Pool, tmp_path: Path) -> None:
    hosts = h1, _ = pool(2)
    environment = {"HOME": str(tmp_path)}

    async def story() -> None:
        async with running(*hosts):
            new = "--no-warn-new-certificates"
            reset = remote(h1, new, "host-reset-server-certificate", "host=h1")
            assert (await xe(*reset, environment=environment)).code == 0
            listed = await xe(*remote(h1, "certificate-list", "--minimal"), environment=environment)
            assert listed.code == 0
            await console(h1, "host-reset-server-certificate", "host=h1")
            changed = await xe(*remote(h1, new, "host-list"), environment=environment)
            assert (changed.code, changed.out) == (5, "")
            assert "before" in changed.err and "now" in changed.err

    run(story(), 60)


def test_everybody_changes_their_own_password_and_nobody_elses(pool: Pool, tmp_path: Path) -> None:
    (h1,) = pool(1)
    home = {"HOME": str(tmp_path)}
    first, second, third = "a-first-one-1", "a-second-one-2", "a-third-one-3"

    async def alice(password: str, *words: str, typed: bytes | None = None) -> Ran:
        start = ("--no-warn-new-certificates", "-s", h1.config.address)
        login = ("-p", str(h1.config.port), "-u", "alice", "-pw", password)
        return await xe(*start, *login, *words, environment=home, typed=typed)

    async def story() -> None:
        async with running(h1):
            made = ("user-create", "name=alice", f"new-password={first}", "role=read-only")
            assert (await console(h1, *made)).code == 0
            changed = await alice(first, "user-password-change", f"new={second}")
            assert (changed.code, changed.err) == (0, "")
            assert "Authentication failed" in (await alice(first, "host-list")).err
            wrong = await alice(second, "user-password-change", f"new={third}", "old=wrong")
            assert wrong.code == 1
            asked = await alice(second, "user-password-change", typed=f"{third}\n".encode())
            assert (asked.code, asked.err) == (0, "new: ")
            assert (await alice(third, "host-list", "--minimal")).out == f"{h1.me}\n"
            root = await xe(*remote(h1, "host-list", "--minimal"), environment=home)
            assert root.out == f"{h1.me}\n"

    run(story())


def test_a_plan_is_shown_and_nothing_is_done(pool: Pool) -> None:
    hosts = h1, h2 = pool(2)

    async def story() -> None:
        async with running(*hosts):
            head = h1.roster.head
            words = ("host-refresh-server-certificate", "host=h2", "--plan")
            shown = await console(h2, *words)
            assert shown.code == 0
            lines = shown.out.splitlines()
            assert lines[0] == "The refresh of h2, step by step; nothing is done yet."
            assert "  5. withdraw  <- no way back from here on" in lines
            assert "Connections: No connection is closed." in lines
            assert json.loads((await console(h1, *words, "--json")).out)["hosts"] == ["h1", "h2"]
            eject = await console(h1, "pool-eject", f"host-uuid={h2.me}", "--plan")
            assert "The ejection of h2" in eject.out
            enable = await console(h1, "pool-enable-tls-verification", "--plan")
            assert enable.out == "There is nothing to do.\n"
            nothing = await console(h1, "host-list", "--plan")
            assert nothing == Ran(1, "", "Error: host-list changes nothing, so it has no plan\n")
            assert h1.roster.head == head

    run(story())


def test_ejecting_is_confirmed_by_typing_yes(pool: Pool) -> None:
    hosts = h1, h2 = pool(2)

    async def story() -> None:
        async with running(*hosts):
            words = ("pool-eject", f"host-uuid={h2.me}")
            no = await console(h1, *words, typed=b"no\n")
            assert no.code == 0 and no.out.splitlines()[-1] == "Aborted (you typed: 'no')"
            assert h2.me in h1.roster.members
            ejected = h2.me
            yes = await console(h1, *words, typed=b"yes\n")
            assert yes.out.splitlines()[-1] == "h2 is no member of this pool any more."
            assert ejected not in h1.roster.members

    run(story())


def test_files_are_read_where_they_are_typed_and_no_others(pool: Pool, tmp_path: Path) -> None:
    (h1,) = pool(1)
    now = datetime.now(UTC)
    dates = now - timedelta(days=1), now + timedelta(days=90)
    leaf, key = tmp_path / "leaf.pem", tmp_path / "key.pem"
    leaf.write_text(made("h", private("rsa-2048"), names=["h1", h1.config.address], dates=dates))
    key.write_text(key_text("rsa-2048"))

    async def story() -> None:
        async with running(h1):
            install = "host-server-certificate-install"
            ran = await console(h1, install, f"certificate={leaf}", f"private-key={key}")
            assert ran == Ran(0, "", "")
            shown = await console(h1, "host-get-server-certificate")
            assert shown.out == leaf.read_text() + "\n"
            ran = await console(h1, install, f"certificate={tmp_path}/no", f"private-key={key}")
            assert ran == Ran(1, "", "Error: Failed to read certificate\n")
            ran = await console(h1, install, f"certificate={key}", f"private-key={key}")
            assert "Error code: SERVER_CERTIFICATE_INVALID" in ran.err.splitlines()
            assert "PRIVATE KEY---" not in ran.err

    run(story())
