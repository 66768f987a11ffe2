"""Whether a host lives."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pooltrust.api.declare.record import record, ro, rw


@record("host_metrics")
class HostMetrics:
    """What the coordinator last heard of one host."""

    uuid: str = ro("Names these metrics")
    memory_total: int = ro("Bytes of memory")
    memory_free: int = ro("Free bytes; not kept", 0)
    live: bool = ro("The host was heard within a minute and a half")
    last_updated: datetime = ro("When the host was last heard")
    other_config: Mapping[str, str] = rw("Free keys and values for clients", {})
