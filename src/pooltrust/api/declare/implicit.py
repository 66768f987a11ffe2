"""The calls that every class has unasked, made from its declaration as the same `Call` values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from pooltrust.api import roles
from pooltrust.api.declare.call import NO_KEYS, REQUIRED, Call, Parameter, Run
from pooltrust.api.declare.values import STRING, VOID, Ref, Type, map_of, set_of
from pooltrust.api.declare.where import test_of
from pooltrust.errors import (
    Failure,
    FieldTypeError,
    HandleInvalid,
    InvalidValue,
    MapDuplicateKey,
    UuidInvalid,
)

if TYPE_CHECKING:
    from pooltrust.api.declare.record import Class, Field


def calls_of(cls: Class) -> Iterator[Call]:
    """Every implicit call of a class."""
    yield from _whole_class(cls)
    for field in cls.fields.values():
        if not field.hidden and cls.getters:
            yield _getter(cls, field)
        if field.kind == "RW" and not field.hidden:
            yield from _setters(cls, field)


def _call(
    cls: Class,
    method: str,
    run: Run,
    *,
    doc: str,
    parameters: Sequence[Parameter] = (),
    result: Type = VOID,
    raises: tuple[type[Failure], ...] = (),
    role: str = "",
    field: Field | None = None,
    hidden: bool = False,
    is_async: bool = False,
) -> Call:
    """A call of this class; `field` is given where the call changes it."""
    role = field.role if field else role or cls.role
    keys = {k: roles.holders(v) for k, v in field.keys.items()} if field else {}
    return Call(
        name=f"{cls.name}.{method}",
        doc=doc,
        parameters=tuple(parameters),
        result=result,
        role=role,
        holders=roles.holders(role, client_cert=field.client_cert if field else None),
        runs=cls.source.runs,
        run=run,
        raises=raises,
        keys=keys if method.startswith(("add_to_", "remove_from_")) else NO_KEYS,
        hidden=hidden,
        is_async=is_async,
        implicit=True,
    )


@cache
def _one(cls: Class) -> Parameter:
    return Parameter("self", cls.reference, f"The {cls.name}.", REQUIRED)


def _text(name: str, doc: str) -> Parameter:
    return Parameter(name, STRING, doc, REQUIRED)


def row(cls: Class, context: Any, ref: Ref) -> Any:
    """One object.  Raises HandleInvalid."""
    try:
        return cls.rows(context)[ref]
    except KeyError:
        raise HandleInvalid(type=cls.name, handle=ref) from None


def _whole_class(cls: Class) -> Iterator[Call]:
    if "get_record" in cls.implicit:
        yield _get_record(cls)
    if "get_by_uuid" in cls.implicit:
        yield _get_by_uuid(cls)
    if "get_by_name_label" in cls.implicit:
        yield _get_by_name_label(cls)
    if "create" in cls.implicit:
        yield from _making(cls)
    yield from _listing(cls)


def _get_record(cls: Class) -> Call:
    async def run(context: Any, _caller: Any, arguments: Sequence[Any]) -> Any:
        return row(cls, context, arguments[0])

    doc = f"Every field of one {cls.name}."
    parameters = (_one(cls),)
    return _call(
        cls, "get_record", run, doc=doc, parameters=parameters, result=cls.record,
        raises=(HandleInvalid,),
    )  # fmt: skip


def _get_by_uuid(cls: Class) -> Call:
    async def run(context: Any, _caller: Any, arguments: Sequence[Any]) -> Ref:
        for ref, record in cls.rows(context).items():
            if record.uuid == arguments[0]:
                return ref
        raise UuidInvalid(type=cls.name, uuid=arguments[0])

    doc = f"The {cls.name} with this UUID."
    parameters = (_text("uuid", "Its UUID."),)
    return _call(
        cls, "get_by_uuid", run, doc=doc, parameters=parameters, result=cls.reference,
        raises=(UuidInvalid,),
    )  # fmt: skip


def _get_by_name_label(cls: Class) -> Call:
    async def run(context: Any, _caller: Any, arguments: Sequence[Any]) -> list[Ref]:
        rows = cls.rows(context)
        return [ref for ref, record in rows.items() if record.name_label == arguments[0]]

    doc = f"Every {cls.name} of this name; maybe none."
    parameters = (_text("label", "The name."),)
    result = set_of(cls.reference)
    return _call(cls, "get_by_name_label", run, doc=doc, parameters=parameters, result=result)


def _making(cls: Class) -> Iterator[Call]:
    source: Any = cls.source

    async def create(context: Any, caller: Any, arguments: Sequence[Any]) -> Any:
        return await source.create(context, cls.python, arguments[0], caller)

    async def destroy(context: Any, caller: Any, arguments: Sequence[Any]) -> None:
        row(cls, context, arguments[0])
        await source.destroy(context, cls.python, arguments[0], caller)

    fields = Type(f"{cls.name} record", None, cls.given)
    args = Parameter("args", fields, "Its fields.  Those with a default may be left out.", REQUIRED)
    yield _call(
        cls, "create", create, doc=f"Make a {cls.name}.", parameters=(args,), result=cls.reference,
        raises=(FieldTypeError,), is_async=True,
    )  # fmt: skip
    yield _call(
        cls, "destroy", destroy, doc=f"Remove a {cls.name}.", parameters=(_one(cls),),
        raises=(HandleInvalid,), is_async=True,
    )  # fmt: skip


def _listing(cls: Class) -> Iterator[Call]:
    """get_all and its kin: a choice of rows, answered as references or as records."""

    def every(context: Any, _arguments: Sequence[Any]) -> Mapping[Ref, Any]:
        rows = cls.rows(context)
        return rows if cls.listed is None else _chosen(rows, cls.listed)

    def some(context: Any, arguments: Sequence[Any]) -> Mapping[Ref, Any]:
        expression = arguments[0]
        known = cls.expressions.get("".join(expression.split()))
        rows = cls.rows(context)
        test = known or test_of(expression, cls.visible, records=len(rows))
        return _chosen(rows, test)

    expression = (_text("expr", 'Which: true, or field "name" = "value", and, or, not.'),)
    references, records = set_of(cls.reference), map_of(cls.reference, cls.record)
    table = (
        ("get_all", every, list, references, (), f"Every {cls.name}."),
        ("get_all_where", some, list, references, expression, f"Each {cls.name} that fits."),
        ("get_all_records_where", some, dict, records, expression, f"Each {cls.name} that fits."),
        ("get_all_records", every, dict, records, (), f"Every {cls.name} with its record."),
    )
    for method, choose, shape, result, parameters, doc in table:
        if method in cls.implicit:
            yield _call(
                cls, method, _lister(choose, shape), doc=doc, parameters=parameters, result=result,
                raises=(InvalidValue,) if parameters else (),
                hidden=bool(parameters) and cls.getters,
            )  # fmt: skip


def _lister(choose: Callable[[Any, Sequence[Any]], Mapping[Ref, Any]], shape: type) -> Run:
    async def run(context: Any, _caller: Any, arguments: Sequence[Any]) -> Any:
        return shape(choose(context, arguments))

    return run


def _chosen(rows: Mapping[Ref, Any], test: Callable[[Any], bool]) -> dict[Ref, Any]:
    return {ref: record for ref, record in rows.items() if test(record)}


def _getter(cls: Class, field: Field) -> Call:
    read = attrgetter(field.name)

    async def run(context: Any, _caller: Any, arguments: Sequence[Any]) -> Any:
        return read(row(cls, context, arguments[0]))

    parameters = (_one(cls),)
    return _call(
        cls, f"get_{field.name}", run, doc=field.doc, parameters=parameters, result=field.type,
        raises=(HandleInvalid,), role=field.reader,
    )  # fmt: skip


Edit = Callable[[Any, Sequence[Any]], Callable[[Any], Any]]


def _setters(cls: Class, field: Field) -> Iterator[Call]:
    """set_<field>, and for a map or a set its adders and removers.

    Each gives the source a function of the value at that moment, so that two adders never undo one
    another.
    """
    name, whole = field.name, field.type
    value = Parameter("value", whole, field.doc, REQUIRED)
    yield _setter(cls, field, f"set_{name}", f"Set {name}.", (value,), _replaced)
    if whole.key and whole.item:
        key = Parameter("key", whole.key, "The key.", REQUIRED)
        item = Parameter("value", whole.item, "Its value.", REQUIRED)
        added = _added_key(cls.name, name)
        words = f"Add a key to {name}; it must not be there."
        yield _setter(cls, field, f"add_to_{name}", words, (key, item), added)
        words = f"Remove a key from {name}, if it is there."
        yield _setter(cls, field, f"remove_from_{name}", words, (key,), _removed_key)
    elif whole.item:
        item = Parameter("value", whole.item, "The item.", REQUIRED)
        yield _setter(cls, field, f"add_{name}", f"Add an item to {name}.", (item,), _added)
        words = f"Remove an item from {name}, if it is there."
        yield _setter(cls, field, f"remove_{name}", words, (item,), _removed)


def _setter(
    cls: Class,
    field: Field,
    method: str,
    doc: str,
    parameters: tuple[Parameter, ...],
    edit: Edit,
) -> Call:
    async def run(context: Any, caller: Any, arguments: Sequence[Any]) -> None:
        ref = arguments[0]
        change = edit(row(cls, context, ref), arguments[1:])
        await cls.source.change(context, cls.python, ref, field.name, change, caller)

    raises: tuple[type[Failure], ...] = (HandleInvalid,)
    if method.startswith("add_to_"):
        raises = (HandleInvalid, MapDuplicateKey)
    return _call(
        cls, method, run, doc=doc, parameters=(_one(cls), *parameters), raises=raises, field=field
    )


def _replaced(_record: Any, arguments: Sequence[Any]) -> Callable[[Any], Any]:
    return lambda _old: arguments[0]


def _added_key(cls: str, field: str) -> Edit:
    def edit(record: Any, arguments: Sequence[Any]) -> Callable[[Any], Any]:
        key, value = arguments

        def change(old: dict[str, Any]) -> dict[str, Any]:
            if key in old:
                raise MapDuplicateKey(type=cls, param_name=field, uuid=record.uuid, key=key)
            return {**old, key: value}

        return change

    return edit


def _removed_key(_record: Any, arguments: Sequence[Any]) -> Callable[[Any], Any]:
    return lambda old: {key: value for key, value in old.items() if key != arguments[0]}


def _added(_record: Any, arguments: Sequence[Any]) -> Callable[[Any], Any]:
    return lambda old: old if arguments[0] in old else type(old)((*old, arguments[0]))


def _removed(_record: Any, arguments: Sequence[Any]) -> Callable[[Any], Any]:
    return lambda old: type(old)(item for item in old if item != arguments[0])
