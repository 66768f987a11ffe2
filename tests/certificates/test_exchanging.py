"""Trust that clients copy from pool to pool: all of it is judged first, and nobody else is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from daemons import PASSWORD, Host, run, running, tree
from operations.stage import Pool, settled
from pki.offered.stage import made, private
from pooltrust.api.dispatch import dispatch
from pooltrust.api.sessions import Origin
from pooltrust.api.wire.jsonrpc import JSON
from pooltrust.errors import CannotStore, Failure, OperationNotAllowed
from pooltrust.host.peers.scribe import NotCommitted
from pooltrust.host.trusting.other_pool import _result
from pooltrust.pki.certificate import read_pem
from pooltrust.pool import anchors
from pooltrust.terms import Thumbprint

from .test_trust import CA, CRL, DATES, LEAF, OTHER, pool_ref, refused, rows, thumbprint, trust

SECOND = made("second", private("p384"), dates=DATES)
New = Callable[..., Host]
EXCHANGE = "pool.exchange_{}_on_join"


async def refs(host: Host) -> dict[str, str]:
    """By thumbprint, what is installed."""
    found = (await host.ask("Certificate.get_all_records")).items()
    return {one["fingerprint_sha256"]: ref for ref, one in found if one["type"] in ("ca", "pinned")}


async def session(host: Host) -> str:
    """As a client from afar logs in."""
    request = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "session.login_with_password",
        "params": ["root", PASSWORD, "2.23", "a test"],
    }
    body, me = json.dumps(request).encode(), Origin("127.0.0.9")
    answer = await dispatch(host.daemon.context, JSON, body, me)
    return str(json.loads(answer.body)["result"])


def plain(pem: str) -> str:
    """As the daemon writes it."""
    return read_pem(pem)[0].pem()


def test_authorities_certificates_and_lists_go_in_and_come_out(pool: Pool) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with running(h1):
            here = await pool_ref(h1)
            named, trusted, lists = (
                EXCHANGE.format(one) for one in ("ca_certificates", "trusted_certificates", "crls")
            )
            assert await h1.ask(named, {"a.pem": CA}, []) == {}
            assert await h1.ask(trusted, here, False, {LEAF: ["ldaps"]}, []) == {}
            assert await h1.ask(lists, here, {"a.pem": CRL}, []) == {}
            known = await refs(h1)
            ca, leaf = known[str(thumbprint(CA))], known[str(thumbprint(LEAF))]
            # Once more, what is there is passed over, and all of it comes out.
            before = tree(h1)
            assert await h1.ask(named, {"a.pem": CA}, [ca]) == {"a.pem": plain(CA)}
            out = await h1.ask(trusted, here, False, {LEAF: ["ldaps"]}, [leaf])
            assert out == {plain(LEAF): ["ldaps"]}
            assert await h1.ask(lists, here, {"a.pem": CRL}, ["a.pem"]) == {"a.pem": CRL}
            # One that is bad keeps the good ones out.
            for call, *arguments in (
                (named, {"b.pem": OTHER, "c.pem": "bogus"}, []),
                (named, {"b.pem": OTHER, "a.pem": OTHER}, []),
                (named, {"b.pem": OTHER}, ["OpaqueRef:none"]),
                (trusted, here, True, {OTHER: [], "bogus": []}, []),
                (trusted, here, True, {OTHER: ["breakfast"]}, []),
                (trusted, here, False, {OTHER: []}, []),
                (lists, here, {"b.pem": CRL, "c.pem": "bogus"}, []),
                (lists, here, {}, ["none.pem"]),
            ):
                await refused(h1.ask(call, *arguments))
                assert tree(h1) == before

    run(story())


def test_a_pool_trusts_what_another_does_and_only_the_expected_one_hears_the_session(
    pool: Pool, new: New
) -> None:
    hosts = h1, h2 = pool(2)
    other = new("h3")

    async def copy(asked: Host, ca: bool, pem: str, at: str = "") -> Any:
        return await asked.ask(
            "pool.sync_trusted_certificates_from", await pool_ref(asked),
            at or other.config.address, opened, pem, ca,
        )  # fmt: skip

    async def story() -> None:
        nonlocal opened
        async with running(*hosts, other):
            host = (await other.ask("host.get_all"))[0]
            shown = await other.ask("host.get_server_certificate", host)
            await trust(other, True, CA)
            await trust(other, False, LEAF, "ldaps", "licensing")
            await trust(other, False, SECOND, "licensing")
            await other.ask("pool.install_ca_certificate", "by-name.pem", OTHER)
            await trust(h1, False, SECOND, "licensing")
            opened = await session(other)
            before = tree(h1)
            wrong = await refused(copy(h1, True, LEAF))
            [row] = [one for one in h1.daemon.observations.told() if one["kind"] == "another pool"]
            assert (row["outcome"], row["refused_by"]) == ("refused", "this host")
            assert row["met"] == str(thumbprint(shown)) and opened not in repr(row)
            assert wrong == ["SSL_VERIFY_ERROR", "it is another certificate than the one expected"]
            assert (await refused(copy(h2, True, shown)))[0] == "HOST_IS_SLAVE"
            assert (await refused(copy(h1, True, "bogus")))[0] == "TRUSTED_CERTIFICATE_INVALID"
            assert (await refused(copy(h1, True, shown, "h:x")))[0] == "INVALID_VALUE"
            assert (await refused(copy(h1, True, shown, "127.0.7.5:1")))[
                0
            ] == "TLS_CONNECTION_FAILED"
            assert tree(h1) == before

            assert await copy(h1, True, shown) == [(await refs(h1))[str(thumbprint(CA))]]
            assert await copy(h1, True, shown) == []
            assert await copy(h1, False, shown) == [(await refs(h1))[str(thumbprint(LEAF))]]
            await settled(*hosts)
            assert await rows(h2) == sorted(
                [
                    ("ca", "", [], str(thumbprint(CA))),
                    ("pinned", "", ["licensing", "ldaps"], str(thumbprint(LEAF))),
                    ("pinned", "", ["licensing"], str(thumbprint(SECOND))),
                ]
            )
            opened = "OpaqueRef:none"
            ended = await refused(copy(h1, True, shown))
            assert ended[0] == "OPERATION_NOT_ALLOWED" and "SESSION_INVALID" in ended[1]

    opened = ""
    run(story(), 60)


def test_what_does_not_fit_as_a_whole_is_not_begun(
    pool: Pool, new: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    (h1,), other = pool(1), new("h3")

    async def story() -> None:
        async with running(h1, other):
            host = (await other.ask("host.get_all"))[0]
            shown = await other.ask("host.get_server_certificate", host)
            for one in (CA, OTHER):
                await trust(other, True, one)
            opened = await session(other)
            monkeypatch.setattr(anchors, "MOST_ANCHORS", 1)
            call = ("pool.sync_trusted_certificates_from", await pool_ref(h1))
            given = (other.config.address, opened, shown, True)
            before = tree(h1)
            assert (await refused(h1.ask(*call, *given)))[0] == "OPERATION_NOT_ALLOWED"
            assert tree(h1) == before

    run(story())


@pytest.mark.parametrize(
    ("why", "first_is_for"),
    [
        (CannotStore("trust.log", "the disk is full"), ["licensing"]),
        (NotCommitted(9, 1, 3, 2, "h2"), ["licensing", "ldaps"]),
    ],
    ids=["is-taken-back", "stays-if-it-only-waits-for-members"],
)
def test_a_purpose_that_was_added_before_a_failure(
    pool: Pool, new: New, monkeypatch: pytest.MonkeyPatch, why: Failure, first_is_for: list[str]
) -> None:
    (h1,), other = pool(1), new("h3")
    installed: list[str] = []

    async def story() -> None:
        async with running(h1, other):
            host = (await other.ask("host.get_all"))[0]
            shown = await other.ask("host.get_server_certificate", host)
            for one in (LEAF, SECOND):
                await trust(h1, False, one, "licensing")
                await trust(other, False, one, "ldaps")
            opened, install = await session(other), h1.daemon.trusting.install_for

            async def first_only(sort: str, pem: str, *rest: Any) -> Thumbprint:
                if installed:
                    raise why
                installed.append(str(thumbprint(pem)))
                return await install(sort, pem, *rest)

            monkeypatch.setattr(h1.daemon.trusting, "install_for", first_only)
            answer = await refused(
                h1.ask(
                    "pool.sync_trusted_certificates_from", await pool_ref(h1),
                    other.config.address, opened, shown, False,
                )
            )  # fmt: skip
            assert answer[0] == why.code
            purposes = {one[3]: one[2] for one in await rows(h1)}
            assert purposes.pop(installed[0]) == first_is_for
            assert list(purposes.values()) == [["licensing"]]

    run(story())


@pytest.mark.parametrize("call", ["exchange_certificates_on_join", "initial_auth", "hello"])
def test_what_would_let_a_host_in_is_not_done(pool: Pool, call: str) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with running(h1):
            given = {"exchange_certificates_on_join": ["u", LEAF], "hello": ["u", "127.0.0.1"]}
            code = (await refused(h1.ask(f"pool.{call}", *given.get(call, []))))[0]
            assert code == "NOT_IMPLEMENTED"

    run(story())


def test_a_refusal_of_the_other_pool_is_repeated_by_its_code_and_never_by_its_words() -> None:
    """They are shown and kept with a task, and might have the session in them."""
    for message, shown in (("SESSION_INVALID", True), ("no OpaqueRef:hush here", False)):
        body = json.dumps({"error": {"message": message}}).encode()
        with pytest.raises(OperationNotAllowed) as why:
            _result("pool.get_all", body)
        assert (message in str(why.value)) == shown and "hush" not in str(why.value)
