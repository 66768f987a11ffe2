"""How a rule of the log says no.  Which rules there are is in rules.py and pool_certificate.py."""

from __future__ import annotations


class Breach(Exception):
    """An entry breaks a rule."""

    def __init__(self, rule: str, why: str) -> None:
        super().__init__(why)
        self.rule = rule
        self.why = why


def require(holds: bool, rule: str, why: str) -> None:
    """Raise Breach unless it holds."""
    if not holds:
        raise Breach(rule, why)
