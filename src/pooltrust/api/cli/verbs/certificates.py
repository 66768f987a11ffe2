"""Certificates and revocation lists that the client has as files."""

from __future__ import annotations

import re

from pooltrust.api.cli.command import command
from pooltrust.api.cli.objects import value_of
from pooltrust.api.cli.seat import Seat
from pooltrust.api.cli.wire.rows import names
from pooltrust.api.cli.wire.words import Fault, Missing, boolean
from pooltrust.api.declare.call import find
from pooltrust.api.declare.values import Ref, type_of

_INTEGER = type_of(int)
CERTIFICATE, KEY, CHAIN = "certificate", "private-key", "certificate-chain"


async def _text(seat: Seat, path: str, what: str) -> str:
    data = await seat.terminal.load(path, what)
    return data.decode("utf-8", "replace")


@command(
    "host-server-certificate-install",
    required=(CERTIFICATE,),
    optional=(KEY, CHAIN),
    selects=True,
    does=tuple(
        f"{call} host={{host}} certificate=FILE private-key=FILE "
        "certificate-chain={certificate_chain:FILE}"
        for call in ("host.install_server_certificate", "pooltrust.install_server_certificate")
    ),
)
async def install(seat: Seat) -> None:
    """Have a host show its clients a certificate of yours; the parameters name files.

    Without private-key it is the answer to the host's own request: see host-certificate-request.
    """
    words = seat.words
    host, record = await seat.one_host(CERTIFICATE, KEY, CHAIN)
    if not words.has(KEY):
        if not await seat.call("pooltrust.get_certificate_request", host):
            raise Missing(KEY)
        await _install_answer(seat, host, record.uuid)
        return
    leaf = await _text(seat, words.require(CERTIFICATE), "certificate")
    key = await _text(seat, words.require(KEY), "private key")
    chain = ""
    if words.has(CHAIN):
        chain = await _text(seat, words.get(CHAIN), "certificate chain")
    thumbprint, *warnings = await seat.call(
        "pooltrust.install_server_certificate", host, leaf, key, chain
    )
    await _renewed(seat, record.uuid, thumbprint)
    for warning in warnings:
        await seat.terminal.complain(warning)


@command(
    "host-certificate-request-install",
    required=(CERTIFICATE,),
    optional=(CHAIN,),
    selects=True,
    does=(
        "pooltrust.install_requested_certificate host={host} certificate=FILE "
        "certificate-chain={certificate_chain:FILE}",
    ),
)
async def install_requested(seat: Seat) -> None:
    """Have a host show its clients what an authority answered to its request."""
    host, record = await seat.one_host(CERTIFICATE, CHAIN)
    await _install_answer(seat, host, record.uuid)


async def _install_answer(seat: Seat, host: Ref, uuid: str) -> None:
    words = seat.words
    leaf = await _text(seat, words.require(CERTIFICATE), "certificate")
    chain = ""
    if words.has(CHAIN):
        chain = await _text(seat, words.get(CHAIN), "certificate chain")
    thumbprint, *warnings = await seat.call(
        "pooltrust.install_requested_certificate", host, leaf, chain
    )
    await _renewed(seat, uuid, thumbprint)
    for warning in warnings:
        await seat.terminal.complain(warning)


REQUEST = ("filename", "names", "key")


@command("host-certificate-request", optional=REQUEST, selects=True)
@command("host-certificate-request-create", optional=REQUEST, selects=True, plain=True)
async def request(seat: Seat) -> None:
    """Have a host make a key, which stays there, and a request for an authority to sign: shown, or
    saved as the file that filename names.

    names: more DNS names, with commas between.  The answer goes to host-server-certificate-install.
    """
    words = seat.words
    host, _ = await seat.one_host(*REQUEST)
    more = [one for one in words.get("names").split(",") if one]
    made = await seat.call("pooltrust.create_certificate_request", host, more, words.get("key"))
    await seat.save(made, "the request; it is kept: host-certificate-request-get")


@command("host-certificate-request-get", optional=("filename",), selects=True)
async def pending(seat: Seat) -> None:
    """The request of a host that waits for its answer, in PEM, shown or saved as a file."""
    host, _ = await seat.one_host("filename")
    await seat.save(await seat.call("pooltrust.get_certificate_request", host), "the request")


@command("host-reset-server-certificate", selects=True)
async def reset(seat: Seat) -> None:
    """Delete the certificate that a host shows its clients, and put a new self-signed one there."""
    host, record = await seat.one_host()
    await seat.call("host.reset_server_certificate", host)
    await _renewed(seat, record.uuid, await _served(seat, host))


@command(
    "host-emergency-disable-tls-verification",
    optional=("reason", "lifetime"),
    local=True,
    does=(
        "pooltrust.emergency_disable_tls_verification reason={reason} lifetime={lifetime}",
        "host.emergency_disable_tls_verification",
    ),
)
async def emergency_disable(seat: Seat) -> None:
    """Stop verifying whom this host dials, until it is switched back, or for lifetime seconds."""
    words = seat.words
    if not words.has("lifetime") and not words.has("reason"):
        await seat.call("host.emergency_disable_tls_verification")
        return
    seconds = value_of(_INTEGER, "lifetime", words.get("lifetime", "3600"))
    call = "pooltrust.emergency_disable_tls_verification"
    await seat.call(call, words.get("reason"), seconds)


