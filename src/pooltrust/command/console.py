"""`pooltrust console`: the console until Ctrl-C, and the links by which a browser comes in."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import webbrowser
from pathlib import Path

from pooltrust.console.web.serve import Running, running


def run(known: Path | None, port: int, *, browser: bool) -> int:
    """Serve; a new link is printed whenever Enter is pressed."""
    asyncio.run(_serve(known or known_servers(), port, browser=browser))
    return 0


def known_servers() -> Path:
    """Where the known servers are kept: $POOLTRUST_KNOWN_SERVERS, or the user's configuration."""
    if named := os.environ.get("POOLTRUST_KNOWN_SERVERS"):
        return Path(named)
    folder = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(folder).expanduser() / "pooltrust" / "known_servers.json"


async def _serve(known: Path, port: int, *, browser: bool) -> None:
    async with running(known, port) as console:
        link = console.link()
        print("The console, for one browser (the link is good once):", flush=True)
        print(f"  {link}", flush=True)
        print("Enter prints another link, Ctrl-C stops the console.", flush=True)
        if browser:
            await asyncio.to_thread(webbrowser.open, link)
        _listen(console)
        await _until_stopped()


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
