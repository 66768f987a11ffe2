"""What is read with a plain GET by whoever has a session, or a password: see PAGES.

Each page is a call of the API, so who may see it is decided where everything is.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field

from pooltrust.api.classes.certificates import report
from pooltrust.api.context import Context
from pooltrust.api.dispatch import invoke
from pooltrust.api.sessions import Origin
from pooltrust.errors import Failure
from pooltrust.host.place import bracketed

PAGES: Mapping[str, str] = {report.PATH: "pooltrust.get_certificate_report"}
"""The call behind each path; it takes a session and returns JSON text."""

REALM = 'Basic realm="pooltrust", charset="UTF-8"'
LOGIN = ("2.23", "pooltrust page")
FORBIDDEN = "RBAC_PERMISSION_DENIED"


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a request counts: its path with the query, its session, its Authorization."""

    path: str
    target: str
    session: str
    authorization: str


@dataclass(frozen=True, slots=True)
class Page:
    """An answer; `text` is JSON if it is good."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)


async def page(context: Context, asked: Asked, origin: Origin) -> Page:
    """Answer a GET of one of PAGES."""
    call = PAGES[asked.path]
    try:
        if asked.session:
            return Page(200, await invoke(context, call, [asked.session], origin))
        password = _password(asked.authorization)
        if password is None:
            return _unauthorized("Give a session_id, or log in.")
        return Page(200, await _by_password(context, call, password, origin))
    except Failure as why:
        return _refused(context, asked, why)


async def _by_password(
    context: Context, call: str, password: tuple[str, str], origin: Origin
) -> str:
    session = await invoke(context, "session.login_with_password", [*password, *LOGIN], origin)
    try:
        return str(await invoke(context, call, [session], origin))
    finally:
        await invoke(context, "session.logout", [session], origin)


def _refused(context: Context, asked: Asked, why: Failure) -> Page:
    if why.code == "HOST_IS_SLAVE":
        port = context.roster.port
        host = context.coordinator_address
        where = f"https://{bracketed(host)}{'' if port == 443 else f':{port}'}{asked.target}"
        return Page(302, str(why), {"Location": where})
    if why.code == FORBIDDEN:
        return Page(403, str(why))
    if why.code.startswith("SESSION_"):
        return _unauthorized(str(why))
    return Page(500, f"{why.code}: {why}")


def _unauthorized(words: str) -> Page:
    return Page(401, words, {"WWW-Authenticate": REALM})


def _password(authorization: str) -> tuple[str, str] | None:
    kind, _, given = authorization.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        user, colon, password = (
            base64.b64decode(given.strip(), validate=True).decode().partition(":")
        )
    except (binascii.Error, ValueError):
        return None
    return (user, password) if colon else None
