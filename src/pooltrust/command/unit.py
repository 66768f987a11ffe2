"""`pooltrust host unit`: a systemd unit for this host, as narrow as what the daemon needs.

Pure but for `show`.  Source: systemd.service(5), systemd.exec(5).
"""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Iterator
from pathlib import Path

from pooltrust.host.configuration.config import Config

PRIVILEGED = 1024
"""Ports below this one are root's, or CAP_NET_BIND_SERVICE's."""
RUNTIME = Path("/run")
FILES = 65536


def show(path: Path) -> int:
    """Print the unit of the host with this configuration.  Raises BadConfig."""
    print(unit(Config.read(path), path.absolute(), _owner(path), _program()), end="")
    return 0


def unit(config: Config, path: Path, user: str, program: list[str]) -> str:
    """The text of the unit.  `user` runs the daemon, `program` is how pooltrust is called."""
    lines = [
        "# Made by: pooltrust host unit",
        "# Put it in /etc/systemd/system/pooltrust.service, then:",
        "#   systemctl daemon-reload && systemctl enable --now pooltrust",
        "[Unit]",
        f"Description=pooltrust: {_plain(config.name)} verifies the hosts of its pool",
        "Wants=network-online.target",
        "After=network-online.target",
        # A daemon that can't start at night is to be tried again in the morning, too.
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        "Type=notify",
        f"ExecStart={' '.join(map(_word, [*program, 'host', 'run', '--config', str(path)]))}",
        f"User={user}",
        "Restart=on-failure",
        "RestartSec=5",
        "TimeoutStopSec=30",
        f"LimitNOFILE={FILES}",
        *_rights(config, user),
        *_walls(config, path),
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    return "\n".join(lines) + "\n"


def _rights(config: Config, user: str) -> Iterator[str]:
    low = config.port < PRIVILEGED
    if user != "root" and low:
        yield "AmbientCapabilities=CAP_NET_BIND_SERVICE"
    if config.passwords == "pam":
        # PAM's modules check passwords with more rights than the daemon has (unix_chkpwd).
        return
    yield f"CapabilityBoundingSet={'CAP_NET_BIND_SERVICE' if low else ''}"
    yield "NoNewPrivileges=yes"


def _walls(config: Config, path: Path) -> Iterator[str]:
    """What it can't see or change: all but its state and its socket."""
    yield "UMask=0077"
    yield "ProtectSystem=strict"
    yield f"ReadWritePaths={_word(str(config.folder))}"
    if config.socket.parent != config.folder:
        yield from _place_of_socket(config.socket.parent)
    yield "ProtectHome=read-only" if _at_home(config, path) else "ProtectHome=yes"
    yield from (
        "PrivateTmp=yes",
        "PrivateDevices=yes",
        "ProtectClock=yes",
        "ProtectControlGroups=yes",
        "ProtectHostname=yes",
        "ProtectKernelLogs=yes",
        "ProtectKernelModules=yes",
        "ProtectKernelTunables=yes",
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
        "RestrictNamespaces=yes",
        "RestrictRealtime=yes",
        "RestrictSUIDSGID=yes",
        "LockPersonality=yes",
        "SystemCallArchitectures=native",
    )


def _place_of_socket(folder: Path) -> Iterator[str]:
    if folder.parent == RUNTIME:
        yield f"RuntimeDirectory={_word(folder.name)}"
        yield "RuntimeDirectoryMode=0700"
    else:
        yield f"ReadWritePaths={_word(str(folder))}"


def _at_home(config: Config, path: Path) -> bool:
    homes = (Path("/home"), Path("/root"))
    places = (config.folder, config.socket, path, Path(sys.prefix))
    return any(place.is_relative_to(home) for place in places for home in homes)


def _word(text: str) -> str:
    """A word of a unit: quoted if it must be, and `%` is doubled."""
    text = text.replace("%", "%%")
    if text and not set(text) & set(" \t\"'\\;$"):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{escaped}"'


def _plain(text: str) -> str:
    return " ".join(text.replace("%", "%%").split())


def _owner(path: Path) -> str:
    """Who owns the configuration runs the daemon."""
    try:
        return pwd.getpwuid(path.stat().st_uid).pw_name
    except (KeyError, OSError):
        return pwd.getpwuid(os.geteuid()).pw_name


def _program() -> list[str]:
    beside = Path(sys.executable).with_name("pooltrust")
    return [str(beside)] if beside.exists() else [sys.executable, "-m", "pooltrust"]
