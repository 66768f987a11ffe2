"""How strict a published host is with who asks it: session, parameters and their types, tokens, lengths."""

from __future__ import annotations

import re
from typing import Any

SESSION = "OpaqueRef:5e551011-0000-4000-8000-000000000001"
TOKEN = re.compile(r"\d{20},\d{20}")
LONGEST_HEAD, LONGEST_BODY = 1024, 307_200
"""Bytes of a request that a published host reads; over that it answers 431 or 500."""
NO_SESSION = ("system.listMethods", "session.login_with_password")
COUNTS = {
    "system.listMethods": (0, 0),
    "session.login_with_password": (2, 4),
    "session.logout": (0, 0),
    "session.get_is_local_superuser": (1, 1),
    "session.get_rbac_permissions": (1, 1),
    "event.from": (3, 3),
    "pool.enable_tls_verification": (0, 0),
    "pool.crl_list": (0, 0),
    "pool.eject": (1, 1),
    "pool.install_ca_certificate": (2, 2),
    "host.get_server_certificate": (1, 1),
    "host.get_servertime": (1, 1),
    "host.reset_server_certificate": (1, 1),
    "host.refresh_server_certificate": (1, 1),
    "host.install_server_certificate": (3, 4),
}
"""How many parameters a call takes, the session apart."""


def misspoken(method: str, parameters: list[Any]) -> list[str]:
    """What a published host answers to who does not speak as it is published; empty if one does."""
    given = parameters
    if method not in NO_SESSION:
        if parameters[:1] != [SESSION]:
            return ["SESSION_INVALID", *map(str, parameters[:1])]
        given = parameters[1:]
    least, most = COUNTS.get(method, (0, 99))
    if not least <= len(given) <= most:
        return ["MESSAGE_PARAMETER_COUNT_MISMATCH", method, str(least), str(len(given))]
    if method == "event.from":
        classes, token, seconds = given
        if type(seconds) is not float or not all(type(one) is str for one in classes):
            return ["INTERNAL_ERROR", "another type was expected"]
        if token and not TOKEN.fullmatch(token):
            return ["EVENT_FROM_TOKEN_PARSE_FAILURE", token]
    elif not all(type(one) is str for one in given):
        return ["INTERNAL_ERROR", "a text was expected"]
    return []


def token(number: int) -> str:
    """As published hosts count: of the database, and of messages."""
    return f"{number:020},{0:020}"
