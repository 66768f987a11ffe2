"""What an administrator is told of logins that fail, and what nobody is told."""

from __future__ import annotations

from collections.abc import Callable

from daemons import Host, run, running
from pooltrust.host.accounts.logins import HOUR
from pooltrust.host.telling.alerting import TABLE

from .stage import Client, refusal

Pool = Callable[..., tuple[Host, ...]]


def test_failed_logins_are_an_alert_once_an_hour_and_a_line_a_minute(pool: Pool) -> None:
    (h1,) = pool(1)
    slip = "typed-into-the-wrong-field"

    async def story() -> None:
        async with running(h1):
            for username in ("root", "root", slip):
                await refusal(Client.login(h1, username, "wrong"))
            lines = [line.facts for line in h1.lines("login-failed")]
            assert [(line["user"], line["peer"]) for line in lines] == [
                ("root", "192.0.2.7"),
                ("unknown", "192.0.2.7"),
            ]
            h1.daemon.logins._hour -= HOUR
            await h1.daemon.alerting.look()
            (alert,) = [
                row
                for row in h1.daemon.store.rows(TABLE).values()
                if row["name"] == "FAILED_LOGIN_ATTEMPTS"
            ]
            assert alert["words"] == ("3 logins failed in the last hour: 2 as root from 192.0.2.7.")
            root = await Client.login(h1)
            (message,) = [
                one
                for one in (await root.ask("message.get_all_records")).values()
                if one["name"] == "FAILED_LOGIN_ATTEMPTS"
            ]
            (pool,) = (await root.ask("pool.get_all_records")).values()
            assert (message["cls"], message["obj_uuid"]) == ("Pool", pool["uuid"])
            assert message["body"].startswith("<body><total>3</total><known><username>root<")
            h1.daemon.logins._hour -= HOUR
            await h1.daemon.alerting.look()
            names = [row["name"] for row in h1.daemon.store.rows(TABLE).values()]
            assert "FAILED_LOGIN_ATTEMPTS" not in names
            said = " ".join(f"{line.event} {line.facts}" for line in h1.told.lines)
            assert slip not in said and "wrong" not in said

    run(story())
