"""How many files this process may have open: enough for every connection that it bears."""

from __future__ import annotations

import resource

from pooltrust.tls.peek import LIMITS

NEEDED = LIMITS.connections + 512
"""Beside the listener's: connections to members, the Unix socket's, the log, the database."""


def allow_descriptors(needed: int = NEEDED) -> int:
    """Raise the soft limit to so many, or to the hard limit if that is less; the limit now.

    Never lowers it.  Source: getrlimit(2), RLIMIT_NOFILE.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
