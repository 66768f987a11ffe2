"""Checking passwords by PAM, as the operating system's own login does."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from pooltrust.errors import SessionAuthenticationFailed
from pooltrust.host.accounts.local import ADMINISTRATOR
from pooltrust.host.accounts.remembered import Remembered
from pooltrust.host.accounts.system.asking import AT_ONCE, NoAnswer, System

REMEMBERED_FOR = 60.0
"""Seconds: what PAM would say now is not known for so long, so it is shorter than for our own."""

LONGEST_PASSWORD = 511
"""Bytes; PAM_MAX_RESP_SIZE, less the final NUL."""

MOST_SEEN = 1000

_NAME = re.compile(r"\w[\w.@+$\\-]{0,127}")


class PamPasswords:
    """Passwords by a service of PAM.  `folder`: where its file is, empty for the usual places.

    `told` is told why PAM could not check one, or would not let its user in.
    """

    at_once = AT_ONCE

    def __init__(
        self,
        system: System,
        service: str,
        told: Callable[[str], None],
        *,
        folder: str = "",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._system = system
        self._service = service
        self._folder = folder
        self._told = told
        self._monotonic = monotonic
        self._remembered = Remembered(REMEMBERED_FOR)
        self._seen = {ADMINISTRATOR}

    def remembers(self, username: str, password: str) -> bool:
        """Whether PAM found this right a short while ago."""
        return self._remembered.knows(self._monotonic(), *_parts(username, password))

    async def verify(self, username: str, password: str, origin: str | None) -> bool:
        """Whether PAM finds this right, now.

        Raises SessionAuthenticationFailed if it could not say: that is nobody's guess.
        """
        if not can_be_asked(username, password):
            return False
        question = {
            "do": "check",
            "service": self._service,
            "folder": self._folder,
            "username": username,
            "password": password,
            "origin": origin or "",
        }
        try:
            answer = await self._system.ask(question)
            said, why = str(answer.get("said")), str(answer.get("why"))
        except NoAnswer as broken:
            said, why = "unavailable", str(broken)
        if said not in ("right", "wrong"):
            self._told(f"{said}: {why}")
        if said == "unavailable":
            words = "PAM could not check the password; the host's log has its story"
            raise SessionAuthenticationFailed(username, words)
        if said == "right":
            self._remembered.keep(self._monotonic(), *_parts(username, password))
            if len(self._seen) < MOST_SEEN:
                self._seen.add(username)
        return said == "right"

    def names(self) -> list[str]:
        """Who has logged in since the start, and root."""
        return sorted(self._seen)


def can_be_asked(username: str, password: str) -> bool:
    """Whether this is what PAM can be given: texts of C, not too long, and a name that is one."""
    try:
        size = len(password.encode())
    except UnicodeEncodeError:
        return False
    return bool(_NAME.fullmatch(username)) and "\0" not in password and size <= LONGEST_PASSWORD


def _parts(username: str, password: str) -> tuple[bytes, bytes]:
    return username.encode(errors="surrogatepass"), password.encode(errors="surrogatepass")
