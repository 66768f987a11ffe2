"""A declaration that lacks something fails at import."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import pytest

from pooltrust.api.classes.fields.choices import HostDisplay
from pooltrust.api.classes.fields.refs import HostRef, PoolRef
from pooltrust.api.declare import values
from pooltrust.api.declare.call import CALLS, Doc, NamedHost, Secret, call, find
from pooltrust.api.declare.record import CLASSES, record, ro
from pooltrust.api.declare.values import (
    Int32,
    Ref,
    WrongType,
    enumeration,
    read_date,
    type_of,
)
from pooltrust.api.wire.xmlrpc import encode
from pooltrust.errors import InvalidText, InvalidValue

Name = Annotated[str, Doc("A name.")]


@pytest.fixture(autouse=True)
def registries() -> Iterator[None]:
    kept = dict(CALLS), dict(CLASSES)
    yield
    for registry, before in zip((CALLS, CLASSES), kept, strict=True):
        registry.clear()
        registry.update(before)


def test_everything_is_read_from_the_declaration():
    @call("test.do", role="read-only", runs=NamedHost("host"), is_async=True, cli="do")
    async def do(
        context: Any,
        host: Annotated[HostRef, Doc("The host.")],
        import_: Annotated[list[str], Doc("Names.")],
        secret_word: Annotated[str, Secret(), Doc("A secret.")] = "s",
    ) -> dict[str, int]:
        """Do it."""
        return {host: len(import_)}

    declared = CALLS["test.do"]
    assert declared is find("test_do") is find("test.do")
    assert [p.name for p in declared.parameters] == ["host", "import", "secret_word"]
    assert [p.type.name for p in declared.parameters] == ["host ref", "string set", "string"]
    assert (
        declared.result.name, declared.required, declared.doc,
    ) == ("(string -> int) map", 2, "Do it.")  # fmt: skip
    assert declared.parameters[2].secret and declared.parameters[2].cli == "secret-word"


async def no_words(context: Any) -> None:
    pass


async def undocumented(context: Any, name: str) -> None:
    """Words."""


async def blank(context: Any, name: Annotated[str, Doc(" ")]) -> None:
    """Words."""


async def foreign(context: Any, name: Annotated[set[str], Doc("Names.")]) -> None:
    """Words."""


async def keyed(context: Any, name: Annotated[dict[int, str], Doc("Names.")]) -> None:
    """Words."""


async def good(context: Any, name: Name) -> None:
    """Words."""


async def unanswered(context: Any, name: Name):
    """Words."""


async def without_context(name: Name) -> None:
    """Words."""


def not_async(context: Any) -> None:
    """Words."""


@pytest.mark.parametrize(
    ("f", "name", "options"),
    [
        (no_words, "test.a", {}),
        (undocumented, "test.a", {}),
        (blank, "test.a", {}),
        (foreign, "test.a", {}),
        (keyed, "test.a", {}),
        (unanswered, "test.a", {}),
        (without_context, "test.a", {}),
        (not_async, "test.a", {}),
        (good, "pool.join", {}),
        (good, "pool_join.x", {"role": "king"}),
        (good, "nothing", {}),
        (good, "test.a", {"runs": NamedHost("name")}),
        (good, "test.a", {"runs": NamedHost("nobody")}),
    ],
)
def test_a_call_that_lacks_something(f: Callable[..., Any], name: str, options: dict[str, Any]):
    with pytest.raises(TypeError):
        call(name, **{"role": "read-only", **options})(f)
    assert "test.a" not in CALLS


def test_no_call_hides_another_in_the_other_spelling():
    spelled = [name.replace(".", "_", 1) for name in CALLS]

    assert len(set(spelled)) == len(spelled)
    assert [find(name) for name in spelled] == list(CALLS.values())


def test_a_long_name_of_no_call_costs_nothing():
    assert find("_" * 300_000) is None


def test_a_class_that_lacks_something():
    class Undocumented:
        uuid: str = ro("Its name")

    class Bare:
        """Words."""

        uuid: str

    class Blank:
        """Words."""

        uuid: str = ro("")

    class Foreign:
        """Words."""

        uuid: bytes = ro("Its name")

    for cls in (Undocumented, Bare, Blank, Foreign):
        with pytest.raises(TypeError):
            record("test")(cls)
    with pytest.raises(TypeError, match="twice"):
        record("pool")(Blank)
    assert "test" not in CLASSES


def test_a_record_is_never_made_without_its_uuid():
    for declared in CLASSES.values():
        if "uuid" in declared.fields:
            with pytest.raises(TypeError):
                declared.python()


def test_two_records_share_no_map():
    one, two = (CLASSES["pool"].python(uuid=str(n)) for n in (1, 2))
    assert one.other_config == {} and one.other_config is not two.other_config


@pytest.mark.parametrize(
    ("annotation", "name"),
    [
        (str, "string"), (int, "int"), (float, "float"), (bool, "bool"), (datetime, "datetime"),
        (None, "void"), (Int32, "int32"), (PoolRef, "pool ref"), (list[HostRef], "host ref set"),
        (tuple[str, ...], "string set"), (list[list[str]], "string set set"),
        (dict[str, list[str]], "(string -> string set) map"), (HostDisplay, "enum host_display"),
        (dict[HostRef, dict[str, str]], "(host ref -> (string -> string) map) map"),
        (dict[str, HostDisplay], "(string -> enum host_display) map"),
    ],
)  # fmt: skip
def test_types_are_called_as_the_api_calls_them(annotation: Any, name: str):
    assert name == type_of(annotation).name


@pytest.mark.parametrize("annotation", [bytes, object, Any, "text", set[str], tuple[str, int], Ref])
def test_a_type_that_the_api_does_not_have(annotation: Any):
    with pytest.raises(TypeError):
        type_of(annotation)


def test_an_enumeration_is_declared_once():
    with pytest.raises(TypeError, match="twice"):
        enumeration("host_display")(HostDisplay)


@pytest.mark.parametrize(
    "text",
    [
        "20240131T23:59:59Z", "20240131T235959Z", "2024-01-31T23:59:59Z", "20240131T23:59:59",
        "2024-01-31T23:59:59.123Z", "2024-02-01T01:59:59+02:00", "20240131t23:59:59z",
        "2024-01-31T15:59:59-0800",
    ],
)  # fmt: skip
def test_dates_are_read_in_either_form(text: str):
    assert datetime(2024, 1, 31, 23, 59, 59, tzinfo=UTC) == read_date(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "20240230T00:00:00Z",
        "2024-01-31",
        "00010101T00:00:00+23:59",
        "٢٠240131T00:00:00Z",
    ],
)
def test_what_is_no_date_is_given_back_alone(text: str):
    with pytest.raises(InvalidText) as refusal:
        read_date(text)
    assert [text] == refusal.value.parameters()


def test_values_of_the_wrong_shape():
    for annotation, raw in (
        (str, 1), (int, True), (int, 1.0), (int, 2**63), (int, "1_0"), (float, "nan"),
        (float, True), (bool, 1), (bool, "true"), (datetime, 1), (list[str], "ab"),
        (list[str], {"a": 1}), (dict[str, str], []), (dict[str, str], {"a": 1}), (None, 1),
        (HostDisplay, 1), (PoolRef, None), (float, "1e9999"), (float, 10**400),
    ):  # fmt: skip
        with pytest.raises(WrongType):
            type_of(annotation).read(raw)
    with pytest.raises(InvalidValue):
        type_of(HostDisplay).read("sideways")


def test_int32_alone_is_a_number_in_xml():
    assert encode(Int32(7)) == "<value><i4>7</i4></value>"
    assert encode(7) == "<value>7</value>"
    assert encode(0.1) == "<value><double>0.1</double></value>"
    assert encode(None) == "<value><nil/></value>"
    assert type_of(PoolRef).zero == values.NULL
