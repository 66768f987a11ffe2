"""The roles, who may do what, and how a refusal reads.

Knows names only; which role a user has is the host's to say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pooltrust.errors import InternalError, RbacPermissionDenied

if TYPE_CHECKING:
    from pooltrust.api.declare.call import Call
    from pooltrust.api.sessions import Principal

POOL_ADMIN = "pool-admin"
POOL_OPERATOR = "pool-operator"
VM_OPERATOR = "vm-operator"
READ_ONLY = "read-only"
CLIENT_CERT = "client-cert"

ROLES: Mapping[str, str] = MappingProxyType(
    {
        POOL_ADMIN: "May do everything, trust included",
        POOL_OPERATOR: "May change the pool and its hosts, but neither users nor who is trusted",
        "vm-power-admin": "May create and change virtual machines and their snapshots",
        "vm-admin": "May create and change virtual machines",
        VM_OPERATOR: "May use virtual machines and start and stop them",
        READ_ONLY: "May look at everything but secrets",
    }
)
"""Every role that can be given to a user, the most privileged first, and what it is for."""

CLIENT_CERT_WORDS = "What a client may do that proved itself by its certificate alone"


@lru_cache(maxsize=64)
def holders(role: str | None, *, client_cert: bool | None = None) -> tuple[str, ...]:
    """The roles that hold what is given to `role`: it and all above it; none for None.

    `client_cert` says whether the internal role has it too; what is for everybody it has unasked.
    Raises TypeError for an unknown role.
    """
    if role is None:
        return ()
    order = tuple(ROLES)
    if role not in order:
        raise TypeError(f"{role!r} is no role")
    above = order[: order.index(role) + 1]
    if client_cert or (client_cert is None and role == READ_ONLY):
        return (*(r for r in above if r != READ_ONLY), CLIENT_CERT, *above[len(order) - 1 :])
    return above


def role_uuid(name: str) -> str:
    """The UUID of a role or permission: fixed for the first, the MD5 of its name for the others."""
    if name == POOL_ADMIN:
        return "0165f154-ba3e-034e-6b27-5d271af109ba"
    digest = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:]))


def permissions(call: Call) -> dict[str, tuple[str, ...]]:
    """The permissions of one call and who holds each: its own, then those of single keys."""
    return {call.permission: call.holders} | {
        f"{call.permission}/key:{pattern.lower()}": holding
        for pattern, holding in call.keys.items()
    }


def permissions_of(names: Collection[str], calls: Iterable[Call]) -> list[str]:
    """The permissions that these roles hold together, by name."""
    granted = (permissions(one).items() for one in calls)
    return sorted(name for two in granted for name, of in two if not set(names).isdisjoint(of))


def permits(call: Call, principal: Principal, parameters: Sequence[Any] = ()) -> bool:
    """Whether this user may make this call.  `parameters` are those of the wire, for map keys."""
    if principal.is_local_superuser or principal.pool:
        return True
    allowed = call.holders
    if pattern := _key_pattern(call, parameters):
        allowed = (*allowed, *call.keys[pattern])
    return not principal.roles.isdisjoint(allowed)


def check(call: Call, principal: Principal, parameters: Sequence[Any] = ()) -> None:
    """Raises RbacPermissionDenied, or InternalError for a member's call made by somebody else."""
    if not permits(call, principal, parameters):
        permission, holding = call.permission, call.holders
        if pattern := _key_pattern(call, parameters):
            permission, holding = f"{permission}/key:{pattern.lower()}", call.keys[pattern]
        raise RbacPermissionDenied(
            permission=permission,
            message=f"{principal.user or 'This session'} may not call {call.name}."
            f" (Roles with this permission: {', '.join(holding)})",
        )
    if call.internal and not principal.pool:
        raise InternalError(
            f"{call.name} is an internal API of the pool; attempted with a non-pool session"
        )


def _key_pattern(call: Call, parameters: Sequence[Any]) -> str | None:
    if not call.keys or len(parameters) < 2 or not isinstance(parameters[1], str):
        return None
    key = parameters[1]
    for pattern in call.keys:
        if key == pattern or (pattern.endswith("*") and key.startswith(pattern[:-1])):
            return pattern
    return None
