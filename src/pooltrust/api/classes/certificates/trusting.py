"""What calls may ask of the daemon about trust: a Protocol, so that tests can be the daemon.

Whatever changes here is done when at least half of the members hold it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from pooltrust.api.sessions import Caller
from pooltrust.pki.certificate import Certificate
from pooltrust.terms import Thumbprint


class Trusting(Protocol):
    """What the pool trusts beside its members.  Each raises what its call declares."""

    async def install_by_name(self, name: str, pem: str, caller: Caller) -> None:
        """Trust an authority for appliances and clients."""

    async def remove_by_name(self, name: str, force: bool, caller: Caller) -> None:
        """Trust it no longer."""

    async def install_for(
        self, sort: str, pem: str, purposes: Sequence[str], caller: Caller
    ) -> Thumbprint:
        """Trust an authority (``ca``) or a single certificate (``pinned``) for these purposes."""

    def judged(self, pem: str) -> Certificate:
        """The first certificate of a text, if it may be trusted."""

    async def of_other_pool(
        self, address: str, session: str, believed: Thumbprint, ca: bool
    ) -> Mapping[str, Sequence[str]]:
        """What the pool at ``address[:port]`` trusts by purpose: purposes by PEM.

        It is asked in this session of its own, if it shows this certificate.
        """

    async def take_back(
        self, thumbprint: Thumbprint, purposes: Collection[str], caller: Caller
    ) -> None:
        """Trust this certificate for these purposes no longer, but for whatever else it was."""

    async def remove(self, thumbprint: Thumbprint, caller: Caller) -> None:
        """Trust this certificate no longer, for anything."""

    def lists(self) -> Mapping[str, bytes]:
        """The revocation lists (DER) by name."""

    async def install_list(self, name: str, pem: str, caller: Caller) -> None:
        """Refuse whom this revocation list names."""

    async def remove_list(self, name: str, caller: Caller) -> None:
        """Forget this revocation list."""

    async def sync(self) -> None:
        """Bring all of it to every member, and say which one lacks it still."""
