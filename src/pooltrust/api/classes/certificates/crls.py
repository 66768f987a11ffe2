"""Certificate revocation lists: whom their issuers have taken back."""

from __future__ import annotations

from typing import Annotated

from pooltrust.api import roles
from pooltrust.api.context import Context
from pooltrust.api.declare.call import Doc, call
from pooltrust.api.sessions import Caller
from pooltrust.errors import OperationNotAllowed
from pooltrust.pki.offered import refusals
from pooltrust.pool import revocations

Name = Annotated[str, Doc("Its name, a file name that ends in .pem.")]


@call(
    "pool.crl_install",
    role=roles.POOL_OPERATOR,
    raises=(
        refusals.CrlNameInvalid,
        refusals.CrlCorrupt,
        revocations.CrlAlreadyExists,
        OperationNotAllowed,
    ),
    is_async=True,
    cli="pool-crl-install",
)
async def crl_install(
    context: Context,
    caller: Caller,
    name: Name,
    cert: Annotated[str, Doc("The list, in PEM.")],
) -> None:
    """Refuse every server, by its name believed through an authority, that this list names.

    Members are believed by exactly their own certificates; no list has a say there.
    """
    await context.trusting.install_list(name, cert, caller)


@call(
    "pool.crl_uninstall",
    role=roles.POOL_OPERATOR,
    raises=(refusals.CrlNameInvalid, revocations.CrlDoesNotExist),
    is_async=True,
    cli="pool-crl-uninstall",
)
async def crl_uninstall(context: Context, caller: Caller, name: Name) -> None:
    """Forget a revocation list."""
    await context.trusting.remove_list(name, caller)


@call("pool.crl_list", role=roles.POOL_OPERATOR, is_async=True, cli="pool-crl-list")
async def crl_list(context: Context) -> list[str]:
    """The names of the revocation lists."""
    return sorted(context.trusting.lists())
