"""A line that is cut in the midst of a write is no fault of this program; anything else is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pooltrust.tls.handshake import complain

MESSAGE = "Fatal error on SSL protocol"
CLOSED = RuntimeError(
    "unable to perform operation on <TCPTransport closed=True reading=False 0x1>; "
    "the handler is closed"
)


@pytest.mark.parametrize(
    "message, why, told",
    [
        (MESSAGE, CLOSED, False),
        (MESSAGE, RuntimeError("a fault"), True),
        (MESSAGE, ValueError(str(CLOSED)), True),
        ("a task failed", CLOSED, True),
        (MESSAGE, None, True),
    ],
)
def test_only_a_cut_line_is_not_told(message: str, why: Exception | None, told: bool) -> None:
    heard: list[dict[str, Any]] = []
    loop = asyncio.new_event_loop()
    loop.default_exception_handler = heard.append  # type: ignore[method-assign]
    loop.set_exception_handler(complain)
    loop.call_exception_handler({"message": message, "exception": why})
    loop.close()
    assert bool(heard) is told
