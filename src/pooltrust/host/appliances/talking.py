"""One question to the Workload Balancing appliance, and what its answer or its silence means.

The only place where its password is said: to whom was expected, after the handshake.  Nothing that
it answers is passed on with a password in it.
"""

from __future__ import annotations

import asyncio
import base64
import html
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as given
from errno import EHOSTUNREACH, ENETUNREACH

from pooltrust.api.classes.appliances.dialling import Credentials
from pooltrust.errors import CannotConnect, Failure
from pooltrust.errors.appliances import (
    WlbAuthenticationFailed,
    WlbConnectionRefused,
    WlbConnectionReset,
    WlbInternalError,
    WlbMalformedResponse,
    WlbTimeout,
    WlbUnknownHost,
)
from pooltrust.host.appliances import expecting, soap
from pooltrust.host.appliances.posting import Broken, post
from pooltrust.host.telling.conversations import Tell, unheard
from pooltrust.tls.dial import Connection
from pooltrust.tls.endpoints import Kind
from pooltrust.tls.reasons import no_connection
from pooltrust.trust.expect import Expectation

PATH = "/Citrix.Dwm.WorkloadBalance/Service"
ACTION = '"http://schemas.citrix.com/DWM/IWorkloadBalance/{method}"'
SECONDS = 30.0
LONGEST_WORDS = 500


@dataclass(frozen=True, slots=True)
class Talk:
    """Where the appliance is, whom to expect there, and how to log in.

    `seconds`: for one question and its answer.  `unsaid`: what must not be in any message.
    """

    url: str
    expects: Sequence[Expectation]
    login: Credentials
    seconds: float = SECONDS
    check_dates: bool = False
    unsaid: tuple[str, ...] = given(default=(), repr=False)
    observe: Tell = unheard
    kind: Kind = Kind.BALANCING

    async def ask(self, method: str, *inside: str) -> soap.Element:
        """The result of a method.  Raises CannotVerify and the WLB failures."""
        body = soap.envelope(method, *inside)
        try:
            async with asyncio.timeout(self.seconds):
                answer = await self._said(method, body)
        except TimeoutError:
            raise self._late() from None
        try:
            return soap.result(method, answer)
        except WlbInternalError as why:
            raise WlbInternalError(self._plain(why.result), self._plain(why.message)) from None
        except soap.Unreadable as why:
            shown = self._plain(answer.decode("utf-8", "replace"))
            raise WlbMalformedResponse(method, str(why), shown) from why

    async def look(self) -> Connection:
        """A connection on which nothing is said.  Raises as `ask`."""
        try:
            return await self._connected()
        except TimeoutError:
            raise self._late() from None

    async def _connected(self) -> Connection:
        host, port = expecting.place(self.url)
        try:
            return await expecting.connected(
                host,
                port,
                self.expects,
                deadline=self.seconds,
                check_dates=self.check_dates,
                seen=expecting.seen(self.observe, self.kind, host, port),
            )
        except CannotConnect as why:
            raise self._nobody(why) from why

    async def _said(self, method: str, body: bytes) -> bytes:
        connection = await self._connected()
        try:
            answer = await post(
                connection, PATH, self._headers(method), body, most=soap.LONGEST_ANSWER
            )
        except Broken as why:
            raise WlbConnectionReset(self.url, str(why)) from why
        except OSError as why:
            if isinstance(why, TimeoutError):
                raise
            raise WlbConnectionReset(self.url, no_connection(why)) from why
        finally:
            await connection.close()
        if answer.status in (401, 403):
            raise WlbAuthenticationFailed
        if answer.status != 200:
            raise WlbConnectionReset(self.url, f"it answered with the HTTP status {answer.status}")
        return answer.body

    def _headers(self, method: str) -> dict[str, str]:
        return {
            "Host": self.url,
            "Content-Type": "text/xml; charset=utf-8",
            "SOAPAction": ACTION.format(method=method),
            "Authorization": f"Basic {self._token()}",
        }

    def _token(self) -> str:
        return base64.b64encode(f"{self.login.username}:{self.login.password}".encode()).decode()

    def _nobody(self, why: CannotConnect) -> Failure:
        match why.__cause__:
            case TimeoutError():
                return self._late()
            case ConnectionRefusedError():
                return WlbConnectionRefused(self.url)
            case socket.gaierror():
                return WlbUnknownHost(self.url)
            case OSError(errno=number) if number in (EHOSTUNREACH, ENETUNREACH):
                return WlbUnknownHost(self.url, why.why)
        return WlbConnectionReset(self.url, why.why)

    def _late(self) -> WlbTimeout:
        text = f"{self.seconds:.12g}"
        return WlbTimeout(text if "." in text else f"{text}.", self.url)

    def _plain(self, text: str) -> str:
        said = (self._token(), self.login.password, *self.unsaid)
        spelled = {
            form for one in said for form in (one, html.escape(one), html.escape(one, False))
        }
        # The longest first: one may be the beginning of another.
        for one in sorted(spelled - {""}, key=len, reverse=True):
            text = text.replace(one, "…")
        shown = text[:LONGEST_WORDS]
        return "".join(one if one.isprintable() else " " for one in shown)
