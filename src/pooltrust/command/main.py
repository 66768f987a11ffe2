"""`pooltrust …`: reads the command line and hands over to the command's own module."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pooltrust import __version__
from pooltrust.errors import Failure
from pooltrust.terms import Thumbprint


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="pooltrust",
        description="Certificate verification for a pool of hosts, with no certificate authority.",
    )
    top.add_argument("--version", action="version", version=f"pooltrust {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_host(commands.add_parser("host", help="set up, run and look at this host"))
    _add_log(commands.add_parser("log", help="read and check a trust log, offline"))
    _add_console(commands.add_parser("console", help="see and steer pools from a browser"))
    _add_demo(commands.add_parser("demo", help="run a pool of three hosts on this machine"))
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.  Returns its exit status: 0, 1 for a failure, 2 for a wrong command line."""
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options) or 0)
    except Failure as why:
        print(f"pooltrust: {why}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def default_config() -> Path:
    """Where the configuration is unless told otherwise: $POOLTRUST_CONFIG, /etc or the home."""
    if named := os.environ.get("POOLTRUST_CONFIG"):
        return Path(named)
    if os.geteuid() == 0:
        return Path("/etc/pooltrust/pooltrust.toml")
    return Path("~/.config/pooltrust/pooltrust.toml").expanduser()


def _add_host(host: argparse.ArgumentParser) -> None:
    verbs = host.add_subparsers(dest="verb", required=True, metavar="VERB")
    init = verbs.add_parser("init", help="make this host's identities and its pool of one")
    init.add_argument("--name", help="the host's name (default: the machine's)")
    init.add_argument("--address", help="its address on the management network")
    init.add_argument("--port", type=int, help="the pool's port (default 443 as root, else 8443)")
    init.add_argument("--folder", type=Path, help="the state folder")
    init.add_argument(
        "--upgraded-from",
        type=_release,
        metavar="VERSION",
        help="this host ran VERSION before: its pool does not verify until that is enabled",
    )
    init.set_defaults(run=_host_init)
    run = verbs.add_parser("run", help="run this host's daemon in the foreground")
    run.set_defaults(run=_host_run)
    status = verbs.add_parser("status", help="show this host, its pool and its certificates")
    status.add_argument("--json", action="store_true", help="for programs")
    status.set_defaults(run=_host_status)
    unit = verbs.add_parser("unit", help="print a systemd unit that runs this host")
    unit.set_defaults(run=_host_unit)
    for verb in (init, run, status, unit):
        verb.add_argument("--config", type=Path, help="the configuration file")


def _release(text: str) -> str:
    if not 0 < len(text) <= 64 or not text.isprintable():
        raise argparse.ArgumentTypeError("a release has 1 to 64 printable characters")
    return text


def _thumbprint(text: str) -> Thumbprint:
    try:
        return Thumbprint.parse(text)
    except ValueError as why:
        raise argparse.ArgumentTypeError(str(why)) from why


def _add_log(log: argparse.ArgumentParser) -> None:
    verbs = log.add_subparsers(dest="verb", required=True, metavar="VERB")
    show = verbs.add_parser("show", help="print the entries of a trust log")
    show.add_argument("--json", action="store_true", help="one entry in JSON per line")
    show.set_defaults(run=_log_show)
    verify = verbs.add_parser("verify", help="check every hash, signature and rule of a trust log")
    verify.set_defaults(run=_log_verify)
    for verb in (show, verify):
        verb.add_argument("--config", type=Path, help="the configuration file of its host")
        verb.add_argument("file", nargs="?", type=Path, help="a trust log (default: this host's)")


def _add_console(console: argparse.ArgumentParser) -> None:
    console.add_argument("--port", type=int, default=0, help="its port (default: one that is free)")
    console.add_argument("--known-servers", type=Path, metavar="FILE", help="who was met before")
    console.add_argument(
        "--server", metavar="ADDRESS[:PORT]", help="a server to connect to at once"
    )
    console.add_argument("--user", default="root", help="the user there")
    console.add_argument("--password-file", type=Path, metavar="FILE", help="its password")
    console.add_argument("--thumbprint", type=_thumbprint, help="expect exactly this certificate")
    console.add_argument(
        "--authority",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="believe from now on whom this authority certifies (PEM or DER; repeatable)",
    )
    console.add_argument("--browser", action="store_true", help="open the link in a browser")
    console.set_defaults(run=_console)


def _add_demo(demo: argparse.ArgumentParser) -> None:
    demo.add_argument("--folder", type=Path, default=Path("pool"), help="where the pool is kept")
    demo.add_argument("--port", type=int, help="its port (default 8443, then what was used)")
    demo.set_defaults(run=_demo)


# Each command imports only what it needs: a status should not wait for the daemon's libraries.


def _host_init(options: argparse.Namespace) -> int:
    from pooltrust.command import host

    return host.init(options, options.config or default_config())


def _host_run(options: argparse.Namespace) -> int:
    from pooltrust.command import host

    return host.run(options.config or default_config())


def _host_status(options: argparse.Namespace) -> int:
    from pooltrust.command import status

    return status.show(options.config or default_config(), as_json=options.json)


def _host_unit(options: argparse.Namespace) -> int:
    from pooltrust.command import unit

    return unit.show(options.config or default_config())


def _log_show(options: argparse.Namespace) -> int:
    from pooltrust.command import log

    return log.show(log.file(options.file, options.config or default_config()), options.json)


def _log_verify(options: argparse.Namespace) -> int:
    from pooltrust.command import log

    return log.verify(log.file(options.file, options.config or default_config()))


def _console(options: argparse.Namespace) -> int:
    from pooltrust.command import console

    authorities = console.authorities(options.authority)
    first = console.first(options)
    known = options.known_servers or console.known_servers()
    return console.run(known, options.port, first, authorities, browser=options.browser)


def _demo(options: argparse.Namespace) -> int:
    from pooltrust.command.demo.main import run

    return run(options.folder, options.port)
