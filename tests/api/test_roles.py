"""Who may call what."""

from __future__ import annotations

from itertools import pairwise

import pytest

from api.fake import REMOTE, FakeContext, ask, session_of
from pooltrust.api import roles
from pooltrust.api.classes.access import role as role_class
from pooltrust.api.declare.call import CALLS, Call
from pooltrust.api.declare.values import VOID
from pooltrust.api.sessions import Principal
from pooltrust.errors import InternalError, RbacPermissionDenied


def made(role: str | None, *, client_cert: bool | None = None, internal: bool = False) -> Call:
    async def run(*_: object) -> None:
        return None

    return Call(
        name="a.B", doc="d", parameters=(), result=VOID, role=role,
        holders=roles.holders(role, client_cert=client_cert), runs=CALLS["pool.join"].runs,
        run=run, internal=internal, keys={"k": ("vm-operator",), "p.*": ("vm-operator",)},
    )  # fmt: skip


def who(*names: str, superuser: bool = False, pool: bool = False) -> Principal:
    return Principal("u", REMOTE, frozenset(names), is_local_superuser=superuser, pool=pool)


ORDER = ["pool-admin", "pool-operator", "vm-power-admin", "vm-admin", "vm-operator", "read-only"]
TABLE = [
    # role, client-cert too,  may
    ("pool-admin", None, {"pool-admin"}),
    ("pool-operator", None, {"pool-admin", "pool-operator"}),
    ("pool-operator", True, {"pool-admin", "pool-operator", "client-cert"}),
    ("vm-operator", None, {*ORDER} - {"read-only"}),
    ("read-only", None, {*ORDER, "client-cert"}),
    ("read-only", False, {*ORDER}),
    (None, None, set()),
]


@pytest.mark.parametrize(("role", "client_cert", "may"), TABLE)
def test_a_call_is_for_a_role_and_those_above_it(
    role: str | None, client_cert: bool | None, may: set[str]
):
    call = made(role, client_cert=client_cert)

    assert may == {name for name in (*ORDER, "client-cert") if roles.permits(call, who(name))}
    assert roles.permits(call, who(superuser=True)) and roles.permits(call, who(pool=True))
    assert not roles.permits(call, who())


def test_a_role_above_another_may_everything_that_it_may():
    for above, below in pairwise(ORDER):
        for call in CALLS.values():
            assert roles.permits(call, who(above)) or not roles.permits(call, who(below)), call


def test_some_keys_of_a_map_are_for_more_people():
    call = made("pool-operator")

    for key, allowed in {"k": True, "p.x": True, "p": False, "kk": False}.items():
        assert allowed == roles.permits(call, who("vm-operator"), ["self", key, "value"])
    with pytest.raises(RbacPermissionDenied) as denial:
        roles.check(call, who("read-only"), ["self", "p.x", "value"])
    assert denial.value.permission == "a.b/key:p.*"
    assert denial.value.message.endswith("(Roles with this permission: vm-operator)")


def test_keys_are_loosened_on_the_wire():
    context = FakeContext()
    session = session_of(context, "vm-operator")
    (pool,) = ask(context, "pool.get_all", session)

    assert ask(context, "pool.add_to_other_config", session, pool, "folder", "/a") == ""
    assert ask(context, "pool.remove_from_other_config", session, pool, "folder") == ""
    denied = ask(context, "pool.add_to_other_config", session, pool, "else", "/a")
    assert denied[:2] == ["RBAC_PERMISSION_DENIED", "pool.add_to_other_config"]
    assert ask(context, "pool.set_other_config", session, pool, {})[0] == "RBAC_PERMISSION_DENIED"


def test_a_members_call_is_refused_to_everybody_else():
    call = made("pool-admin", internal=True)

    roles.check(call, who(pool=True))
    with pytest.raises(InternalError, match="internal API"):
        roles.check(call, who(superuser=True))


def test_what_only_the_local_superuser_may_says_that_nobody_has_it():
    with pytest.raises(RbacPermissionDenied, match=r"\(Roles with this permission: \)"):
        roles.check(made(None), who("pool-admin"))


def test_an_unknown_role_can_not_be_declared():
    with pytest.raises(TypeError):
        roles.holders("king")


def test_the_uuids_of_roles_are_the_published_ones():
    assert roles.role_uuid("pool-admin") == "0165f154-ba3e-034e-6b27-5d271af109ba"
    # printf read-only | md5sum
    assert roles.role_uuid("read-only") == "7233b8e3-eacb-d7da-2c95-f2e581cdbf4e"
    assert role_class.ref("pool-operator").removeprefix("OpaqueRef:") == roles.role_uuid(
        "pool-operator"
    )


def test_role_rows():
    context = FakeContext()
    session = session_of(context, "read-only")

    records = ask(context, "role.get_all_records", session)
    everything = ask(context, "role.get_all_records_where", session, "true")
    permissions = ask(context, "role.get_all_where", session, "subroles = []")

    assert set(ORDER) == {one["name_label"] for one in records.values()}
    assert records == ask(context, "role.get_all_records_where", session, "subroles<>[]")
    assert sorted(records) == sorted(ask(context, "role.get_all", session))
    assert len(everything) == len(records) + len(permissions) + 1
    (internal,) = ask(context, "role.get_by_name_label", session, "client-cert")
    assert everything[internal]["is_internal"] and everything[permissions[0]]["is_internal"]


def test_roles_and_permissions_name_one_another():
    context = FakeContext()
    session = session_of(context, "read-only")
    (admin,) = ask(context, "role.get_by_name_label", session, "pool-admin")
    (operator,) = ask(context, "role.get_by_name_label", session, "pool-operator")

    names = ask(context, "role.get_permissions_name_label", session, operator)
    holding = ask(context, "role.get_by_permission_name_label", session, "pool.join")

    assert "pool.join" in names and "pool.enable_tls_verification" not in names
    assert "pool.add_to_other_config/key:folder" in names
    assert sorted((admin, operator)) == sorted(holding)
    permission = role_class.ref("pool.join")
    assert holding == ask(context, "role.get_by_permission", session, permission)
    assert permission in ask(context, "role.get_permissions", session, operator)
    assert ask(context, "role.get_by_permission_name_label", session, "no.such") == []
    assert ask(context, "role.get_by_permission", session, "no")[0] == "HANDLE_INVALID"
