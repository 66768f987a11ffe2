"""What the service manager is told: that the daemon answers now, and that it is stopping.

Source: sd_notify(3), whose protocol is one datagram to the socket that $NOTIFY_SOCKET names.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import suppress

READY = "READY=1"
STOPPING = "STOPPING=1"


def tell_manager(state: str, environment: Mapping[str, str], *, status: str = "") -> bool:
    """Tell it; False if there is none, or it does not listen: that must not stop a host.

    `status` is one line that `systemctl status` shows.
    """
    address = environment.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):  # in the abstract namespace
        address = "\0" + address[1:]
    said = state + (f"\nSTATUS={' '.join(status.split())}" if status else "")
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.setblocking(False)
        manager.sendto(said.encode(errors="replace"), address)
        return True
    return False
