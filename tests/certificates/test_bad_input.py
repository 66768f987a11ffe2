"""Bad input of every kind to every call about certificates: each file and record stays as it was."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes

from daemons import Host, run, running, tree
from operations.stage import Pool, ref, settled
from pki.offered.stage import CLIENT, KEYS, Maker, key_text, made, private, revocation
from pooltrust.command.client import Reported
from pooltrust.pki.pemtext import write

NOW = datetime.now(UTC)
DATES = NOW - timedelta(days=1), NOW + timedelta(days=90)
PAST, FUTURE = (
    (NOW - timedelta(days=9), NOW - timedelta(days=1)),
    (DATES[1], DATES[1] + timedelta(1)),
)
ROOT, OTHER = Maker.named("root"), Maker.named("other")
HOST, POOL, THEIRS, NONE = "<host>", "<pool>", "<a host's certificate>", "OpaqueRef:none"
"""What stands for a reference in these tables."""

KEY = key_text("rsa-2048")
BOGUS = "-----BEGIN CERTIFICATE-----\nbm8gY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n"
CA = made("root", ROOT.key, ca=True, names=(), dates=DATES)
CRL = write("X509 CRL", revocation(ROOT, dates=DATES))
BAD_TEXTS = {"nothing": "", "words": "bogus", "no certificate": BOGUS, "a key": KEY, "a list": CRL,
             "cut off": CA[:-40], "no PEM": "MIIB" * 100}  # fmt: skip
BAD_NAMES = (
    "",
    ".pem",
    "..pem",
    "a.crt",
    "a/b.pem",
    "../a.pem",
    "a b.pem",
    "ä.pem",
    "a.pem\n",
    "a" * 201 + ".pem",
)


def leaf(key: str = "rsa-2048", dates: Any = DATES, **more: Any) -> str:
    return made("h", private(key), ROOT, dates=dates, **more)


def server() -> dict[str, tuple[Any, ...]]:
    """leaf, key and chain that must not be installed, and the code that says so."""
    good = leaf()
    keys = {path.stem for path in KEYS.glob("*.pem")}
    usable = {"rsa-2048", "rsa-2048-pkcs1", "rsa-4096", "p256", "p256-sec1", "p384", "rsa-pss"}
    of_keys = {f"key {name}": (good, key_text(name), "") for name in keys - usable}
    return {
        **of_keys,
        **{f"key: {name}": (good, text, "") for name, text in BAD_TEXTS.items() if text != KEY},
        **{f"leaf: {name}": (text, KEY, "") for name, text in BAD_TEXTS.items()},
        **{f"chain: {name}": (good, KEY, text) for name, text in BAD_TEXTS.items() if text},
        "key of another": (good, key_text("rsa-4096"), ""),
        "leaf expired": (leaf(dates=PAST), KEY, ""),
        "leaf not yet valid": (leaf(dates=FUTURE), KEY, ""),
        "leaf with SHA-224": (leaf(hash=hashes.SHA224()), KEY, ""),
        "leaf for clients": (leaf(usages=[CLIENT]), KEY, ""),
        "chain of somebody else": (good, KEY, made("other", OTHER.key, ca=True, dates=DATES)),
        "chain expired": (good, KEY, made("root", ROOT.key, ca=True, dates=PAST)),
        "no text": (good, 7, ""),
        "a list": ([good], KEY, ""),
    }


@cache
def tables() -> dict[str, dict[str, tuple[Any, ...]]]:
    """By what is tried: each case as a call and its parameters."""
    offered = server()
    bad = BAD_TEXTS | {"expired": made("r", ROOT.key, ca=True, dates=PAST),
                       "early": made("r", ROOT.key, ca=True, dates=FUTURE)}  # fmt: skip
    install, trust = "pool.install_ca_certificate", "pool.install_trusted_certificate"
    return {
        "install": {
            name: ("host.install_server_certificate", HOST, *given)
            for name, given in offered.items()
        },
        "request": {
            **{f"answer {name}": ("pooltrust.install_requested_certificate", HOST, text, "")
               for name, text in bad.items()},
            "key": ("pooltrust.create_certificate_request", HOST, [], "rsa-512"),
            "name": ("pooltrust.create_certificate_request", HOST, ["a b"], ""),
            "host": ("pooltrust.create_certificate_request", NONE, [], ""),
        },
        "ca": {
            **{name: (install, "a.pem", text) for name, text in bad.items()},
            **{f"alias {name}": ("pool.certificate_install", "a.pem", bad[name]) for name in bad},
            **{f"name {name!r}": (install, name, CA) for name in BAD_NAMES},
            "twice": (install, "there.pem", CA),
            "again": (install, "other.pem", CA),
            "another by that name": (install, "there.pem", made("o", OTHER.key, ca=True, dates=DATES)),
            "unknown": ("pool.uninstall_ca_certificate", "none.pem"),
            "unknown, forced": ("pool.uninstall_ca_certificate", "none.pem", True),
            "unknown alias": ("pool.certificate_uninstall", "none.pem"),
            "no text": (install, "a.pem", 7),
        },
        "crl": {
            **{name: ("pool.crl_install", "a.pem", text)
               for name, text in {**bad, "a list": CRL[:-40], "two": CRL + CRL, "ca": CA}.items()},
            **{f"name {name!r}": ("pool.crl_install", name, CRL) for name in BAD_NAMES},
            "twice": ("pool.crl_install", "there.pem", CRL),
            "unknown": ("pool.crl_uninstall", "none.pem"),
        },
        "trusted": {
            **{name: (trust, POOL, True, text, []) for name, text in bad.items()},
            **{f"pinned {name}": (trust, POOL, False, bad[name], ["ldaps"]) for name in bad},
            "no purpose": (trust, POOL, False, leaf(), []),
            "unknown purpose": (trust, POOL, False, leaf(), ["breakfast"]),
            "an authority alone": (trust, POOL, False, CA, ["ldaps"]),
            "twice": (trust, POOL, True, made("o", OTHER.key, ca=True, dates=DATES), ["licensing", "x"]),
            "a host's": ("pool.uninstall_trusted_certificate", POOL, THEIRS),
            "unknown": ("pool.uninstall_trusted_certificate", POOL, NONE),
            "no pool": (trust, NONE, True, 7, []),
        },
        "appliance": {
            **{f"url {url!r}": ("pool.initialize_wlb", url, "u", "p", "u", "p")
               for url in ("", "h", "https://h:1", "h:0", "h:1/x")},
            "none": ("pool.deconfigure_wlb",),
            "pin": ("pooltrust.pin_wlb_certificate", "127.0.0.1:1", "AB"),
            "post": ("pool.send_test_post", "127.0.0.1", 0, ""),
        },
    }  # fmt: skip


async def records(host: Host) -> Mapping[str, Any]:
    """Every object that a client can see."""
    classes = ("pool", "host", "Certificate", "secret", "message", "subject")
    return {cls: await host.ask(f"{cls}.get_all_records") for cls in classes}


@pytest.mark.parametrize("table", ["install", "request", "ca", "crl", "trusted", "appliance"])
def test_it_is_refused_and_every_file_and_record_is_as_it_was(pool: Pool, table: str) -> None:
    hosts = h1, h2 = pool(2)

    async def story() -> None:
        async with running(*hosts):
            await h1.ask("pool.install_ca_certificate", "there.pem", CA)
            await h1.ask("pool.crl_install", "there.pem", CRL)
            await settled(*hosts)
            host = await ref(h1, h2)
            theirs = (await h1.ask("host.get_certificates", host))[0]
            known = {HOST: host, POOL: (await h1.ask("pool.get_all"))[0], THEIRS: theirs}
            files, seen = [tree(one) for one in hosts], [await records(one) for one in hosts]
            for name, (call, *given) in tables()[table].items():
                arguments = [known.get(one, one) if isinstance(one, str) else one for one in given]
                with pytest.raises(Reported) as why:
                    await h1.ask(call, *arguments)
                    pytest.fail(f"{name} was accepted")
                wrong_type = "must be of type string" in str(why.value)
                assert why.value.code != "INTERNAL_ERROR" or wrong_type, name
                assert "PRIVATE KEY---" not in str(why.value)
                assert [tree(one) for one in hosts] == files, name
            assert [await records(one) for one in hosts] == seen
            assert h1.lines("call-defect") + h2.lines("call-defect") == []

    assert len(tables()[table]) >= 8 and len(tables()) == 6
    run(story(), 120)
