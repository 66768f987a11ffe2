"""What the demonstration shows: the hosts, who verified whom just now, and lines to copy."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

from pooltrust.command.client import Client
from pooltrust.command.demo.hosts import Host
from pooltrust.command.status import ask
from pooltrust.command.tables import Cell, Column, Terminal, Tone, table
from pooltrust.errors import Failure
from pooltrust.host.accounts.local import ADMINISTRATOR


def page(hosts: list[Host], folder: Path, port: int, terminal: Terminal, link: str) -> str:
    """Everything, as text.  Nine handshakes are made for it."""
    with Client(hosts[0].socket) as client:
        members = ask(client)["members"]
        _keep_certificates(client, hosts)
    password = (folder / "password").read_text().strip()
    return "\n".join(
        [
            "",
            "The pool",
            _members(members, terminal),
            "Who verified whom, just now (row: who dialled; cell: the certificate met)",
            _handshakes(hosts, members, terminal),
            f"User      {ADMINISTRATOR}",
            f"Password  {password}",
            f"Kept in   {folder} (port {port})",
            "",
            "The pool's console, for one browser (the link is good once):",
            f"  {link}",
            "",
            "Make a shell the console of a host:",
            *(f"  {console(host)}" for host in hosts),
            "",
            "Log in with the XenAPI module, trusting nothing but the certificate of h1:",
            f"  {xenapi_line(hosts[0], folder, port)}",
            "Look at h2 with openssl, trusting nothing but its certificate:",
            f"  {openssl_line(hosts[1], port)}",
            "",
            "Ctrl-C stops the pool.",
        ]
    )


def console(host: Host) -> str:
    """The line that makes a shell the console of this host."""
    programs = shlex.quote(str(Path(sys.executable).parent))
    config, socket = shlex.quote(str(host.config)), shlex.quote(str(host.socket))
    return f'export PATH={programs}:"$PATH" POOLTRUST_CONFIG={config} POOLTRUST_SOCKET={socket}'


def xenapi_line(host: Host, folder: Path, port: int) -> str:
    """A line that logs in with the PyPI module and lists the pool's hosts and certificates."""
    program = (
        "import ssl, xmlrpc.client, XenAPI; "
        f"trust = ssl.create_default_context(cafile={_text(host.server_certificate)}); "
        f'session = XenAPI.Session("https://{host.address}:{port}", '
        "transport=xmlrpc.client.SafeTransport(context=trust)); "
        f'session.login_with_password("{ADMINISTRATOR}", '
        f"open({_text(folder.absolute() / 'password')}).read().strip()); "
        '[print(h["name_label"], h["address"]) '
        "for h in session.xenapi.host.get_all_records().values()]; "
        '[print(c["type"], c["fingerprint_sha256"]) '
        "for c in session.xenapi.Certificate.get_all_records().values()]; "
        "session.logout()"
    )
    return f"{shlex.quote(sys.executable)} -c {shlex.quote(program)}"


def openssl_line(host: Host, port: int) -> str:
    """A line that meets the host's server identity and verifies it."""
    trust = shlex.quote(str(host.server_certificate))
    return (
        f"openssl s_client -connect {host.address}:{port} -CAfile {trust} "
        f"-verify_ip {host.address} -verify_return_error -brief </dev/null"
    )


def _text(path: Path) -> str:
    """A path as a text of Python, in double quotes: single ones are around the whole program."""
    return json.dumps(str(path))


def _keep_certificates(client: Client, hosts: list[Host]) -> None:
    records = client.call("host.get_all_records")
    refs = {record["name_label"]: ref for ref, record in records.items()}
    for host in hosts:
        if host.name in refs:
            pem = client.call("host.get_server_certificate", refs[host.name])
            host.server_certificate.write_text(pem)


def _members(members: list[dict[str, Any]], terminal: Terminal) -> str:
    columns = [
        Column("host"),
        Column("role"),
        Column("address"),
        Column("identity"),
        Column("thumbprint"),
        Column("valid until"),
    ]
    rows = [
        [
            member["name"],
            member["role"],
            member["address"],
            sort,
            member[sort]["thumbprint"],
            f"{member[sort]['not_after'][:10]} ({member[sort]['days_left']} days)",
        ]
        for member in members
        for sort in ("server", "pool")
    ]
    return table(columns, rows, terminal)


def _handshakes(hosts: list[Host], members: list[dict[str, Any]], terminal: Terminal) -> str:
    """Asked of each host itself, so that one whose identity is wrong still shows what it sees."""
    names = {member["host"]: member["name"] for member in members}
    columns = [Column("from \\ to"), *(Column(name) for name in names.values())]
    rows: list[list[Cell | str]] = []
    reasons: list[str] = []
    for host in hosts:
        seen = {one["uuid"]: one for one in _probe(host)}
        rows.append([host.name, *(_cell(seen.get(uuid)) for uuid in names)])
        reasons += [
            f"  {host.name} to {names[uuid]}: {seen[uuid]['reason']}"
            for uuid in names
            if uuid in seen and seen[uuid]["verified"] != "true"
        ]
    return table(columns, rows, terminal) + "".join(f"{reason}\n" for reason in reasons)


def _probe(host: Host) -> list[dict[str, str]]:
    try:
        with Client(host.socket) as client:
            seen: list[dict[str, str]] = client.call("pooltrust.probe_members", client.this_host())
            return seen
    except Failure:
        return []


def _cell(one: dict[str, str] | None) -> Cell:
    if one is None:
        return Cell("not asked", Tone.BAD)
    met = f"{one['met'][:23]}…" if one["met"] else "nobody"
    if one["verified"] == "true":
        return Cell(f"{met} verified", Tone.GOOD)
    return Cell(f"{met} REFUSED", Tone.BAD)
