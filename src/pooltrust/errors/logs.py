"""What can stand against an entry of the trust log, a takeover, or the log itself."""

from __future__ import annotations

from pooltrust.errors.declaring import Refused, failure


@failure("TRUST_ENTRY_REFUSED")
class BadEntry(Refused):
    """Entry {number} of the trust log breaks the rule "{rule}": {why}."""

    rule: str
    number: int
    why: str


@failure("TRUST_LOG_TOO_NEW", cure="Upgrade this host: a newer release wrote that entry.")
class UpgradeThisHost(Refused):
    """Entry {number} of the trust log is of the kind {kind}, which this release does not know."""

    number: int
    kind: str


@failure(
    "TAKEOVER_NEEDS_ORDER",
    cure="If it is to be followed, order it on this host: xe pool-emergency-reset-master",
)
class TakeoverNeedsOrder(Refused):
    """Host {host} took over at entry {number} of the trust log without the other members."""

    host: str
    number: int


@failure("TAKEOVER_NOT_ENDORSED")
class MayNotEndorse(Refused):
    """This host does not endorse that takeover: {why}."""

    why: str


@failure(
    "TRUST_LOG_CORRUPT",
    cure="Keep a copy of the file; replace the log with that of another member, or restore it.",
)
class CorruptLog(Refused):
    """The trust log {file} can't be used: line {line}: {why}."""

    file: str
    line: int
    why: str
