"""Every certificate that the pool knows, and what would break first: our own calls."""

from __future__ import annotations

import json

from pooltrust.api import roles
from pooltrust.api.context import Context
from pooltrust.api.declare.call import Where, call

PATH = "/certificates"
"""The same over HTTPS: a GET with a session, by query (session_id), cookie, or Basic."""


@call(
    "pooltrust.get_certificate_report",
    role=roles.READ_ONLY,
    runs=Where.HERE,
)
async def get_certificate_report(context: Context) -> str:
    """Everything that can be said of every certificate now, as JSON.

    Of the pool: pool, at, verification, next_break (see pooltrust.get_next_break).  Of each of its
    certificates: type; for a host's own host, host_name; for installed ones name, purposes,
    trusted_for; subject, issuer, self_signed, names, addresses, key, signature, serial, not_before,
    not_after, days_left (from now, negative if it is over), validity, sha256, sha1; for what
    clients meet its chain, and in not_covered the host's names and addresses for which clients
    refuse it.  A GET of /certificates with a session returns the same.
    """
    return json.dumps(context.certificate_report(), ensure_ascii=False)


@call(
    "pooltrust.get_next_break",
    role=roles.READ_ONLY,
    runs=Where.HERE,
    cli="pool-next-break",
)
async def get_next_break(context: Context) -> dict[str, str]:
    """The first date at which something in the pool stops working if nobody acts.

    One map: at (UTC, ISO 8601), certificate (its thumbprint), words, cure; empty if nothing has a
    date.  Pool identities do not count while they are refreshed by themselves, nor pinned ones.
    """
    found = context.certificate_report()["next_break"]
    return dict(found) if found else {}
