"""The pool and its Workload Balancing appliance: who is believed, what is said to it, what is kept."""

from __future__ import annotations

from html import escape
from typing import Any
from unittest.mock import AsyncMock

import pytest

from appliances.stage import CA, DATES, SECRET, USER, Appliance, certified, inner, revoking
from daemons import PASSWORD, Host, run, running, tree
from machine import find_free_port
from operations.stage import Pool, ref, settled
from pki.offered.stage import made, private
from pooltrust.command.client import Reported
from pooltrust.host.appliances import balancing, expecting
from pooltrust.host.appliances.posting import Answer
from pooltrust.pki.certificate import read_pem
from xe.stage import console

pytestmark = pytest.mark.needs("nginx")

OTHER = "wlb.pem"
NEW_KEY = "rsa-4096"


async def the_pool(host: Host) -> tuple[str, dict[str, Any]]:
    ((ref, record),) = (await host.ask("pool.get_all_records")).items()
    return ref, record


async def wlb(host: Host) -> tuple[str, str, bool]:
    _, record = await the_pool(host)
    return record["wlb_url"], record["wlb_username"], record["wlb_enabled"]


async def secrets(host: Host) -> list[str]:
    return [one["value"] for one in (await host.ask("secret.get_all_records")).values()]


async def initialize(host: Host, url: str) -> None:
    await host.ask("pool.initialize_wlb", url, USER, SECRET, "root", PASSWORD)


async def refused(story: Any) -> list[str]:
    with pytest.raises(Reported) as why:
        await story
    assert SECRET not in str(why.value) and PASSWORD not in str(why.value)
    return [why.value.code, *why.value.parameters()]


def nowhere(host: Host, *hidden: str) -> None:
    """None of these stands in what the host told its journal or in its log."""
    told = repr([(line.event, dict(line.facts)) for line in host.told.lines])
    log = b"".join(data for name, data in tree(host).items() if "log" in name).decode()
    for one in hidden:
        assert one not in told and one not in log


ADDED = "<Id>7</Id>"


def test_an_appliance_that_is_not_known_is_told_nothing_and_one_that_is_pinned_everything(
    pool: Pool, appliance: Appliance
) -> None:
    hosts = h1, h2 = pool(2)
    appliance.answers["AddXenServer"] = ADDED

    async def story() -> None:
        async with running(*hosts):
            for host in (h1, h2):
                code = (await refused(initialize(host, appliance.url)))[0]
                assert code == ("SSL_VERIFY_ERROR" if host is h1 else "HOST_IS_SLAVE")
            with pytest.raises(
                Reported, match="xe pool-pin-wlb-certificate wlb_url=" + appliance.url
            ):
                await initialize(h1, appliance.url)
            assert (appliance.said, appliance.began) == ([], [])
            assert await wlb(h1) == ("", "", False)

            pin = "pool-pin-wlb-certificate"
            no = await console(h2, pin, f"wlb_url={appliance.url}", typed=b"no\n")
            assert f"thumbprint: {appliance.thumbprint}\n" in no.out
            assert "Nothing was changed" in no.out and h1.roster.anchors == {}
            yes = await console(h2, pin, f"wlb_url={appliance.url}", typed=b"yes\n")
            assert yes.code == 0 and list(h1.roster.anchors) == [appliance.thumbprint]
            assert (appliance.said, appliance.began) == ([], [])

            ran = await console(
                h1, "pool-initialize-wlb", f"wlb_url={appliance.url}", f"wlb_username={USER}",
                f"wlb_password={SECRET}", "xenserver_username=root",
                f"xenserver_password={PASSWORD}",
            )  # fmt: skip
            assert (ran.code, ran.out, ran.err) == (0, "", "")
            await settled(h1, h2)
            for host in hosts:
                assert await wlb(host) == (appliance.url, USER, False)
                assert await secrets(host) == [SECRET]
                nowhere(host, SECRET, PASSWORD)

            # Whoever coordinates next goes on, with what it was told as a supporter.
            await h1.ask("pool.designate_new_master", await ref(h1, h2))
            appliance.answers["GetXenPoolConfiguration"] = "<OptimizationParms/>"
            assert await h2.ask("pool.retrieve_wlb_configuration") == {}

    run(story())
    said, again = appliance.said
    assert again.headers["Authorization"] == said.headers["Authorization"]
    assert (said.path, said.method) == ("/Citrix.Dwm.WorkloadBalance/Service", "AddXenServer")
    assert said.headers["Authorization"].startswith("Basic ")
    assert inner(said.body, "UserName") == "root" and PASSWORD in said.body
    # It logs in over TLS, with whatever it was told.
    assert inner(said.body, "XenServerUrl") == f"https://{h1.config.address}:{h1.config.port}/"


