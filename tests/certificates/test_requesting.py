"""An authority signs what a host asked for, with a key that never left the host."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from daemons import Host, run, running, tree, until
from operations.stage import Pool, ref, settled
from pki.offered.stage import Maker, made, private

from .test_server_identity import DATES, MIDDLE, ROOT, met, server_files
from .test_trust import refused

CHAIN = made("middle", MIDDLE.key, ROOT, ca=True, names=(), dates=DATES)


def answer(request: str, by: Maker = MIDDLE) -> str:
    """The certificate that an authority makes of a request."""
    asked = x509.load_pem_x509_csr(request.encode())
    assert asked.is_signature_valid
    builder = (
        x509.CertificateBuilder()
        .subject_name(asked.subject)
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, by.name)]))
        .public_key(asked.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(DATES[0])
        .not_valid_after(DATES[1])
    )
    for extension in asked.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(by.key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


async def create(asked: Host, host: Host, *more: object) -> str:
    return str(
        await asked.ask("pooltrust.create_certificate_request", await ref(asked, host), *more)
    )


async def install(asked: Host, host: Host, leaf: str, chain: str = CHAIN) -> list[str]:
    call = "pooltrust.install_requested_certificate"
    return list(await asked.ask(call, await ref(asked, host), leaf, chain))


def test_a_signed_answer_is_served_and_the_key_never_left(pool: Pool) -> None:
    hosts = h1, h2 = pool(2)

    async def story() -> None:
        async with running(*hosts):
            before = await met(h2)
            request = await create(h1, h2, ["h2.example.org"], "p-256")
            file = h2.folder.request
            assert stat.S_IMODE(file.stat().st_mode) == 0o400
            assert "PRIVATE KEY" in file.read_text() and "PRIVATE KEY" not in request
            assert await met(h2) == before
            assert await h1.ask("pooltrust.get_certificate_request", await ref(h1, h2)) == request
            await h2.restart()
            thumbprint, *warnings = await install(h1, h2, answer(request))
            assert str(await met(h2)) == thumbprint
            assert not any("does not cover" in words for words in warnings)
            assert not file.exists()
            await settled(*hosts)
            assert str(h1.roster.members[h2.me].server.thumbprint) == thumbprint
            assert await h1.ask("pooltrust.get_certificate_request", await ref(h1, h2)) == ""
            again = await refused(install(h1, h2, answer(request)))
            assert again == ["NO_CERTIFICATE_REQUEST", "h2"]

    run(story())


@pytest.mark.needs("openssl")
def test_openssl_reads_the_request_with_the_host_s_names(pool: Pool, tmp_path: Path) -> None:
    (h1,) = pool(1)

    async def story() -> str:
        async with running(h1):
            return await create(h1, h1, ["more.example.org"], "rsa-2048")

    file = tmp_path / "request.pem"
    file.write_text(run(story()))
    words = ["openssl", "req", "-in", file, "-noout", "-verify", "-text"]
    said = subprocess.run(words, capture_output=True, text=True, check=True)
    shown = said.stdout + said.stderr
    assert "verify OK" in shown and "2048 bit" in shown
    for name in ("DNS:h1", "DNS:more.example.org", f"IP Address:{h1.config.address}"):
        assert name in shown


def test_a_second_request_replaces_the_first(pool: Pool) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with running(h1):
            first = await create(h1, h1, [], "p-256")
            second = await create(h1, h1, [], "p-256")
            assert first != second
            mismatch = await refused(install(h1, h1, answer(first)))
            assert mismatch == ["SERVER_CERTIFICATE_KEY_MISMATCH"]
            await install(h1, h1, answer(second))

    run(story())


@pytest.mark.parametrize("call", ["host.reset_server_certificate",
                                  "host.emergency_reset_server_certificate",
                                  "pooltrust.discard_certificate_request"])  # fmt: skip
def test_a_reset_deletes_it(pool: Pool, call: str) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with running(h1):
            request = await create(h1, h1, [], "p-256")
            await h1.ask(call, *([] if "emergency" in call else [await ref(h1, h1)]))
            assert not h1.folder.request.exists()
            assert (await refused(install(h1, h1, answer(request))))[0] == "NO_CERTIFICATE_REQUEST"

    run(story())


def test_an_ejected_host_deletes_it(pool: Pool) -> None:
    hosts = h1, h2 = pool(2)

    async def story() -> None:
        async with running(*hosts):
            await create(h1, h2, [], "p-256")
            await h1.ask("pool.eject", await ref(h1, h2))
            await until(lambda: len(h2.roster.members) == 1 and h2.me in h2.roster.members)
            await until(lambda: not h2.folder.request.exists())

    run(story())


def test_a_host_killed_after_it_served_the_answer_forgets_the_request(pool: Pool) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with running(h1):
            request = await create(h1, h1, [], "p-256")
            kept = h1.folder.request.read_bytes()
            await install(h1, h1, answer(request))
            await h1.stop()
            h1.folder.request.write_bytes(kept)
            await h1.start()
            await until(lambda: not h1.folder.request.exists())
            assert len(server_files(h1)) == 1

    run(story())


def test_bad_answers_and_bad_questions_change_nothing(pool: Pool) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with running(h1):
            request = await create(h1, h1, [], "p-256")
            before = tree(h1)
            other = made("h", private("rsa-2048"), MIDDLE, dates=DATES)
            for leaf, chain, code in (
                ("bogus", "", "INVALID"),
                (other, CHAIN, "KEY_MISMATCH"),
                (answer(request), "bogus", "CHAIN_INVALID"),
                (answer(request, Maker.named("someone")), CHAIN, "CHAIN_INVALID"),
            ):
                refusal = await refused(install(h1, h1, leaf, chain))
                assert refusal == [f"SERVER_CERTIFICATE_{code}"]
            assert (await refused(create(h1, h1, ["no name!"])))[0] == "INVALID_VALUE"
            assert await refused(create(h1, h1, [], "dsa")) == ["INVALID_VALUE", "key", "dsa"]
            assert tree(h1) == before

    run(story())
