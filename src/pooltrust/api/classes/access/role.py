"""The roles and their permissions, as rows: all of it follows from the declared calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Annotated, Any

from pooltrust.api import roles
from pooltrust.api.classes.fields.refs import RoleRef
from pooltrust.api.declare.call import CALLS, Doc, Where, call
from pooltrust.api.declare.record import EVERYTHING, record, ro, static
from pooltrust.api.declare.values import Ref
from pooltrust.errors import HandleInvalid, OperationNotAllowed


class OfTheDeclarations:
    """Roles are the same in every pool; nobody changes them."""

    runs = Where.HERE

    def rows(self, context: Any, cls: type) -> Mapping[Ref, Any]:
        """Every role, and every permission of every call."""
        return rows()

    async def change(
        self,
        context: Any,
        cls: type,
        ref: Ref,
        field: str,
        edit: Callable[[Any], Any],
        caller: Any,
    ) -> None:
        """Refuse: roles have no field that users set."""
        raise OperationNotAllowed(reason="Roles can't be changed.")


def _assignable(role: Any) -> bool:
    return bool(role.subroles) and not role.is_internal


def _permission(role: Any) -> bool:
    return not role.subroles


@record(
    "role",
    calls=EVERYTHING | {"get_by_name_label"},
    source=OfTheDeclarations(),
    listed=_assignable,
    expressions={"subroles<>[]": _assignable, "subroles=[]": _permission},
)
class Role:
    """What a user may do: a role with permissions, or one permission."""

    uuid: str = ro("Follows from its name")
    name_label: str = static("Its name; a permission is called as its call, in lower case", "")
    name_description: str = static("What it is for", "")
    subroles: tuple[RoleRef, ...] = static("The permissions of a role; empty for a permission", ())
    is_internal: bool = ro("It can't be given to a user", False)


def ref(name: str) -> Ref:
    """The reference of a role or permission, which unlike others repeats its UUID."""
    return Ref(f"OpaqueRef:{roles.role_uuid(name)}")


@lru_cache(maxsize=1)
def _rows_of(calls: int) -> Mapping[Ref, Role]:
    granted: dict[str, tuple[str, ...]] = {}
    for declared in CALLS.values():
        granted |= roles.permissions(declared)
    found = {}
    for name, words in {**roles.ROLES, roles.CLIENT_CERT: roles.CLIENT_CERT_WORDS}.items():
        found[ref(name)] = Role(
            uuid=roles.role_uuid(name),
            name_label=name,
            name_description=words,
            subroles=tuple(ref(one) for one, holding in granted.items() if name in holding),
            is_internal=name == roles.CLIENT_CERT,
        )
    for name in granted:
        words = f"May call {name}"
        found[ref(name)] = Role(
            uuid=roles.role_uuid(name), name_label=name, name_description=words, is_internal=True
        )
    return found


def rows() -> Mapping[Ref, Role]:
    """Every role and permission; made once."""
    return _rows_of(len(CALLS))


def _row(self: Ref) -> Role:
    try:
        return rows()[self]
    except KeyError:
        raise HandleInvalid(type="role", handle=self) from None


RoleParameter = Annotated[RoleRef, Doc("The role.")]


@call("role.get_permissions", role=roles.READ_ONLY, runs=Where.HERE, raises=(HandleInvalid,))
async def get_permissions(context: Any, self: RoleParameter) -> list[RoleRef]:
    """The permissions of a role."""
    return list(_row(self).subroles)


@call(
    "role.get_permissions_name_label",
    role=roles.READ_ONLY,
    runs=Where.HERE,
    raises=(HandleInvalid,),
)
async def get_permissions_name_label(context: Any, self: RoleParameter) -> list[str]:
    """The names of the permissions of a role."""
    return [rows()[one].name_label for one in _row(self).subroles]


@call("role.get_by_permission", role=roles.READ_ONLY, runs=Where.HERE, raises=(HandleInvalid,))
async def get_by_permission(
    context: Any, permission: Annotated[RoleRef, Doc("The permission.")]
) -> list[RoleRef]:
    """The roles that hold a permission."""
    _row(permission)
    return [one for one, role in rows().items() if permission in role.subroles]


@call("role.get_by_permission_name_label", role=roles.READ_ONLY, runs=Where.HERE)
async def get_by_permission_name_label(
    context: Any, label: Annotated[str, Doc("The permission's name.")]
) -> list[RoleRef]:
    """The roles that hold the permission of this name; maybe none."""
    return [one for one, role in rows().items() if ref(label) in role.subroles]
