"""Users, their passwords, subjects and roles, through the calls of the API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from daemons import ITERATIONS, PASSWORD, Host, Stock, alike, run, running, tree, until
from pooltrust.api.classes.access.login import local_superuser
from pooltrust.api.declare.call import CALLS
from pooltrust.api.sessions import Principal
from pooltrust.command.client import Reported
from pooltrust.errors import Failure
from pooltrust.host.accounts.local import Accounts
from pooltrust.host.accounts.scram import ScramClient

from .stage import AWAY, FEW, ON_THE_HOST, Client, refusal

Pool = Callable[..., tuple[Host, ...]]
HERS = "a-password-of-hers-7"
ANOTHER = "another-one-of-hers-8"


async def role(client: Client, name: str) -> str:
    (ref,) = await client.ask("role.get_by_name_label", name)
    return str(ref)


async def subject(client: Client, identifier: str = "local:alice") -> str:
    where = f'field "subject_identifier" = "{identifier}"'
    (ref,) = await client.ask("subject.get_all_where", where)
    return str(ref)


def test_a_user_is_made_by_the_published_calls_step_by_step(pool: Pool) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with running(h1):
            root = await Client.login(h1)
            user = await root.ask("user.create", {"short_name": "alice", "fullname": "Alice A."})
            assert (await refusal(Client.login(h1, "alice", HERS))).code == (
                "SESSION_AUTHENTICATION_FAILED"
            )
            await root.ask("pooltrust.set_password", "alice", HERS)
            # She can prove who she is, and nobody has let her in.
            nobody = await refusal(Client.login(h1, "alice", HERS))
            assert nobody.code == "SESSION_AUTHORIZATION_FAILED"
            identifier = await root.ask("auth.get_subject_identifier", "alice")
            known = await root.ask("auth.get_subject_information_from_identifier", identifier)
            assert known["subject-name"] == "alice" and known["subject-is-group"] == "false"
            assert await root.ask("auth.get_group_membership", identifier) == []
            made = await root.ask(
                "subject.create", {"subject_identifier": identifier, "other_config": {"k": "v"}}
            )
            roleless = await refusal(Client.login(h1, "alice", HERS))
            assert (roleless.code, roleless.parameters[0]) == (
                "RBAC_PERMISSION_DENIED",
                "session.login_with_password",
            )
            await root.ask("subject.add_to_roles", made, await role(root, "vm-operator"))
            alice = await Client.login(h1, "alice", HERS)
            record = await alice.ask("session.get_record", alice.session)
            assert record["subject"] == made
            assert record["auth_user_sid"] == identifier == "local:alice"
            assert record["auth_user_name"] == "alice"
            assert not record["is_local_superuser"]
            assert record["rbac_permissions"] == await alice.ask(
                "subject.get_permissions_name_label", made
            )
            assert (await root.ask("subject.get_other_config", made))["k"] == "v"
            assert await root.ask("user.get_fullname", user) == "Alice A."
            assert await root.ask("session.get_all_subject_identifiers") == [identifier]

    run(story())


def test_one_step_makes_a_user_with_password_and_role(pool: Pool) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with running(h1):
            root = await Client.login(h1)
            await root.ask("pooltrust.create_user", "alice", HERS, "pool-operator")
            alice = await Client.login(h1, "alice", HERS)
            permitted = await alice.ask("session.get_rbac_permissions", alice.session)
            assert "pool.eject" in permitted and "subject.create" not in permitted
            everybody = await root.ask("pooltrust.get_users")
            assert [(one["name"], one["subject"], one["roles"]) for one in everybody] == [
                ("alice", "local:alice", "pool-operator"),
                ("root", "", ""),
            ]
            for call in (
                "pooltrust.get_users",
                "pooltrust.get_sessions",
            ):
                assert (await refusal(alice.ask(call))).code == "RBAC_PERMISSION_DENIED"
            for parameters, code in {
                ("alice", HERS, ""): "OPERATION_NOT_ALLOWED",
                ("bob", HERS, "king"): "INVALID_VALUE",
                ("bob", HERS, "client-cert"): "INVALID_VALUE",
                ("bob", "", "pool-admin"): "CHANGE_PASSWORD_REJECTED",
                ("b o b", HERS, ""): "CHANGE_PASSWORD_REJECTED",
            }.items():
                refused = await refusal(root.ask("pooltrust.create_user", *parameters))
                assert refused.code == code
                assert HERS not in "".join(refused.parameters)
            assert h1.daemon.accounts.names() == ["alice", "root"]

    run(story())


async def made_alice(h1: Host, role: str = "pool-admin") -> tuple[Client, Client]:
    """Root, and alice with this role."""
    root = await Client.login(h1)
    await root.ask("pooltrust.create_user", "alice", HERS, role)
    return root, await Client.login(h1, "alice", HERS)


def test_who_is_taken_a_role_from_is_logged_out_and_who_is_given_one_is_not(pool: Pool) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with running(h1):
            root, alice = await made_alice(h1, "read-only")
            who = await subject(root)
            await root.ask("subject.add_to_roles", who, await role(root, "vm-admin"))
            assert await alice.is_there()
            # What she may do was decided at her login.
            assert (
                "vm-admin" not in h1.daemon.context.sessions.get(alice.session)[0].principal.roles
            )  # type: ignore[index]
            better = await Client.login(h1, "alice", HERS)
            await root.ask("subject.remove_from_roles", who, await role(root, "vm-admin"))
            assert not await better.is_there()
            assert await alice.is_there()
            for call, name, code in [
                ("subject.add_to_roles", "read-only", "ROLE_ALREADY_EXISTS"),
                ("subject.remove_from_roles", "vm-admin", "ROLE_NOT_FOUND"),
                ("subject.add_to_roles", "pool.eject", "ROLE_NOT_FOUND"),
            ]:
                assert (await refusal(root.ask(call, who, await role(root, name)))).code == code
            assert (await refusal(root.ask("subject.add_to_roles", "x", "x"))).code == (
                "HANDLE_INVALID"
            )
            again = {"subject_identifier": "local:alice"}
            assert (await refusal(root.ask("subject.create", again))).code == (
                "SUBJECT_ALREADY_EXISTS"
            )
            nobody = {"subject_identifier": "local:mallory"}
            assert (await refusal(root.ask("subject.create", nobody))).code == (
                "SUBJECT_CANNOT_BE_RESOLVED"
            )
            await root.ask("subject.destroy", who)
            assert not await alice.is_there()
            assert (await refusal(Client.login(h1, "alice", HERS))).code == (
                "SESSION_AUTHORIZATION_FAILED"
            )

    run(story())


def test_a_user_who_is_removed_leaves_no_rights_to_the_next_of_that_name(pool: Pool) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with running(h1):
            root, alice = await made_alice(h1)
            uuids = {one["name"]: one["uuid"] for one in await root.ask("pooltrust.get_users")}
            ref = await root.ask("user.get_by_uuid", uuids["alice"])
            await root.ask("user.set_fullname", ref, "Alice")
            await root.ask("user.destroy", ref)
            assert not await alice.is_there()
            gone = await refusal(Client.login(h1, "alice", HERS))
            assert gone.code == "SESSION_AUTHENTICATION_FAILED"
            assert await root.ask("subject.get_all") == []
            await root.ask("pooltrust.create_user", "alice", HERS)
            assert (await refusal(Client.login(h1, "alice", HERS))).code == (
                "SESSION_AUTHORIZATION_FAILED"
            )
            assert await root.ask("user.get_fullname", ref) == ""
            root_ref = await root.ask("user.get_by_uuid", uuids["root"])
            assert (await refusal(root.ask("user.destroy", root_ref))).code == (
                "OPERATION_NOT_ALLOWED"
            )

    run(story())


def test_a_changed_password_ends_all_sessions_but_the_one_that_changed_it(pool: Pool) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with running(h1):
            root, alice = await made_alice(h1, "read-only")
            second = await Client.login(h1, "alice", HERS)
            wrong = await refusal(alice.ask("pooltrust.change_own_password", "wrong", ANOTHER))
            assert wrong.code == "SESSION_AUTHENTICATION_FAILED"
            assert h1.daemon.logins.origins.failures(AWAY.address, 0.0) == 1
            await alice.ask("pooltrust.change_own_password", HERS, ANOTHER)
            assert await alice.is_there() and not await second.is_there()
            assert await root.is_there()
            assert (await refusal(Client.login(h1, "alice", HERS))).code == (
                "SESSION_AUTHENTICATION_FAILED"
            )
            await root.ask("pooltrust.set_password", "alice", HERS)
            assert not await alice.is_there()
            await Client.login(h1, "alice", HERS)

    run(story())


def test_root_s_password_is_root_s_to_change(pool: Pool) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with running(h1):
            root, alice = await made_alice(h1)
            for call, *parameters in [
                ("session.change_password", "", ANOTHER),
                ("pooltrust.set_password", "root", ANOTHER),
            ]:
                refused = await refusal(alice.ask(call, *parameters))
                assert refused.code in ("RBAC_PERMISSION_DENIED", "USER_IS_NOT_LOCAL_SUPERUSER")
            other = await Client.login(h1)
            await root.ask("session.change_password", "", ANOTHER)
            assert await root.is_there() and not await other.is_there()
            assert await alice.is_there()
            # From the host itself: whoever is root there needs no old password.
            await h1.ask("session.change_password", "", PASSWORD)
            assert not await root.is_there()
            await Client.login(h1)

    run(story())


def test_the_host_s_own_sessions_outlast_a_change_of_root_s_password(pool: Pool) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with running(h1):
            local = await Client.login(h1, origin=ON_THE_HOST)
            root = await Client.login(h1)
            await root.ask("session.change_password", "", ANOTHER)
            assert await local.is_there()

    run(story())


@pytest.mark.parametrize(
    ("call", "parameters"),
    [
        ("session.change_password", ["", ANOTHER]),
        ("pooltrust.set_password", ["alice", ANOTHER]),
        ("pooltrust.create_user", ["bob", ANOTHER, "pool-admin"]),
        ("user.create", [{"short_name": "bob", "fullname": ""}]),
        ("subject.create", [{"subject_identifier": "local:bob"}]),
        ("pool.enable_client_certificate_auth", ["POOL", "client.example.org"]),
    ],
)
def test_a_supporter_s_word_lets_nobody_in(pool: Pool, call: str, parameters: list[object]) -> None:
    h1, h2 = pool(2)

    async def story() -> None:
        async with running(h1, h2):
            root = await Client.login(h1)
            (ref,) = await root.ask("pool.get_all")
            given = [ref if one == "POOL" else one for one in parameters]
            before = await h1.daemon.store.dump()
            with pytest.raises(Reported) as refused:
                await h2.ask(call, *given)
            assert refused.value.code == "HOST_IS_SLAVE"
            # Nor if the supporter's daemon is not the one that we wrote.
            with pytest.raises(Failure) as unknown:
                await h2.daemon.context.forward(
                    CALLS[call], given, local_superuser("root", ON_THE_HOST), "coordinator"
                )
            assert unknown.value.code == "MESSAGE_METHOD_UNKNOWN"
            assert await h1.daemon.store.dump() == before

    run(story())


def test_what_takes_rights_away_works_at_any_host_s_console(pool: Pool) -> None:
    h1, h2 = pool(2)

    async def story() -> None:
        async with running(h1, h2):
            root, alice = await made_alice(h1)
            who = await subject(root)
            await h2.ask("subject.remove_from_roles", who, await role(root, "pool-admin"))
            assert not await alice.is_there()
            await h2.ask("subject.destroy", who)
            assert await root.ask("subject.get_all") == []

    run(story())


def test_a_role_is_checked_for_calls_that_another_host_carries_out(pool: Pool) -> None:
    h1, h2 = pool(2)

    async def story() -> None:
        async with running(h1, h2):
            _, alice = await made_alice(h1, "read-only")
            found = h1.daemon.context.sessions.get(alice.session)  # type: ignore[arg-type]
            assert found
            (h2_ref,) = [
                ref
                for ref, one in (await alice.ask("host.get_all_records")).items()
                if one["uuid"] == h2.me
            ]
            assert (await alice.ask("pooltrust.get_host_status", h2_ref))["role"] == "supporter"
            assert (await refusal(alice.ask("pool.is_slave", h2_ref))).code == (
                "RBAC_PERMISSION_DENIED"
            )
            # The host that carries it out looks again, at the roles that came along.
            with pytest.raises(Failure, match=r"may not call pool\.is_slave"):
                await h1.daemon.context.forward(
                    CALLS["pool.is_slave"], [h2_ref], found[0].principal, h2.me
                )

    run(story())


def test_a_change_of_rights_is_done_when_half_of_the_members_hold_it(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, later=[h3]):
            root, alice = await made_alice(h1)
            await until(lambda: alike(h1, h2))
            await h2.stop()
            who = await subject(root)
            late = await refusal(
                root.ask("subject.remove_from_roles", who, await role(root, "pool-admin"))
            )
            assert late.code == "RECORDS_NOT_COMMITTED"
            # It counts here at once all the same.
            assert not await alice.is_there()
            await h3.start()
            await until(lambda: alike(h1, h3))

    run(story(), 60.0)


def test_everybody_else_can_be_logged_out_by_subject_or_by_session(pool: Pool) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with running(h1):
            root, alice = await made_alice(h1)
            other = await Client.login(h1, "alice", HERS)
            await alice.ask("session.logout_subject_identifier", "local:alice")
            assert await alice.is_there() and not await other.is_there()
            listed = await root.ask("pooltrust.get_sessions")
            assert {("root", ""), ("alice", "local:alice")} == {
                (one["user"], one["subject"]) for one in listed
            }
            assert root.session not in str(listed) and alice.session not in str(listed)
            (hers,) = [one["uuid"] for one in listed if one["user"] == "alice"]
            await root.ask("pooltrust.end_session", hers)
            assert not await alice.is_there()
            assert (await refusal(root.ask("pooltrust.end_session", hers))).code == "UUID_INVALID"

    run(story())


def test_root_elsewhere_is_an_administrator_here_and_not_this_host_s_root(pool: Pool) -> None:
    h1, h2 = pool(2)

    async def story() -> None:
        async with running(h1, h2):
            for said, held in [
                (local_superuser("mabel", ON_THE_HOST), {"pool-admin"}),
                (Principal("mabel", AWAY, frozenset({"vm-admin"})), {"vm-admin"}),
                (Principal("mabel", AWAY, pool=True), set()),
            ]:
                carried = h1.daemon.context._carried(h2.me, {"principal": said.carried()})
                assert (carried.user, carried.roles) == ("mabel via h2", held)
                assert not carried.is_local_superuser and not carried.pool

    run(story())


def test_a_password_is_good_for_a_join_if_its_user_may_let_hosts_in(
    pool: Pool, stock: Stock, tmp_path: Path
) -> None:
    (h1,) = pool(1)
    h2 = stock.host(tmp_path, "h2")

    async def story() -> None:
        async with running(h1, h2):
            root, _ = await made_alice(h1, "vm-power-admin")
            slow = Accounts(h1.daemon.guarded, iterations=ITERATIONS)
            await slow.set_password("alice", HERS)
            slow.close()
            before = tree(h1), tree(h2)
            with pytest.raises(Reported) as refused:
                await h2.ask("pool.join", h1.config.address, "alice", HERS)
            assert refused.value.code == "RBAC_PERMISSION_DENIED"
            assert "alice may not let hosts into this pool" in str(refused.value)
            assert before == (tree(h1), tree(h2))
            who = await subject(root)
            await root.ask("subject.add_to_roles", who, await role(root, "pool-operator"))
            await h2.ask("pool.join", h1.config.address, "alice", HERS)
            await until(lambda: alike(h1, h2))
            assert h1.daemon.belief.log.at(h1.roster.number).entry.by == "alice"

    run(story(), 60.0)


@pytest.mark.parametrize(("held", "in_"), [("vm-power-admin", False), ("pool-operator", True)])
def test_who_may_let_no_host_in_is_not_even_shown_the_log(pool: Pool, held: str, in_: bool) -> None:
    (h1,) = pool(1)
    agreed = b"T" * 32

    async def story() -> None:
        async with running(h1):
            await made_alice(h1, held)
            client = ScramClient("alice", HERS, agreed, least_iterations=FEW)
            proof = h1.daemon._password_proof("192.0.2.7")
            challenge = proof.challenge({"scram": client.first()}, agreed)
            proved = {"scram": await client.final(challenge["scram"])}
            if in_:
                client.finish(proof.accept(proved)["scram"])
                return
            with pytest.raises(Failure, match="may not let hosts into this pool"):
                proof.accept(proved)
            assert proof.by == ""

    run(story())


def test_a_right_that_is_taken_between_proof_and_admission_lets_no_host_in(pool: Pool) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with running(h1):
            root, _ = await made_alice(h1, "pool-operator")
            proof = h1.daemon._password_proof("192.0.2.7")
            proof.by = "alice"
            proof.use()
            who = await subject(root)
            await root.ask("subject.remove_from_roles", who, await role(root, "pool-operator"))
            with pytest.raises(Failure, match="may not let hosts into this pool"):
                proof.use()

    run(story())


def test_a_session_lasts_as_long_as_the_configuration_says(pool: Pool) -> None:
    (h1,) = pool(1)
    h1 = h1.configured(session_hours=1)

    async def story() -> None:
        async with running(h1):
            for _ in range(2):
                assert h1.daemon.context.sessions.idle == timedelta(hours=1)
                h1.daemon.context.begin_anew()  # as a host does that changes pools

    run(story())


def test_who_may_only_look_lets_no_host_in(pool: Pool) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with running(h1):
            await made_alice(h1, "vm-power-admin")
            h1.daemon.subjects.check_may_admit("root")
            for name in ("alice", "nobody"):
                with pytest.raises(Failure, match="may not let hosts into this pool"):
                    h1.daemon.subjects.check_may_admit(name)

    run(story())
