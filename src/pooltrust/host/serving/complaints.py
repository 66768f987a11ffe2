"""What aiohttp complains of: answered, and in the journal, damped where a stranger can cause it.

It knows aiohttp's exceptions, and nothing of requests.
"""

from __future__ import annotations

import logging

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from pooltrust.host.telling.journal import Journal

LONGEST_LINE = 4096
"""Bytes of the first line of a request, and of each of its headers."""
MOST_HEADERS = 64
"""All of them together thus have 256 KiB at the most; browsers and proxies send some twenty."""
_TOO_MANY = "Too many headers"
"""How aiohttp's words begin, which has no exception of its own for it."""


class Server(web.Server):
    """Makes handlers that tell a request with too much of a head from what is no HTTP at all."""

    def __call__(self) -> web.RequestHandler:
        """As in web.Server."""
        return _Handler(self, loop=self._loop, **self._kwargs)


class _Handler(web.RequestHandler):
    """aiohttp says 400 to both; RFC 6585 and published hosts say 431 to a long header."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """As in web.RequestHandler; the connection is closed afterwards."""
        if isinstance(exc, LineTooLong):
            status, message = 431, f"A line of the request has more than {LONGEST_LINE} bytes."
        elif isinstance(exc, HttpProcessingError) and exc.message.startswith(_TOO_MANY):
            status, message = 431, f"The request has more than {MOST_HEADERS} headers."
        elif isinstance(exc, HttpProcessingError):
            # aiohttp would repeat all that it was sent, four times as long.
            message = "This is no request in HTTP/1.1."
        return super().handle_error(request, status, exc, message)


class Complaints(logging.Handler):
    """Takes the lines of aiohttp's server."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(logging.WARNING)
        self._journal = journal

    @classmethod
    def logger(cls, journal: Journal) -> logging.Logger:
        """A logger for one server.  It has no parent: its lines go nowhere else."""
        logger = logging.Logger("aiohttp.server", logging.WARNING)
        logger.addHandler(cls(journal))
        return logger

    def emit(self, record: logging.LogRecord) -> None:
        """As in logging.Handler."""
        why = record.exc_info[1] if record.exc_info else None
        peer = _peer(record)
        if isinstance(why, HttpProcessingError):
            self._journal.damped(
                "request-refused",
                peer=peer,
                reason="no HTTP",
                expected="a request in HTTP/1.1 with short lines, and few",
                met=f"{type(why).__name__} from {peer}: {why.message}",
                cure="Look for what sends that there.",
            )
        elif why is not None:
            self._journal.defect("http-defect", why, peer=peer)
        else:
            self._journal.warning("http-warning", text=record.getMessage())


def _peer(record: logging.LogRecord) -> str:
    """aiohttp gives the address as its message's one value, where there is one."""
    arguments = record.args if isinstance(record.args, tuple) else ()
    return next((one for one in arguments if isinstance(one, str)), "somebody")
