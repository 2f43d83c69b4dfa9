"""What a function gives back, by the names of its parameters in C, and what may be expected of that."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

from pydantic import PlainValidator, WithJsonSchema, create_model

from cardtwin.cryptoki.constants import (
    UNAVAILABLE_INFORMATION,
    Cka,
    Ckm,
    Cks,
    MechanismFlag,
    SessionFlag,
    SlotFlag,
    TokenFlag,
    name_of,
)
from cardtwin.cryptoki.functions import Kind
from cardtwin.cryptoki.structures import INFO_STRUCTURES, Data, Text, VersionField
from cardtwin.scenario.matchers import (
    MATCHER_SCHEMA,
    FlagMatcher,
    Matcher,
    NumberMatcher,
    TextMatcher,
    parse_matcher,
)
from cardtwin.scenario.pkcs11.attributes import AttributesExpectation, readings
from cardtwin.scenario.pkcs11.constants import RvMatcher, name_matcher, names_matcher
from cardtwin.scenario.step import Expectation
from cardtwin.scenario.values import SCALAR, parse_hex, parse_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from enum import IntFlag

    from cardtwin.cryptoki.foreign import Returned
    from cardtwin.cryptoki.functions import Function, Parameter
    from cardtwin.cryptoki.structures import Field, Structure
    from cardtwin.cryptoki.values import Reading
    from cardtwin.scenario.values import Value

__all__ = [
    "CallExpectation",
    "DataMatcher",
    "expectation_of",
    "structure_matchers",
    "structure_values",
    "values_of",
]


class CallExpectation(Expectation):
    """What comes of a call: the return value, and results by the names of their parameters."""

    main: ClassVar[str] = "rv"
    rv: RvMatcher | None = None


def _literal(value: Any) -> bytes:
    match value:
        case {"text": str() as text, **rest} if not rest:
            return text.encode()
        case _:
            return parse_hex(value)


def _data_matcher(value: Any) -> Matcher:
    if isinstance(value, dict) and set(value) == {"text"}:
        return parse_matcher(_literal(value).hex(), parse_hex)

    return parse_matcher(value, parse_hex)


DataMatcher = Annotated[
    Matcher,
    PlainValidator(_data_matcher),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": SCALAR},
                {
                    "type": "object",
                    "properties": {"text": {"type": SCALAR}},
                    "required": ["text"],
                    "additionalProperties": False,
                },
                MATCHER_SCHEMA,
            ]
        }
    ),
]


def _numbers(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise ValueError("a list of numbers or a matcher is expected")  # noqa: TRY004  # what pydantic collects

    return tuple(parse_number(item) for item in value)


_NumbersMatcher = Annotated[
    Matcher,
    PlainValidator(lambda value: parse_matcher(value, _numbers)),
    WithJsonSchema({"anyOf": [{"type": "array", "items": {"type": SCALAR}}, MATCHER_SCHEMA]}),
]

_FLAGS: Final[dict[str, type[IntFlag]]] = {
    "CK_SLOT_INFO": SlotFlag,
    "CK_TOKEN_INFO": TokenFlag,
    "CK_MECHANISM_INFO": MechanismFlag,
    "CK_SESSION_INFO": SessionFlag,
}


def _flags_expectation(kind: type[IntFlag]) -> type[Expectation]:
    names: dict[str, Any] = dict.fromkeys(kind.__members__, (FlagMatcher | None, None))
    return create_model(
        f"{kind.__name__}s",
        __base__=Expectation,
        __doc__="Flags by their names: yes where they are set.",
        **names,
    )


def _name(field: Field) -> str:
    return field.pointer if isinstance(field, Data) else field.name


def _member_matcher(structure: Structure, field: Field) -> Any:
    match field:
        case Text() | VersionField():
            return TextMatcher
        case _ if _name(field) == "flags" and structure.name in _FLAGS:
            return _flags_expectation(_FLAGS[structure.name])
        case _ if _name(field) == "state":
            return name_matcher(Cks)
        case _:
            return NumberMatcher


def structure_matchers(structure: Structure) -> dict[str, Any]:
    """Return the fields that expect the members of a structure, for ``create_model``."""
    return {_name(field): (_member_matcher(structure, field) | None, None) for field in structure.fields}


def _members(structure: Structure) -> type[Expectation]:
    return create_model(
        structure.name,
        __base__=Expectation,
        __doc__=f"The members of {structure.name}.",
        **structure_matchers(structure),
    )


_STRUCTURES: Final = {each.name: _members(each) for each in INFO_STRUCTURES}


def structure_values(structure: Structure, made: object) -> dict[str, Value]:
    """Return the values of a structure's members, by their names in C."""
    values = (getattr(made, field.name) for field in fields(structure.python))
    return {
        _name(field): _member_value(structure, field, value)
        for field, value in zip(structure.fields, values, strict=True)
    }


