"""Secrets: passwords that other objects name by reference, for few eyes."""

from __future__ import annotations

from collections.abc import Mapping

from pooltrust.api.declare.record import EVERYTHING, MAKING, record, ro, rw
from pooltrust.api.roles import POOL_OPERATOR


@record("secret", calls=EVERYTHING | MAKING, role=POOL_OPERATOR, evented=False)
class Secret:
    """A value that operators may read, and no event tells."""

    uuid: str = ro("Names the secret", reader=POOL_OPERATOR)
    value: str = rw("The secret itself", reader=POOL_OPERATOR)
    other_config: Mapping[str, str] = rw("Free keys and values", {})
