"""What a step gives to a function: a field for each parameter, by its name in C."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, PlainValidator, WithJsonSchema

from cardtwin.cryptoki.constants import Ckd, Ckg, Ckm, Ckz
from cardtwin.cryptoki.functions import Kind
from cardtwin.cryptoki.structures import PARAMETER_STRUCTURES, Data, structure_of
from cardtwin.cryptoki.values import Buffer, Mechanism, NamedValue
from cardtwin.plan import Secret, SecretName
from cardtwin.scenario.document import MapNode, TextNode
from cardtwin.scenario.pkcs11.attributes import Template, attributes, parse_queries
from cardtwin.scenario.pkcs11.constants import number_field, parse_constant
from cardtwin.scenario.values import SCALAR, Flag, Number, SecretText, parse_hex, parse_number
from cardtwin.source import closest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from enum import IntEnum

    from cardtwin.cryptoki.functions import Function, Parameter
    from cardtwin.cryptoki.structures import Structure
    from cardtwin.scenario.run import Run

__all__ = [
    "DataArgument",
    "FileData",
    "MechanismArgument",
    "argument_fields",
    "arguments_of",
    "data_of",
    "files_named",
]

NULL: Final = "NULL"
_OR_NULL: Final = [*SCALAR, "null"]
"""What an editor may see in a scalar that may be NULL."""

_ENOUGH_BYTES: Final = 1 << 16
_ENOUGH_ITEMS: Final = 1 << 10
_MOST_FOUND: Final = 64
_LABEL: Final = 32


@dataclass(frozen=True, slots=True)
class FileData:
    """The content of one of the scenario's files."""

    name: str


def _parse_data(value: Any) -> bytes | FileData:
    match value:
        case str():
            return b"" if value == NULL else parse_hex(value)
        case {"text": str() as text, **rest} if not rest:
            return text.encode()
        case {"file": str() as name, **rest} if not rest:
            return FileData(name)
        case _:
            raise ValueError("data is hex, or {text: ...}, or {file: ...}, or NULL")


def _one_key(*names: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: {"type": SCALAR} for name in names},
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    }


DataArgument = Annotated[
    Any,
    PlainValidator(_parse_data),
    WithJsonSchema({"anyOf": [{"type": _OR_NULL, "description": "hex, or NULL"}, _one_key("text", "file")]}),
]


def data_of(value: bytes | FileData, run: Run) -> bytes:
    """Return the bytes of an argument."""
    return run.file(value.name) if isinstance(value, FileData) else value


def _parse_pin(value: Any) -> Secret | None:
    match value:
        case str():
            return None if value == NULL else Secret.of(value)
        case {"hex": str() as digits, **rest} if not rest:
            return Secret(parse_hex(digits))
        case _:
            raise ValueError("a PIN is a text, or {hex: ...}, or NULL")


_PIN: Final = Annotated[
    Any,
    PlainValidator(_parse_pin),
    WithJsonSchema(
        {"anyOf": [{"type": _OR_NULL, "description": "a secret, shown nowhere, or NULL"}, _one_key("hex")]}
    ),
]


def _parse_label(value: Any) -> bytes:
    if not isinstance(value, str) or len(value.encode()) > _LABEL:
        raise ValueError(f"a label is a text of {_LABEL} bytes at most")

    return value.encode()


_LABEL_FIELD: Final = Annotated[bytes, PlainValidator(_parse_label), WithJsonSchema({"type": SCALAR})]


def _parse_room(value: Any) -> int | None:
    return None if value == NULL else parse_number(value)


_ROOM: Final = Annotated[
    int | None,
    PlainValidator(_parse_room),
    WithJsonSchema({"type": _OR_NULL, "description": "how much the caller's buffer holds; NULL has none"}),
]


_ENUMS: Final[dict[str, type[IntEnum]]] = {"hashAlg": Ckm, "mgf": Ckg, "source": Ckz, "kdf": Ckd}
"""The members of mechanism parameters that are constants."""


def _parse_mechanism(value: Any) -> Mechanism:
    match value:
        case str():
            return Mechanism(parse_constant(Ckm, value))
        case {"mechanism": str() as name, **rest} if set(rest) <= {"pParameter"}:
            kind = parse_constant(Ckm, name)
            return Mechanism(kind, _parameter(kind, rest.get("pParameter", NULL)))
        case _:
            raise ValueError("a mechanism is a name, or {mechanism: CKM_..., pParameter: ...}")


def _parameter(kind: int, value: Any) -> Any:
    if isinstance(value, str):
        return b"" if value == NULL else parse_hex(value)

    structure = structure_of(kind)

    if structure is None or not isinstance(value, dict):
        known = ", ".join(each.name for each in PARAMETER_STRUCTURES)
        raise ValueError(f"this mechanism's parameter is bytes in hex; those with a structure have {known}")

    return _structured(structure, value)


