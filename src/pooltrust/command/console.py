"""`pooltrust console`: the console until Ctrl-C, and the links by which a browser comes in."""

from __future__ import annotations

import argparse
import asyncio
import html
import os
import signal
import sys
import webbrowser
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pooltrust.console.trusting.authorities import NoAuthority
from pooltrust.console.trusting.kept import replace_own
from pooltrust.console.trusting.trust import place_of
from pooltrust.console.web.asked import place_typed
from pooltrust.console.web.serve import Running, running
from pooltrust.errors import Refused, failure
from pooltrust.terms import Thumbprint

MOST_PRINTED = 8
"""Authorities that are named one by one when the console starts."""


@failure("NO_SUCH_PLACE", cure="Write a name or an address, maybe with :port.")
class NoPlace(Refused):
    """{text} is no address of a server."""

    text: str


@failure("PASSWORD_UNREADABLE", cure="Name a file that holds the password and nothing else.")
class NoPassword(Refused):
    """The password can't be read from {file}: {why}."""

    file: str
    why: str


@dataclass(frozen=True, slots=True)
class First:
    """A server to connect to at once; with a thumbprint nobody is asked whether to trust it."""

    address: str
    port: int
    user: str
    password: str
    thumbprint: Thumbprint | None


def first(options: argparse.Namespace) -> First | None:
    """The server that the command line names.  Raises NoPlace, NoPassword."""
    if not options.server:
        return None
    place = place_typed(options.server)
    if place is None:
        raise NoPlace(options.server)
    password = ""
    if options.password_file is not None:
        try:
            password = options.password_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as why:
            words = getattr(why, "strerror", None) or "it is no text"
            raise NoPassword(str(options.password_file), words) from why
    return First(*place, options.user, password, options.thumbprint)


def authorities(files: Iterable[Path]) -> list[bytes]:
    """What the files hold that were named as authorities.  Raises NoAuthority."""
    found = []
    for file in files:
        try:
            found.append(file.read_bytes())
        except OSError as why:
            raise NoAuthority(str(file), why.strerror or str(why), "Name a file.") from why
    return found


def run(
    known: Path, port: int, first: First | None, authorities: Iterable[bytes], *, browser: bool
) -> int:
    """Serve; a new link is printed whenever Enter is pressed.  Raises NoAuthority."""
    asyncio.run(_serve(known, port, first, authorities, browser=browser))
    return 0


def known_servers() -> Path:
    """Where the known servers are kept: $POOLTRUST_KNOWN_SERVERS, or the user's configuration."""
    if named := os.environ.get("POOLTRUST_KNOWN_SERVERS"):
        return Path(named)
    folder = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(folder).expanduser() / "pooltrust" / "known_servers.json"


async def _serve(
    known: Path, port: int, first: First | None, authorities: Iterable[bytes], *, browser: bool
) -> None:
    async with running(known, port) as console:
        for data in authorities:
            believed = console.hall.trust.believe(data)
            for one in believed[:MOST_PRINTED]:
                print(f"Believed for names: {one.subject}, {one.thumbprint}", flush=True)
            if more := len(believed[MOST_PRINTED:]):
                print(f"and {more} more; see the page Known servers", flush=True)
        if first is not None:
            if first.thumbprint is not None:
                place = place_of(first.address, first.port)
                console.hall.trust.accept(place, first.thumbprint)
            place_there = console.hall.add(first.address, first.port, first.user, first.password)
            place_there.expected(first.thumbprint)
        link = console.link()
        print("The console, for one browser (the link is good once):", flush=True)
        print(f"  {link}", flush=True)
        if sys.stdin.isatty():
            print("Enter prints another link, Ctrl-C stops the console.", flush=True)
        page = known.with_name("console-link.html")
        try:
            if browser:
                write_link(page, link)
                await asyncio.to_thread(webbrowser.open, page.absolute().as_uri())
            _listen(console)
            await _until_stopped()
        finally:
            page.unlink(missing_ok=True)


def write_link(page: Path, link: str) -> None:
    """A page for its owner alone that leads to the link.

    A browser's arguments are seen by every user of the machine, and the link lets in who is first.
    Raises BadKnownServers.
    """
    words = f'<meta http-equiv="refresh" content="0;url={html.escape(link)}">'
    replace_own(page, f"<!doctype html><title>pooltrust console</title>{words}\n".encode())


def _listen(console: Running) -> None:
    """Print a link for each line that is typed; only at a terminal."""
    if not sys.stdin.isatty():
        return
    loop = asyncio.get_running_loop()

    def typed() -> None:
        if sys.stdin.readline():
            print(f"  {console.link()}", flush=True)
        else:
            loop.remove_reader(sys.stdin)

    loop.add_reader(sys.stdin, typed)


async def _until_stopped() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