def test_a_certificate_by_an_installed_authority_is_believed_by_its_name_only(
    pool: Pool, appliance: Appliance
) -> None:
    (h1,) = pool(1)
    appliance.answers |= {"AddXenServer": ADDED, "RemoveXenServer": ""}

    async def story() -> None:
        async with running(h1):
            await h1.ask("pool.install_ca_certificate", "appliances.pem", CA)
            appliance.shows(certified("127.0.7.77"))
            reason = ["SSL_VERIFY_ERROR", "its certificate is for other names"]
            assert await refused(initialize(h1, appliance.url)) == reason
            assert appliance.began == []
            appliance.shows(certified())
            await initialize(h1, appliance.url)
            [shown] = read_pem(appliance.pem)
            await h1.ask("pool.crl_install", "gone.pem", revoking(shown))
            gone = await refused(h1.ask("pool.retrieve_wlb_configuration"))
            assert gone[0] == "SSL_VERIFY_ERROR" and "was revoked by its issuer" in gone[1]
            await h1.ask("pool.crl_uninstall", "gone.pem")
            await h1.ask("pool.deconfigure_wlb")

    run(story())
    assert [one.method for one in appliance.said] == ["AddXenServer", "RemoveXenServer"]


def test_its_own_self_signed_certificate_is_installed_as_an_authority_too(
    pool: Pool, appliance: Appliance
) -> None:
    (h1,) = pool(1)
    appliance.answers |= {"AddXenServer": ADDED, "SetXenPoolConfiguration": ""}
    pairs = "".join(
        f"<a:KeyValueOfstringstring><a:Key>k{n}</a:Key><a:Value>{n}</a:Value>"
        "</a:KeyValueOfstringstring>"
        for n in (1, 2)
    )

    async def story() -> None:
        async with running(h1):
            not_yet = ["WLB_NOT_INITIALIZED"]
            for call in ("deconfigure_wlb", "retrieve_wlb_configuration"):
                assert await refused(h1.ask(f"pool.{call}")) == not_yet
            assert await refused(h1.ask("pool.retrieve_wlb_recommendations")) == not_yet
            await h1.ask("pool.install_ca_certificate", OTHER, appliance.pem)
            await initialize(h1, appliance.url)
            appliance.answers["GetXenPoolConfiguration"] = (
                f"<OptimizationParms>{pairs}</OptimizationParms>"
            )
            assert await h1.ask("pool.retrieve_wlb_configuration") == {"k1": "1", "k2": "2"}
            shown = await console(h1, "pool-retrieve-wlb-configuration")
            assert (shown.code, "k1" in shown.out) == (0, True)
            assert (await console(h1, "pool-send-wlb-configuration", "config:x=<y>")).code == 0
            assert "<b:Value>&lt;y&gt;</b:Value>" in appliance.said[-1].body

            ref, _ = await the_pool(h1)
            advice = "pool.retrieve_wlb_recommendations"
            assert await refused(h1.ask(advice)) == ["WLB_DISABLED"]
            await h1.ask("pool.set_wlb_enabled", ref, True)
            appliance.answers["GetOptimizationRecommendations"] = ""
            assert await h1.ask(advice) == {}
            moves = "<Recommendations><R><VmToMoveUuid>u</VmToMoveUuid></R></Recommendations>"
            appliance.answers["GetOptimizationRecommendations"] = moves
            assert (await refused(h1.ask(advice)))[:2] == [
                "WLB_MALFORMED_RESPONSE",
                "GetOptimizationRecommendations",
            ]
            appliance.answers["HostGetRecommendations"] = "<CanPlaceAllVMs>true</CanPlaceAllVMs>"
            host = await h1.ask("host.get_by_uuid", h1.me)
            assert await h1.ask("host.retrieve_wlb_evacuate_recommendations", host) == {}
            assert inner(appliance.said[-1].body, "HostUuid") == h1.me

            # It is forgotten although it can't be told.
            appliance.stop()
            await h1.ask("pool.deconfigure_wlb")
            assert await wlb(h1) == ("", "", False) and await secrets(h1) == []
            assert [line.facts["reason"] for line in h1.lines("wlb-not-told")] == [
                "WLB_CONNECTION_REFUSED"
            ]

    run(story())


