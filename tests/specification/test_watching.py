"""Alerts of what ends soon, and the emergency switch of one host."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pki.offered.stage import Maker, made
from pools.stage import SOON, within

from .rows import proves
from .stage import Failed, World, good, gui, xe

pytestmark = pytest.mark.needs("openssl")

NOW = datetime.now(UTC)
SWITCHED = "TLS_VERIFICATION_EMERGENCY_DISABLED"


@proves(60)
def test_what_ends_soon_is_an_alert(world: World, tmp_path: Path) -> None:
    h7, dates = world["h7"], (NOW - timedelta(days=1), NOW + timedelta(days=10))
    pem = made("an authority", Maker.named("any").key, ca=True, names=(), dates=dates)
    (file := tmp_path / "soon.pem").write_text(pem)
    good(h7, "pool-install-ca-certificate", f"filename={file}")
    expected = {
        "HOST_SERVER_CERTIFICATE_EXPIRING_30",
        "HOST_INTERNAL_CERTIFICATE_EXPIRING_30",
        "POOL_CA_CERTIFICATE_EXPIRING_14",
    }
    with gui(h7) as client:
        within(SOON, lambda: expected <= client.alerts())
        good(h7, "pool-uninstall-ca-certificate", "name=soon.pem")
        within(SOON, lambda: "POOL_CA_CERTIFICATE_EXPIRING_14" not in client.alerts())


@proves(61, 62)
def test_nothing_disables_a_pool_and_what_disables_a_host_is_of_this_host_alone(
    world: World,
) -> None:
    with gui(world["h1"]) as client:
        pool = client.call("pool.get_all")[0]
        for call in ("pool.disable_tls_verification", "pool.set_tls_verification_enabled"):
            with pytest.raises(Failed, match="MESSAGE_METHOD_UNKNOWN"):
                client.call(call, pool, False)
        assert client.pool()["tls_verification_enabled"]
    commands = good(world["h1"], "help", "--all", "--minimal").strip().split(",")
    about = [one for one in commands if one.endswith("disable-tls-verification")]
    assert about == ["host-emergency-disable-tls-verification"]
    # It takes no host: it is typed where it is to count.
    takes, _, _ = good(world["h1"], "help", *about).partition("reqd params")[2].partition("descr")
    assert "host" not in takes


@proves(62, 63, 64, 65, 66)
def test_one_host_stops_and_returns_by_commands_at_its_console_and_there_is_an_alert_meanwhile(
    world: World,
) -> None:
    h3 = world["h3"]
    with gui(world["h1"]) as client:

        def verifying() -> dict[str, bool]:
            hosts = client.records("host")
            return {one["hostname"]: one["tls_verification_enabled"] for one in hosts}

        assert SWITCHED not in client.alerts() and all(verifying().values())
        good(h3, "host-emergency-disable-tls-verification")
        within(SOON, lambda: SWITCHED in client.alerts())
        assert [name for name, one in verifying().items() if not one] == ["h3"]
        assert client.pool()["tls_verification_enabled"]
        good(h3, "host-emergency-reenable-tls-verification")
        within(SOON, lambda: SWITCHED not in client.alerts() and all(verifying().values()))
    # Twice is once.
    assert xe(h3, "host-emergency-reenable-tls-verification").code == 0