def _member_value(structure: Structure, field: Field, value: Any) -> Value:
    match field:
        case Text():
            return str(value)
        case VersionField():
            return f"{value.major}.{value.minor}"
        case _ if _name(field) == "flags" and structure.name in _FLAGS:
            return {name: bool(value & flag) for name, flag in _FLAGS[structure.name].__members__.items()}
        case _ if _name(field) == "state":
            return name_of(Cks, value)
        case _:
            return None if value == UNAVAILABLE_INFORMATION else int(value)


@dataclass(frozen=True, slots=True)
class _Way:
    """How a kind of result is shown.

    Attributes:
        matchers: The fields of what may be expected, by name.
        values: Makes the values of those names of the function's result.
    """

    matchers: Callable[[Parameter], dict[str, Any]]
    values: Callable[[Parameter, Any, Sequence[object]], dict[str, Value]]


def _buffer_values(parameter: Parameter, answer: Any, _: Sequence[object]) -> dict[str, Value]:
    pointer, length = parameter.names
    return {pointer: answer.content, length: answer.length}


def _list_matchers(parameter: Parameter) -> dict[str, Any]:
    pointer, count = parameter.names
    return {
        pointer: names_matcher(Ckm) if _is_mechanisms(parameter) else _NumbersMatcher,
        count: NumberMatcher,
    }


def _list_values(parameter: Parameter, answer: Any, _: Sequence[object]) -> dict[str, Value]:
    pointer, count = parameter.names
    items = answer.content
    shown = None if items is None else tuple(_item(parameter, item) for item in items)
    return {pointer: shown, count: answer.length}


def _item(parameter: Parameter, item: int) -> Value:
    return name_of(Ckm, item) if _is_mechanisms(parameter) else int(item)


def _is_mechanisms(parameter: Parameter) -> bool:
    return parameter.c_type == "CK_MECHANISM_TYPE_PTR"


def _found_values(parameter: Parameter, handles: Any, _: Sequence[object]) -> dict[str, Value]:
    return {parameter.names[0]: tuple(map(int, handles)), parameter.names[2]: len(handles)}


def _query_values(parameter: Parameter, found: Sequence[Reading], arguments: Any) -> dict[str, Value]:
    queries = arguments[-1]
    lengths: dict[str, Value] = {
        name_of(Cka, query.type): None if each.length == UNAVAILABLE_INFORMATION else each.length
        for query, each in zip(queries, found, strict=True)
    }
    return {parameter.names[0]: readings(queries, found), "ulValueLen": lengths}


_WAYS: Final[dict[Kind, _Way]] = {
    Kind.ULONG_OUT: _Way(
        lambda parameter: {parameter.names[0]: NumberMatcher},
        lambda parameter, value, _: {parameter.names[0]: int(value)},
    ),
    Kind.STRUCTURE_OUT: _Way(
        lambda parameter: {parameter.names[0]: _STRUCTURES[parameter.structure.name]},  # type: ignore[union-attr]
        lambda parameter, value, _: {parameter.names[0]: structure_values(parameter.structure, value)},  # type: ignore[arg-type]
    ),
    Kind.BUFFER_OUT: _Way(
        lambda parameter: {parameter.names[0]: DataMatcher, parameter.names[1]: NumberMatcher}, _buffer_values
    ),
    Kind.LIST_OUT: _Way(_list_matchers, _list_values),
    Kind.FOUND_OUT: _Way(
        lambda parameter: {parameter.names[0]: _NumbersMatcher, parameter.names[2]: NumberMatcher},
        _found_values,
    ),
    Kind.FILL_OUT: _Way(
        lambda parameter: {parameter.names[0]: DataMatcher},
        lambda parameter, value, _: {parameter.names[0]: value},
    ),
    Kind.QUERY: _Way(
        lambda parameter: {parameter.names[0]: AttributesExpectation, "ulValueLen": dict[str, NumberMatcher]},
        _query_values,
    ),
}


def expectation_of(function: Function) -> type[CallExpectation]:
    """Return the model of what may be expected of a function."""
    found: dict[str, Any] = {}

    for parameter in function.results:
        for name, matcher in _WAYS[parameter.kind].matchers(parameter).items():
            found[name] = (
                (dict[str, NumberMatcher], {})
                if matcher == dict[str, NumberMatcher]
                else (matcher | None, None)
            )

    return create_model(f"{function.name}Expectation", __base__=CallExpectation, **found)


def values_of(function: Function, arguments: Sequence[object], returned: Returned) -> dict[str, Value]:
    """Return what a step of the function saw."""
    values: dict[str, Value] = {"rv": returned.name}

    for parameter, result in zip(function.results, returned.results, strict=False):
        values |= _WAYS[parameter.kind].values(parameter, result, arguments)

    return values
