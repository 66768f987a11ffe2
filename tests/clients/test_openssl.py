"""`openssl s_client`: whom it meets under which name, and what it can do there."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import ssl
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import pytest

from pools.demonstration import Demo
from pools.stage import Host
from pooltrust.pki.mint import mint_pool_identity
from pooltrust.terms import host_id
from pooltrust.trust.store import write_identity

pytestmark = pytest.mark.needs("openssl")

POOL = ("-servername", "pool", "-tls1_3")


def s_client(host: Host, *options: object) -> list[str]:
    at = f"{host.address}:{host.port}"
    return ["openssl", "s_client", "-connect", at, *map(str, options)]


def met(host: Host, *options: object) -> subprocess.CompletedProcess[str]:
    """What it says of a handshake, and whether it liked it; it hangs up at once."""
    command = s_client(host, *options)
    return subprocess.run(command, input="", capture_output=True, text=True, timeout=20)


def thumbprint(output: str) -> str:
    """That of the certificate which it shows."""
    pem = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", output, re.DOTALL)
    assert pem, output
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem[0])).digest().hex(":").upper()


def key_of(host: Host) -> Path:
    """Its pool identity: key and certificate in one file."""
    [file] = (host.state / "identities").glob("pool-*.pem")
    return file


def shown(file: Path) -> Sequence[object]:
    return ("-cert", file, "-key", file)


def hello(dialler: Host, dialled: Host, nonce: bytes) -> bytes:
    """The first frame of a member: four bytes of length, and JSON."""
    status = dialler.status()
    said = {
        "hello": 1,
        "pool": status["pool"],
        "host": status["host"],
        "expect": dialled.status()["host"],
        "nonce": base64.b64encode(nonce).decode(),
    }
    data = json.dumps(said).encode()
    return len(data).to_bytes(4) + data


def frame(stream: IO[bytes]) -> dict[str, Any]:
    """The next frame; empty if it ends instead."""
    length = stream.read(4)
    return dict(json.loads(stream.read(int.from_bytes(length)))) if length else {}


def greeted(dialled: Host, said: bytes, *options: object) -> tuple[dict[str, Any], str]:
    """Send this under the pool's name; the answering frame, and what openssl complains of."""
    command = s_client(dialled, *POOL, "-quiet", *options)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as client:
        assert client.stdin and client.stdout and client.stderr
        try:
            client.stdin.write(said)
            client.stdin.flush()
            answer = frame(client.stdout)
        finally:
            client.kill()
        return answer, client.stderr.read().decode()


@pytest.mark.parametrize("name", ["h1", "h2", "h3"])
def test_without_a_name_it_meets_the_server_identity(demo: Demo, name: str):
    done = met(demo.hosts[name], "-noservername")
    assert thumbprint(done.stdout) == demo.page.thumbprints[name, "server"]


@pytest.mark.parametrize("asked", ["h1", "example.org", "pool.example.org"])
def test_under_any_other_name_too(demo: Demo, asked: str):
    done = met(demo.hosts["h1"], "-servername", asked)
    assert thumbprint(done.stdout) == demo.page.thumbprints["h1", "server"]


@pytest.mark.parametrize("asked", ["pool", "POOL", "xapi:pool", "pool-join"])
def test_under_the_names_of_the_pool_it_meets_the_pool_identity(demo: Demo, asked: str):
    done = met(demo.hosts["h2"], "-servername", asked)
    assert thumbprint(done.stdout) == demo.page.thumbprints["h2", "pool"]


def test_a_member_s_certificate_gets_its_hello_answered(demo: Demo):
    """The positive control of those that are refused."""
    h1, h2 = demo.hosts["h1"], demo.hosts["h2"]
    nonce = secrets.token_bytes(32)
    answer, _ = greeted(h1, hello(h2, h1, nonce), *shown(key_of(h2)))
    assert answer.keys() == {"hello", "nonce", "head"}
    head = json.loads(answer["head"]["payload"])
    assert base64.b64encode(nonce).decode() in head.values()
    assert h1.status()["host"] in head.values()


