"""`pooltrust host init` and `pooltrust host run`."""

from __future__ import annotations

import argparse
import os
import socket
from datetime import UTC, datetime
from pathlib import Path

from pooltrust.errors import BadConfig
from pooltrust.host.accounts.local import ADMINISTRATOR
from pooltrust.host.configuration.config import Config
from pooltrust.host.configuration.settings import written
from pooltrust.host.founding import set_up


def init(options: argparse.Namespace, path: Path) -> int:
    """Set this host up: its configuration (unless it is there), identities and pool of one.

    Prints the server thumbprint and the administrator's first password, once.
    """
    before = options.upgraded_from or ""
    config = _configured(options, path)
    new = set_up(config, datetime.now(UTC), upgraded_from=before)
    state = "on" if config.verification_at_founding and not before else "off"
    print(
        f"{config.name} is set up: a pool of one host, certificate verification {state}.\n"
        f"\n"
        f"  configuration      {path}\n"
        f"  state folder       {config.folder}\n"
        f"  address            {config.address} port {config.port}\n"
        f"  host               {new.host}\n"
        f"  server thumbprint  {new.server}\n"
        f"  pool thumbprint    {new.pool}\n"
        f"  user               {ADMINISTRATOR}\n"
        f"  password           {new.password}\n"
        f"\n"
        f"The password is shown this once; compare the server thumbprint when a client first\n"
        f"connects.  Start the host: pooltrust host run --config {path}"
    )
    if before:
        print(
            f"\nAfter the upgrade from {before} hosts do not verify one another yet.  When every\n"
            "host of the pool is upgraded, let them: xe pool-enable-tls-verification"
        )
    return 0


def run(path: Path) -> int:
    """Run the daemon until SIGTERM or SIGINT."""
    from pooltrust.host.daemon import main

    return main(Config.read(path))


def _configured(options: argparse.Namespace, path: Path) -> Config:
    given = {
        ("host", "name"): options.name,
        ("host", "address"): options.address,
        ("host", "port"): options.port,
        ("state", "folder"): str(options.folder.absolute()) if options.folder else None,
    }
    given = {key: value for key, value in given.items() if value is not None}
    if path.exists():
        if given:
            keys = ", ".join(f"--{key}" for _, key in given)
            raise BadConfig(str(path), f"it exists already: change it there, or leave out {keys}.")
        return Config.read(path)
    given = _guessed() | given
    config = Config.parse(_toml(given), file=path, root=os.geteuid() == 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(config.text())
    return config


def _guessed() -> dict[tuple[str, str], str]:
    """The machine's own name, and the address that the name means."""
    name = socket.gethostname()
    try:
        address = socket.gethostbyname(name)
    except (OSError, UnicodeError):  # nobody knows it, or a label of it has 64 characters
        return {("host", "name"): name}
    return {("host", "name"): name, ("host", "address"): address}


def _toml(given: dict[tuple[str, str], object]) -> bytes:
    sections: dict[str, list[str]] = {}
    for (section, key), value in given.items():
        sections.setdefault(section, []).append(f"{key} = {written(value)}")
    lines = [f"[{section}]\n" + "\n".join(keys) for section, keys in sections.items()]
    return "\n".join(lines).encode()