def test_each_failure_has_its_published_code_and_leaves_the_pool_as_it_was(
    pool: Pool, appliance: Appliance
) -> None:
    (h1,) = pool(1)
    port = find_free_port("127.0.7.8")
    echo = f"<ResultCode>5</ResultCode><ErrorMessage>bad {PASSWORD}</ErrorMessage>"
    broken = b"<Envelope>" + PASSWORD.encode()

    async def story() -> None:
        async with running(h1):
            await h1.ask("pool.install_ca_certificate", OTHER, appliance.pem)
            before = tree(h1)
            for answer, expected in (
                (echo, ["WLB_INTERNAL_ERROR", "5", "bad …"]),
                ((401, b""), ["WLB_AUTHENTICATION_FAILED"]),
                ((403, b""), ["WLB_AUTHENTICATION_FAILED"]),
                ((500, b"oh"), ["WLB_CONNECTION_RESET"]),
                ((302, b""), ["WLB_CONNECTION_RESET"]),
                (
                    broken,
                    ["WLB_MALFORMED_RESPONSE", "AddXenServer", "it is not XML", "<Envelope>…"],
                ),
                (
                    f"<Envelope>{escape(SECRET)}".encode(),
                    ["WLB_MALFORMED_RESPONSE", "AddXenServer", "it is not XML", "<Envelope>…"],
                ),
                ("", ["WLB_MALFORMED_RESPONSE", "AddXenServer", "it gave the pool no Id", ""]),
            ):
                appliance.answers["AddXenServer"] = answer
                assert await refused(initialize(h1, appliance.url)) == expected
            for url in (
                "",
                "host",
                "host:",
                "https://host:1",
                "host:99999",
                "a b:1",
                "h:1\r\nX: y",
            ):
                assert await refused(initialize(h1, url)) == ["WLB_URL_INVALID", url]
            for url, code in (
                (f"127.0.7.8:{port}", "WLB_CONNECTION_REFUSED"),
                (f"no.such.host.invalid:{port}", "WLB_UNKNOWN_HOST"),
            ):
                assert await refused(initialize(h1, url)) == [code]
            assert tree(h1) == before

            ref, _ = await the_pool(h1)
            await h1.ask("pool.add_to_other_config", ref, "wlb_timeout", "0.4")
            appliance.delay = 1.5
            assert await refused(initialize(h1, appliance.url)) == ["WLB_TIMEOUT", "0.4"]
            nowhere(h1, SECRET, PASSWORD)

    run(story())


