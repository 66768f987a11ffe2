"""Ending the sessions of those who may no longer have them.

A session is opened on what was known at its login.  When a password, an account or a role of its
user is changed, here or by records that came from elsewhere, it ends; and when this host stops
coordinating, so does every one from the network: it could not learn what is changed after that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from pooltrust.api.classes.access.subject import TABLE as SUBJECTS
from pooltrust.api.classes.access.user import ACCOUNTS
from pooltrust.api.declare.values import Ref
from pooltrust.api.sessions import Principal, Sessions
from pooltrust.host.accounts.subjects import Subjects
from pooltrust.host.records.store import Change, Revision
from pooltrust.trust.roster import Roster


class Standing:
    """Watches the records of accounts and subjects.  `sessions` gives this host's at any time."""

    def __init__(self, known: Subjects, sessions: Callable[[], Sessions]) -> None:
        self._subjects = known
        self._sessions = sessions
        self._spared: list[Ref | None] = []

    @contextmanager
    def sparing(self, session: Ref | None) -> Iterator[None]:
        """While this lasts, a change is one that this session makes of its own account."""
        self._spared.append(session)
        try:
            yield
        finally:
            self._spared.remove(session)

    def changed(self, _revision: Revision, changes: Sequence[Change]) -> None:
        """Some records are other ones now."""
        accounts = {change.key for change in changes if change.table == ACCOUNTS}
        if accounts:
            self._end(lambda who: who.user in accounts and not who.client_certificate)
        if any(change.table == SUBJECTS for change in changes):
            self._end(lambda who: not who.roles <= self._granted(who))

    def followed(self, before: Roster, after: Roster) -> None:
        """Another host coordinates now, this one followed: end every session from the network."""
        if before.coordinator != after.coordinator:
            self._end(lambda _: True)

    def by_certificate(self) -> None:
        """Who may come in by a certificate has changed: end the sessions of those who did."""
        self._end(lambda who: who.client_certificate)

    def _granted(self, who: Principal) -> frozenset[str]:
        return self._subjects.granted(who.subjects) if who.subjects else who.roles

    def _end(self, whose: Callable[[Principal], bool]) -> None:
        for session, _ in list(self._sessions()):
            who = session.principal
            if session.ref not in self._spared and not who.origin.local and whose(who):
                self._sessions().close(session.ref)
