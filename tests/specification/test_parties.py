"""Who proves what to whom: members, clients, whoever joins and leaves, and appliances."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliances.stage import Appliance
from pki.offered.stage import Maker, key_text, made, private
from pools.stage import SOON, Host, within
from pooltrust.pki.certificate import Certificate, read_pem
from sources import PROJECT

from .rows import proves
from .stage import (
    Gui,
    World,
    chained,
    good,
    sha256,
    shown,
    typed,
    uuid_of,
    xe,
)

pytestmark = pytest.mark.needs("openssl")

DATES = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=90)
ROOT = Maker.named("a root")


@pytest.fixture(scope="module")
def member(world: World) -> Host:
    """h4, which joins the pool by what is typed at its console."""
    h1, h4 = world["h1"], world["h4"]
    said = good(
        h4, "pool-join", f"master-address={h1.address}:{h1.port}", "master-username=root",
        f"master-password={h1.password}",
    )  # fmt: skip
    # It tells whom it has met.
    assert str(shown(h1, "pool").thumbprint) in said
    return h4


def certificates(host: Host) -> str:
    return good(host, "certificate-list", "params=fingerprint", "--minimal")


@proves(8, 9, 10, 11)
def test_a_host_shows_members_one_identity_and_clients_another(
    world: World, tmp_path: Path
) -> None:
    for host in world.pool:
        for_members, for_clients = shown(host, "pool"), shown(host)
        known = certificates(host).strip().split(",")
        assert {str(for_members.thumbprint), str(for_clients.thumbprint)} <= set(known)
        assert for_members != for_clients
        (itself := tmp_path / "itself.pem").write_text(for_members.pem())
        assert for_members.subject == for_members.issuer
        assert chained(for_members.pem(), itself)
    # What members say to one another, they say under that name, and each handshake met it.
    seen = {one["met"] for one in world["h2"].probe().values()}
    assert seen == {str(shown(host, "pool").thumbprint) for host in world.pool}


@proves(4, 5, 15)
def test_clients_believe_a_host_by_its_certificate_and_tell_another_nothing(
    world: World, tmp_path: Path
) -> None:
    h1, h2, _ = world.pool
    believed = shown(h1)
    Gui(h1, h1.password, believed.pem()).connection.close()
    with pytest.raises(ssl.SSLCertVerificationError):
        Gui(h2, h1.password, believed.pem())
    remote = ("-s", h2.address, "-p", h2.port, "-u", "root", "-pw", h1.password)
    ran = typed(*remote, f"--thumbprint={believed.thumbprint}", "host-list", home=tmp_path)
    assert ran.code != 0 and str(shown(h2).thumbprint) in ran.err and ran.out == ""


@proves(6, 12, 33, 34)
def test_a_certificate_of_ones_own_is_what_clients_meet(world: World, tmp_path: Path) -> None:
    h2 = world["h2"]
    before = shown(h2)
    assert before.self_signed
    files = {
        "certificate": made("h2", private("rsa-2048"), ROOT, names=(h2.address,), dates=DATES),
        "private-key": key_text("rsa-2048"),
        "anchor": made("a root", ROOT.key, ca=True, names=(), dates=DATES),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    paths = [f"{name}={tmp_path / name}" for name in ("certificate", "private-key")]
    assert xe(world["h1"], "host-server-certificate-install", "host=h2", *paths).code == 0
    assert shown(h2) == read_pem(files["certificate"])[0]
    assert chained(shown(h2).pem(), tmp_path / "anchor")
    assert str(shown(h2).thumbprint) in certificates(h2)
    # A client that knows the authority only connects, and members still verify one another.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=files["anchor"])
    with socket.create_connection((h2.address, h2.port), 10) as plain:
        context.wrap_socket(plain, server_hostname=h2.address).close()
    assert all(one["verified"] == "true" for one in world["h1"].probe().values())
    good(h2, "host-reset-server-certificate", "host=h2")
    assert shown(h2).self_signed and shown(h2) != before


@proves(7, 35)
def test_a_page_says_how_to_make_and_install_one() -> None:
    page = (PROJECT / "docs" / "trust.md").read_text()
    _, _, section = page.partition("## A certificate of yours for a host")
    section = section.partition("\n## ")[0]
    assert "xe host-certificate-request" in section and "host.install_server_certificate" in section
    assert "](docs/trust.md)" in (PROJECT / "README.md").read_text()


@proves(13, 14)
def test_a_host_that_joins_trusts_the_first_connection_and_exchanges_certificates(
    world: World, member: Host
) -> None:
    log = world["h1"].call("pooltrust.get_log", 0, 1000)
    [admitted] = [
        one
        for one in log
        if one["kind"] == "host-admitted" and f'"{member.name}"' in one["payload"]
    ]
    assert '"met":"password"' in admitted["payload"].replace(" ", "")
    for identity in (shown(member), shown(member, "pool"), shown(world["h3"], "pool")):
        for host in (*world.pool, member):
            within(SOON, lambda h=host, i=identity: str(i.thumbprint) in certificates(h))


@proves(13, 14, 15)
def test_a_client_is_shown_the_certificate_at_first_sight_and_expects_it_afterwards(
    world: World, tmp_path: Path
) -> None:
    h1 = world["h1"]
    remote = ("-s", h1.address, "-p", h1.port, "-u", "root", "-pw", h1.password)
    first = typed(*remote, "pool-list", home=tmp_path)
    assert first.code != 0 and f"--thumbprint={shown(h1).thumbprint}" in first.err
    expected = (f"--thumbprint={shown(h1).thumbprint}", "pool-list", "--minimal")
    assert typed(*remote, *expected, home=tmp_path).out == good(h1, "pool-list", "--minimal")
    other = (f"--thumbprint={shown(h1, 'pool').thumbprint}", "pool-list")
    assert typed(*remote, *other, home=tmp_path).code != 0


@contextmanager
def impostor(host: Host, folder: Path) -> Iterator[list[bytes]]:
    """Somebody with a certificate of its own at this host's address; yields what it is told."""
    (identity := folder / "impostor.pem").write_text(
        key_text("rsa-2048") + made("h", private("rsa-2048"), names=(host.address,), dates=DATES)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity)
    told: list[bytes] = []
    server = socket.create_server((host.address, host.port))
    server.settimeout(0.1)
    over = threading.Event()

    def listen() -> None:
        while not over.is_set():
            try:
                plain, _ = server.accept()
                plain.settimeout(2)
                with context.wrap_socket(plain, server_side=True) as tls:
                    told.append(tls.recv(100))
            except OSError:
                continue

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield told
    finally:
        over.set()
        thread.join()
        server.close()