def _structured(structure: Structure, value: dict[str, Any]) -> Any:
    known = [field.pointer if isinstance(field, Data) else field.name for field in structure.fields]

    for name in value:
        if name not in known:
            hint = closest(name, known)
            raise ValueError(
                f"{structure.name} has no member {name!r}, but {', '.join(known)}"
                + (f"; {hint}" if hint else "")
            )

    values: list[object] = []

    for field, name in zip(structure.fields, known, strict=True):
        if isinstance(field, Data):
            values.append(_parse_bytes(value.get(name, NULL)))
        elif name in value:
            values.append(
                parse_constant(_ENUMS[name], value[name]) if name in _ENUMS else parse_number(value[name])
            )
        else:
            raise ValueError(f"{structure.name} needs {name}")

    names = [field.name for field in fields(structure.python)]
    return structure.python(**dict(zip(names, values, strict=True)))


def _parse_bytes(value: Any) -> bytes:
    found = _parse_data(value)

    if isinstance(found, FileData):
        raise ValueError("a mechanism's parameter is written in hex, or as {text: ...}")  # noqa: TRY004  # collected

    return found


MechanismArgument = Annotated[
    Any,
    PlainValidator(_parse_mechanism),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": list(Ckm.__members__)},
                {"type": SCALAR},
                {
                    "type": "object",
                    "properties": {
                        "mechanism": {"type": SCALAR},
                        "pParameter": {"type": ["object", *_OR_NULL]},
                    },
                    "required": ["mechanism"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]

_QUERIES: Final = Annotated[
    Any,
    PlainValidator(parse_queries),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": SCALAR},
                {"type": "array", "items": {"type": SCALAR}},
                {"type": "object", "additionalProperties": {"type": _OR_NULL}},
            ]
        }
    ),
]


@dataclass(frozen=True, slots=True)
class _Way:
    """How a kind of parameter is written in a step.

    Attributes:
        annotation: The type of its field.
        field: Which of the parameter's names the field has; a text is a name of its own.
        default: What is taken where the step has none; ``...`` if it has to be there.
        argument: Makes the Python function's argument of the field's value.
    """

    annotation: Callable[[Function, Parameter], Any]
    argument: Callable[[Any, Run], object] = lambda value, _: value
    field: int | str = 0
    default: Any = ...

    def name(self, parameter: Parameter) -> str:
        return self.field if isinstance(self.field, str) else parameter.names[self.field]


def _plain(annotation: Any) -> Callable[[Function, Parameter], Any]:
    return lambda _function, _parameter: annotation


def _values_field(_function: Function, parameter: Parameter) -> Any:
    return dict[SecretName, SecretText] if parameter.names[0] == "pSecrets" else dict[str, DataArgument]


def _named_values(values: dict[str, Any], run: Run) -> tuple[NamedValue, ...]:
    return tuple(
        NamedValue(str(name), value.reveal() if isinstance(value, Secret) else data_of(value, run))
        for name, value in values.items()
    )


_WAYS: Final[dict[Kind, _Way]] = {
    Kind.ULONG: _Way(lambda function, parameter: number_field(function.name, parameter.c_type)),
    Kind.BOOL: _Way(_plain(Flag)),
    Kind.DATA: _Way(_plain(DataArgument), data_of),
    Kind.PIN: _Way(_plain(_PIN)),
    Kind.LABEL: _Way(_plain(_LABEL_FIELD)),
    Kind.MECHANISM: _Way(_plain(MechanismArgument)),
    Kind.TEMPLATE: _Way(_plain(Template), lambda value, _: attributes(value), default=Template()),
    Kind.VALUES: _Way(_values_field, _named_values, default={}),
    Kind.BUFFER_OUT: _Way(_plain(_ROOM), lambda room, _: Buffer(room), "room", _ENOUGH_BYTES),
    Kind.LIST_OUT: _Way(_plain(_ROOM), lambda room, _: Buffer(room), "room", _ENOUGH_ITEMS),
    Kind.FOUND_OUT: _Way(_plain(Number), field=1, default=_MOST_FOUND),
    Kind.FILL_OUT: _Way(_plain(Number), field=1),
    Kind.QUERY: _Way(_plain(_QUERIES)),
}
"""By kind; whatever isn't here has no argument: it is NULL, or the place of a result."""


def argument_fields(function: Function) -> dict[str, Any]:
    """Return the fields of a step that calls the function, for ``create_model``."""
    ways = ((parameter, _WAYS[parameter.kind]) for parameter in function.arguments)
    return {way.name(each): (way.annotation(function, each), way.default) for each, way in ways}


def arguments_of(function: Function, step: BaseModel, run: Run) -> tuple[object, ...]:
    """Return the arguments of the Python function that a step gives."""
    ways = ((parameter, _WAYS[parameter.kind]) for parameter in function.arguments)
    return tuple(way.argument(getattr(step, way.name(each)), run) for each, way in ways)


def files_named(written: MapNode) -> Iterator[TextNode]:
    """Yield the names of the scenario's files in a step's arguments."""
    for entry in written:
        match entry.value:
            case MapNode() as inner if inner.keys() == ("file",) and isinstance(inner.get("file"), TextNode):
                yield inner.get("file")  # type: ignore[misc]  # just looked at
            case MapNode() as inner:
                yield from files_named(inner)
            case _:
                pass
