"""Our declarations against the published data model, which they were not made from."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from pooltrust.api import classes, roles
from pooltrust.api.classes.absent.reader import (
    absent_calls,
    absent_class,
    absent_classes,
    find_absent,
    refused_calls,
)
from pooltrust.api.declare.call import CALLS, REQUIRED
from pooltrust.api.declare.record import CLASSES, UNPUBLISHED, Field
from pooltrust.api.declare.values import _ENUMS
from pooltrust.api.reference import show
from pooltrust.errors import FAILURES

assert classes
PUBLISHED = json.loads(Path(__file__).with_name("published.json").read_text())
OURS_ALONE = "pooltrust"


def least(holders: tuple[str, ...]) -> str:
    """As make_published.py writes roles: the least privileged one, and the internal one."""
    ordinary = [role for role in holders if role != roles.CLIENT_CERT]
    assert ordinary == list(roles.ROLES)[: len(ordinary)]
    return " ".join(ordinary[-1:] + [roles.CLIENT_CERT] * (roles.CLIENT_CERT in holders))


def described(field: Field) -> dict[str, Any]:
    default = None if field.default is UNPUBLISHED else show(field.default)
    said: dict[str, Any] = {"type": field.type.name, "kind": field.kind, "default": default}
    if field.hidden:
        said["hidden"] = True
    if field.kind == "RW":
        said["roles"] = least(roles.holders(field.role, client_cert=field.client_cert or None))
    if field.keys:
        said["keys"] = {key: least(roles.holders(role)) for key, role in field.keys.items()}
    return said


SERVED = [name for name, said in PUBLISHED["classes"].items() if said["fields"]]


def test_every_class_that_may_have_objects_is_declared():
    assert set(SERVED) <= CLASSES.keys() and set(PUBLISHED["classes"]) - set(SERVED) == {"auth"}


@pytest.mark.parametrize("name", SERVED)
def test_a_class_has_exactly_the_published_fields(name: str):
    published = PUBLISHED["classes"][name]

    assert published["fields"] == {
        field.name: described(field) for field in CLASSES[name].fields.values()
    }
    assert published["events"] == CLASSES[name].evented


@pytest.mark.parametrize("name", SERVED)
def test_a_class_has_exactly_the_published_implicit_calls(name: str):
    published = {
        call
        for call, said in PUBLISHED["classes"][name]["calls"].items()
        if said["tag"] != "custom"
    }
    declared = {call.name.partition(".")[2]: call for call in CALLS.values() if call.cls == name}
    implicit = {method for method, call in declared.items() if call.implicit}

    # A class may give one of these a body of its own, as session does; none of message is usual.
    assert implicit <= PUBLISHED["classes"][name]["calls"].keys()
    assert published <= declared.keys()


@pytest.mark.parametrize("name", PUBLISHED["absent"])
def test_a_class_without_objects_has_exactly_the_published_fields_and_calls(name: str):
    published = PUBLISHED["absent"][name]
    of_fields = [call for tag, some in published["calls"].items() for call in some
                 if tag != "custom" and call not in ("create", "destroy")]  # fmt: skip
    if not published["fields"]:
        assert name not in absent_classes()
        return
    said = {field.name: described(field) for field in absent_class(name).fields.values()}

    assert published["fields"] == {
        field: {key: value for key, value in one.items() if key not in ("roles", "keys")}
        for field, one in said.items()
    }
    assert sorted(f"{name}.{call}" for call in of_fields) == sorted(
        call for call in absent_calls() if call.startswith(f"{name}.")
    )


def test_every_published_call_is_answered_in_one_of_three_ways():
    published = {f"{name}.{call}" for name, said in PUBLISHED["classes"].items()
                 for call in said["calls"]}  # fmt: skip
    published |= {f"{name}.{call}" for name, said in PUBLISHED["absent"].items()
                  for some in said["calls"].values() for call in some}  # fmt: skip
    ours = {name for name in CALLS if not name.startswith(OURS_ALONE)}

    assert sorted(published) == sorted({*ours, *absent_calls(), *refused_calls()})
    assert not absent_calls().keys() & {*ours, *refused_calls()}
    assert all(find_absent(name) for name in published - ours)
    assert published & CALLS.keys() == ours


@pytest.mark.parametrize("name", [name for name in CALLS if not name.startswith(OURS_ALONE)])
def test_a_call_has_the_published_shape(name: str):
    call = CALLS[name]
    cls, _, method = name.partition(".")
    published = PUBLISHED["classes"][cls]["calls"][method]

    assert published["params"] == [
        [p.name, p.type.name, None if p.default is REQUIRED else show(p.default)]
        for p in call.parameters
    ]
    assert published["result"] == call.result.name
    assert published["roles"] == least(call.holders)
    assert published["session"] == call.session
    flags = {"async": call.is_async, "hidden": call.hidden, "pool_internal": call.internal}
    assert published["flags"] == [flag for flag, on in flags.items() if on]


@pytest.mark.parametrize(("enum", "name"), [(enum, name) for enum, name in _ENUMS.items()])
def test_an_enumeration_has_exactly_the_published_values(enum: Any, name: str):
    assert sorted(PUBLISHED["enums"][name]) == sorted(member.value for member in enum)


SENT_WITH_MORE = {"SESSION_AUTHENTICATION_FAILED", "WLB_INTERNAL_ERROR"}
"""The model lists no parameters, but servers send the user's name and a reason, and what the
appliance says: its code and message."""


@pytest.mark.parametrize(
    "code", sorted((FAILURES.keys() & PUBLISHED["errors"].keys()) - SENT_WITH_MORE)
)
def test_a_published_error_has_its_published_number_of_parameters(code: str):
    on_the_wire = [
        field.name
        for field in dataclasses.fields(FAILURES[code])
        if field.metadata.get("wire", True)
    ]
    assert len(PUBLISHED["errors"][code]) == len(on_the_wire)