@command("host-emergency-reset-server-certificate", local=True)
async def emergency_reset(seat: Seat) -> None:
    """The same on this host, while it can't reach its coordinator."""
    await seat.call("host.emergency_reset_server_certificate")


async def _served(seat: Seat, host: str) -> str:
    for record in (await seat.records("Certificate")).values():
        if record.host == host and record.type == "host":
            return str(record.fingerprint_sha256)
    return ""


async def _renewed(seat: Seat, uuid: str, thumbprint: str) -> None:
    """Tell a client that verifies whom to expect there from now on."""
    await seat.terminal.debug(f"pooltrust: host {uuid} shows {thumbprint} now")


@command("host-get-server-certificate", selects=True)
async def get(seat: Seat) -> None:
    """Show the certificate that clients meet at a host, in PEM."""
    host, _ = await seat.one_host()
    await seat.terminal.print(str(await seat.call("host.get_server_certificate", host)))


def _basename(path: str) -> str:
    return re.split(r"[/\\]", path)[-1]


async def _install_file(seat: Seat, call: str, what: str) -> None:
    path = seat.words.require("filename")
    _need(call)
    await seat.call(call, _basename(path), await _text(seat, path, what))


def _need(call: str) -> None:
    if find(call) is None:
        raise Fault("This release does not have that yet.")


@command(
    "pool-install-ca-certificate",
    required=("filename",),
    does=("pool.install_ca_certificate filename={name}",),
)
async def install_ca(seat: Seat) -> None:
    """Trust a certificate authority in the whole pool; its name is that of the file."""
    await _install_file(seat, "pool.install_ca_certificate", "certificate")


@command(
    "pool-certificate-install",
    required=("filename",),
    plain=True,
    does=("pool.certificate_install filename={name}",),
)
async def certificate_install(seat: Seat) -> None:
    """The former name of pool-install-ca-certificate."""
    await _install_file(seat, "pool.certificate_install", "certificate")


@command("pool-crl-install", required=("filename",), does=("pool.crl_install filename={name}",))
async def crl_install(seat: Seat) -> None:
    """Install a revocation list in the whole pool; its name is that of the file."""
    await _install_file(seat, "pool.crl_install", "CRL")


@command("pool-uninstall-ca-certificate", required=("name",), optional=("force",))
async def uninstall_ca(seat: Seat) -> None:
    """Trust a certificate authority no longer."""
    _need("pool.uninstall_ca_certificate")
    name, force = seat.words.require("name"), seat.words.flag("force")
    await seat.call("pool.uninstall_ca_certificate", name, force)


async def _by_name(seat: Seat, call: str) -> None:
    _need(call)
    await seat.call(call, seat.words.require("name"))


async def _names(seat: Seat, call: str) -> None:
    _need(call)
    await names(seat.terminal, seat.words, list(await seat.call(call)))


@command(
    "pool-certificate-uninstall",
    required=("name",),
    plain=True,
    does=("pool.certificate_uninstall name={name}",),
)
async def certificate_uninstall(seat: Seat) -> None:
    """The former name of pool-uninstall-ca-certificate."""
    await _by_name(seat, "pool.certificate_uninstall")


@command("pool-crl-uninstall", required=("name",))
async def crl_uninstall(seat: Seat) -> None:
    """Remove a revocation list."""
    await _by_name(seat, "pool.crl_uninstall")


@command("pool-certificate-list", plain=True, does=("pool.certificate_list",))
async def certificate_names(seat: Seat) -> None:
    """The names of the installed authorities; see certificate-list for more."""
    await _names(seat, "pool.certificate_list")


@command("pool-crl-list")
async def crl_names(seat: Seat) -> None:
    """The names of the installed revocation lists."""
    await _names(seat, "pool.crl_list")


@command("pool-certificate-sync")
async def certificate_sync(seat: Seat) -> None:
    """Bring what is trusted to every member again."""
    _need("pool.certificate_sync")
    await seat.call("pool.certificate_sync")


@command(
    "pool-install-trusted-certificate",
    required=("filename", "ca"),
    optional=("uuid", "purpose"),
    does=("pool.install_trusted_certificate filename=FILE ca={ca} purpose={purpose}",),
)
async def install_trusted(seat: Seat) -> None:
    """Trust an authority (ca=true), or exactly one certificate (ca=false), for these purposes."""
    _need("pool.install_trusted_certificate")
    words, pool = seat.words, await seat.only_pool()
    ca = boolean("ca", words.require("ca"))
    purposes = [one for one in words.get("purpose").split(",") if one]
    pem = await _text(seat, words.require("filename"), "certificate")
    await seat.call("pool.install_trusted_certificate", pool, ca, pem, purposes)


@command(
    "pool-uninstall-trusted-certificate",
    required=("certificate-uuid",),
    optional=("uuid",),
    does=("pool.uninstall_trusted_certificate certificate-uuid={certificate}",),
)
async def uninstall_trusted(seat: Seat) -> None:
    """Trust a certificate no longer."""
    _need("pool.uninstall_trusted_certificate")
    one = await seat.by_uuid("Certificate", seat.words.require("certificate-uuid"))
    await seat.call("pool.uninstall_trusted_certificate", await seat.only_pool(), one)