@proves(1, 2, 3)
def test_whoever_stands_at_a_member_s_address_is_told_nothing(
    world: World, member: Host, tmp_path: Path
) -> None:
    expected = shown(member, "pool")
    member.stop()
    with impostor(member, tmp_path) as told:
        met = within(SOON, lambda: world["h1"].probe()[member.name]["met"])
        seen = world["h1"].probe()[member.name]
        assert (seen["verified"], met) == ("false", str(shown(member).thumbprint))
        assert str(expected.thumbprint) in seen["reason"] or "not" in seen["reason"]
        within(SOON, lambda: told)
        assert set(told) == {b""}
    member.run()
    within(SOON, lambda: world["h1"].probe()[member.name]["verified"] == "true")


@proves(21, 22)
@pytest.mark.needs("nginx")
def test_the_appliance_is_verified_by_the_certificate_that_was_installed(
    world: World, tmp_path: Path
) -> None:
    h1 = world["h1"]
    with Appliance.at(tmp_path / "appliance") as appliance:
        appliance.answers |= {"AddXenServer": "<Id>7</Id>", "RemoveXenServer": ""}
        words = (
            "pool-initialize-wlb", f"wlb_url={appliance.url}", "wlb_username=wlb",
            "wlb_password=hush", "xenserver_username=root", "xenserver_password=hush",
        )  # fmt: skip
        assert xe(h1, *words).code != 0 and appliance.began == []
        (file := tmp_path / "wlb.pem").write_text(appliance.pem)
        good(h1, "pool-install-ca-certificate", f"filename={file}")
        good(h1, *words)
        good(h1, "pool-deconfigure-wlb")
        good(h1, "pool-uninstall-ca-certificate", "name=wlb.pem")
    assert [one.method for one in appliance.said] == ["AddXenServer", "RemoveXenServer"]


@proves(23)
def test_the_conversion_manager_calls_in_without_a_certificate_and_is_never_dialled(
    world: World,
) -> None:
    h1, away = world["h1"], "127.0.7.8"
    with (
        socket.create_server((away, 443)) if False else socket.create_server((away, h1.port)) as ear
    ):
        client = Gui(h1, h1.password, shown(h1).pem(), source=away)
        assert len(client.records("host")) >= 3
        client.connection.close()
        ear.setblocking(False)
        with pytest.raises(BlockingIOError):
            ear.accept()
    page = (PROJECT / "docs" / "connections.md").read_text()
    assert "hosts never dial it" in page.partition("## Conversion Manager")[2]


def left(identity: Certificate, host: Host) -> list[str]:
    """Where this certificate stands in the files of a host, as bytes or in PEM, but for its log."""
    body = "".join(identity.pem().splitlines()[1:-1]).encode()
    names = (identity.der, body[:200], sha256(identity.der).encode())
    return [
        path.name
        for path in host.state.rglob("*")
        if path.is_file()
        and any(one in path.read_bytes().replace(b"\n", b"") for one in names)
        and "log" not in path.name
    ]


@proves(20)
def test_when_a_host_leaves_neither_side_keeps_a_certificate_of_the_other(
    world: World, member: Host
) -> None:
    h1 = world["h1"]
    theirs = [shown(host, "pool") for host in world.pool] + [shown(host) for host in world.pool]
    its = [shown(member), shown(member, "pool")]
    good(h1, "pool-eject", f"host-uuid={uuid_of(h1, member.name)}", "--force")
    within(SOON, lambda: list(member.members()) == [member.name])
    for host in world.pool:
        within(SOON, lambda h=host: not any(str(one.thumbprint) in certificates(h) for one in its))
        assert [left(one, host) for one in its] == [[], []]
    assert not any(str(one.thumbprint) in certificates(member) for one in theirs)
    assert [left(one, member) for one in theirs] == [[]] * 6
    assert shown(member, "pool") not in its
