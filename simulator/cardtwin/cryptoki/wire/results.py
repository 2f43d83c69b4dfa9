"""The results of a call, to a frame."""

from __future__ import annotations

from dataclasses import fields
from struct import Struct
from typing import TYPE_CHECKING, Final, cast

from cardtwin.cryptoki.parameters import Kind
from cardtwin.cryptoki.structures import INFO_STRUCTURES, Text, Ulong, VersionField, cut

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cardtwin.cryptoki.dispatch import Outcome
    from cardtwin.cryptoki.functions import Function
    from cardtwin.cryptoki.structures import Field, Structure
    from cardtwin.cryptoki.values import Answer, Reading

__all__ = ["encode_answer"]

_ULONG: Final = Struct("<Q")
_ANSWER: Final = Struct("<IQB")
_FRAME_LENGTH: Final = 4


def encode_answer(function: Function, outcome: Outcome) -> bytes:
    """Return the frame that answers a call, its length included."""
    if not outcome.results:
        return _ANSWER.pack(_ANSWER.size - _FRAME_LENGTH, outcome.rv, 0)

    body = b"".join(
        _ENCODERS[parameter.kind](result)
        for parameter, result in zip(function.results, outcome.results, strict=True)
    )
    return _ANSWER.pack(_ANSWER.size - _FRAME_LENGTH + len(body), outcome.rv, 1) + body


def _encode_ulong(value: object) -> bytes:
    return _ULONG.pack(value)


def _encode_structure(value: object) -> bytes:
    return _LAYOUTS[type(value)].encode(value)


class _Layout:
    """How a structure lies in a frame."""

    def __init__(self, structure: Structure) -> None:
        names = [field.name for field in fields(structure.python)]
        self._fields = tuple(zip(names, structure.fields, strict=True))
        self._struct = Struct("<" + "".join(_format(field) for field in structure.fields))

    def encode(self, value: object) -> bytes:
        """Lay an object of the structure's class out."""
        parts: list[int | bytes] = []

        for name, field in self._fields:
            part = getattr(value, name)

            if isinstance(field, Ulong):
                parts.append(part)
            elif isinstance(field, Text):
                parts.append(padded(part, field.size))
            else:
                parts += (part.major, part.minor)

        return self._struct.pack(*parts)


def _format(field: Field) -> str:
    match field:
        case Text(size=size):
            return f"{size}s"
        case VersionField():
            return "BB"
        case _:
            return "Q"


_LAYOUTS: Final = {structure.python: _Layout(structure) for structure in INFO_STRUCTURES}


def padded(text: str, size: int) -> bytes:
    """Return the text in UTF-8, cut between characters and padded with spaces to `size` bytes."""
    return cut(text, size).encode().ljust(size)


def _encode_bytes(value: object) -> bytes:
    answer = cast("Answer[bytes]", value)
    return _ULONG.pack(answer.length) + _optional(answer.content)


def _optional(content: bytes | None) -> bytes:
    return b"\x00" if content is None else b"\x01" + content


def _encode_list(value: object) -> bytes:
    answer = cast("Answer[Sequence[int]]", value)
    content = None if answer.content is None else _ulongs(answer.content)
    return _ULONG.pack(answer.length) + _optional(content)


def _ulongs(values: Sequence[int]) -> bytes:
    return b"".join(map(_ULONG.pack, values))


def _encode_found(value: object) -> bytes:
    found = cast("Sequence[int]", value)
    return _ULONG.pack(len(found)) + _ulongs(found)


def _encode_filling(value: object) -> bytes:
    filling = cast("bytes", value)
    return _ULONG.pack(len(filling)) + filling


def _encode_readings(value: object) -> bytes:
    readings = cast("Sequence[Reading]", value)
    return _ULONG.pack(len(readings)) + b"".join(
        _ULONG.pack(reading.length) + _optional(reading.value) for reading in readings
    )


_ENCODERS: Final[dict[Kind, Callable[[object], bytes]]] = {
    Kind.ULONG_OUT: _encode_ulong,
    Kind.STRUCTURE_OUT: _encode_structure,
    Kind.BUFFER_OUT: _encode_bytes,
    Kind.LIST_OUT: _encode_list,
    Kind.FOUND_OUT: _encode_found,
    Kind.FILL_OUT: _encode_filling,
    Kind.QUERY: _encode_readings,
}