def test_without_a_certificate_it_is_refused_at_its_first_read(demo: Demo):
    h1, h2 = demo.hosts["h1"], demo.hosts["h2"]
    answer, complaint = greeted(h1, hello(h2, h1, bytes(32)))
    assert answer == {}
    assert "alert certificate required" in complaint


def test_a_stranger_s_certificate_is_refused_even_in_a_member_s_name(demo: Demo, tmp_path: Path):
    h1, h2 = demo.hosts["h1"], demo.hosts["h2"]
    stranger = mint_pool_identity(host_id(h2.status()["host"]), datetime.now(UTC))
    file = write_identity(tmp_path / "stranger.pem", stranger).path
    answer, complaint = greeted(h1, hello(h2, h1, bytes(32)), *shown(file))
    assert answer == {}
    assert re.search("alert (unknown ca|bad certificate|certificate unknown)", complaint)


def test_a_member_s_certificate_does_not_speak_for_another_member(demo: Demo):
    h1, h2, h3 = demo.hosts.values()
    answer, _ = greeted(h1, hello(h2, h1, bytes(32)), *shown(key_of(h3)))
    assert answer.keys() == {"refused"}
    assert "the certificate belongs to another member" in answer["refused"]["words"]


def test_under_the_pool_s_name_there_are_no_session_tickets(demo: Demo, tmp_path: Path):
    h1, h2 = demo.hosts["h1"], demo.hosts["h2"]
    ticket = tmp_path / "ticket"
    answer, _ = greeted(h1, hello(h2, h1, bytes(32)), *shown(key_of(h2)), "-sess_out", ticket)
    assert "hello" in answer
    assert not ticket.exists()


@pytest.mark.parametrize(("version", "resumes"), [("-tls1_3", False), ("-tls1_2", True)])
def test_under_others_there_are_none_in_tls_1_3(
    demo: Demo, tmp_path: Path, version: str, resumes: bool
):
    """A session of TLS 1.2 comes unasked, so the story before could fail."""
    ticket = tmp_path / "ticket"
    command = s_client(demo.hosts["h1"], version, "-noservername", "-quiet", "-sess_out", ticket)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as client:
        assert client.stdin and client.stdout
        client.stdin.write(b"GET / HTTP/1.0\r\n\r\n")
        client.stdin.flush()
        assert b"200 OK" in client.stdout.readline()
        client.kill()
    assert resumes == ticket.exists()


@pytest.mark.parametrize("asked", ["pool", "pool-join"])
def test_tls_1_2_is_refused_under_the_names_of_the_pool(demo: Demo, asked: str):
    h1, h2 = demo.hosts["h1"], demo.hosts["h2"]
    done = met(h1, "-servername", asked, "-tls1_2", *shown(key_of(h2)))
    assert done.returncode != 0
    assert "alert protocol version" in done.stderr
    assert "BEGIN CERTIFICATE" not in done.stdout


def test_a_client_as_old_as_the_original_xe_meets_the_server_identity(demo: Demo):
    """TLS 1.2 with ECDHE-RSA on P-384 is all that it offers."""
    old = ("-tls1_2", "-cipher", "ECDHE-RSA-AES256-GCM-SHA384", "-groups", "P-384")
    trust = ("-CAfile", demo.hosts["h1"].folder / "server.pem", "-verify_return_error")
    done = met(demo.hosts["h1"], *old, *trust)
    assert done.returncode == 0, done.stderr
    assert "Cipher is ECDHE-RSA-AES256-GCM-SHA384" in done.stdout
    assert re.search("Temp Key: ECDH, secp384r1", done.stdout)
    assert thumbprint(done.stdout) == demo.page.thumbprints["h1", "server"]