def test_a_new_certificate_is_told_from_another_ones_and_its_pin_replaces_the_old(
    pool: Pool, appliance: Appliance
) -> None:
    (h1,) = pool(1)
    appliance.answers |= {"AddXenServer": ADDED, "GetXenPoolConfiguration": "<OptimizationParms/>"}
    pin, retrieve = "pooltrust.pin_wlb_certificate", "pool.retrieve_wlb_configuration"

    async def story() -> None:
        async with running(h1):
            old = str(appliance.thumbprint)
            shown = await h1.ask(pin, appliance.url)
            assert (shown["thumbprint"], shown["pinned"], shown["self_signed"]) == (
                old,
                "false",
                "true",
            )
            wrong = await refused(h1.ask(pin, appliance.url, "AA" * 32))
            assert wrong[0] == "SSL_VERIFY_ERROR" and h1.roster.anchors == {}
            assert (await refused(h1.ask(pin, appliance.url, "AA")))[0] == "INVALID_VALUE"
            for _ in range(2):
                assert (await h1.ask(pin, appliance.url, old))["pinned"] == "true"
            await initialize(h1, appliance.url)
            appliance.shows(made("wlb", private(NEW_KEY), dates=DATES), NEW_KEY)
            with pytest.raises(Reported, match=str(appliance.thumbprint)) as why:
                await h1.ask(retrieve)
            assert why.value.code == "SSL_VERIFY_ERROR" and old in str(why.value)
            assert len(appliance.said) == 1
            await h1.ask(pin, appliance.url, str(appliance.thumbprint))
            assert list(h1.roster.anchors) == [appliance.thumbprint]
            assert await h1.ask(retrieve) == {}

    run(story())


def test_it_is_verified_if_the_pool_says_so_or_the_host_verifies_anybody(
    pool: Pool, appliance: Appliance
) -> None:
    (h1,) = pool(1, verification_at_founding=False)
    appliance.answers |= {"AddXenServer": ADDED}

    async def story() -> None:
        async with running(h1):
            ref, record = await the_pool(h1)
            assert not record["wlb_verify_cert"]
            await initialize(h1, appliance.url)
            await h1.ask("pool.set_wlb_verify_cert", ref, True)
            assert (await refused(initialize(h1, appliance.url)))[0] == "SSL_VERIFY_ERROR"
            await h1.ask("pool.enable_tls_verification")
            await h1.ask("pool.set_wlb_verify_cert", ref, False)
            assert (await refused(initialize(h1, appliance.url)))[0] == "SSL_VERIFY_ERROR"
            # The switch is about whom this host dials, but the pool's word for the appliance stays.
            await h1.ask("host.emergency_disable_tls_verification")
            await initialize(h1, appliance.url)
            assert await secrets(h1) == [SECRET]
            await h1.ask("pool.set_wlb_verify_cert", ref, True)
            assert (await refused(initialize(h1, appliance.url)))[0] == "SSL_VERIFY_ERROR"

    run(story())
    assert len(appliance.said) == 2


def test_a_test_post_goes_to_whom_the_pool_believes_and_to_nobody_else(
    pool: Pool, appliance: Appliance
) -> None:
    hosts = h1, h2 = pool(2)
    alive = "<methodCall><methodName>system.isAlive</methodName></methodCall>"
    port = str(h1.config.port)

    async def post(host: str, port: str, body: str) -> Any:
        words = f"dest-host={host}", f"dest-port={port}", f"body={body}"
        return await console(h2, "pool-send-test-post", *words)

    async def story() -> None:
        async with running(*hosts):
            where = appliance.url.split(":")
            unknown = await post(*where, "hello")
            assert unknown.code == 1 and "was not issued by anybody trusted here" in unknown.err
            assert appliance.began == []
            await h1.ask("pool.install_ca_certificate", OTHER, appliance.pem)
            assert (await post(*where, "hello")).out == "hello\n"
            for host in hosts:
                assert "methodResponse" in (await post(host.config.address, port, alive)).out
            closed = await post("127.0.7.8", str(find_free_port("127.0.7.8")), "hello")
            assert "nothing listens there" in closed.err

    run(story())


@pytest.mark.parametrize(
    ("host", "said"),
    [("h9.example.org", "h9.example.org:443"), ("fe80::1%eth0", "[fe80::1]:443")],
)
def test_a_test_post_names_its_receiver_as_http_has_it(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, host: str, said: str
) -> None:
    (h1,) = pool(1)
    heard: list[str] = []

    async def post(_: Any, __: str, headers: dict[str, str], *___: Any, most: int) -> Answer:
        heard.append(headers["Host"])
        return Answer(200, b"")

    monkeypatch.setattr(expecting, "connected", AsyncMock())
    monkeypatch.setattr(balancing, "post", post)

    async def story() -> None:
        async with running(h1):
            await h1.daemon.balancing.post(host, 443, "hello")

    run(story())
    assert heard == [said]
