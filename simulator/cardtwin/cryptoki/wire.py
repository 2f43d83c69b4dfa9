"""The frames between the C library and the server, this side's half; the other is made by native/generate.py.

All numbers are little-endian; a CK_ULONG has 8 bytes. A frame is its length (4 bytes, of what follows) and:

- the greeting, once in each connection: "cardtwin", the sum of the table (4 bytes), a number that the library
  draws at C_Initialize, the same in all its connections (8 bytes), and whether this is the first of them
  (1 byte). The answer is that of a function without results.
- a call: the function's number (2 bytes), then its parameters in order.
- an answer: the return value (8 bytes), whether results follow (1 byte), then these in order.

A pointer is preceded by a byte: 0 for NULL, 1 for what is there, 2 for what is no argument at all, such as
NULL with a length.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from struct import Struct
from typing import TYPE_CHECKING, Final, cast

from cardtwin.cryptoki.constants import ARRAY_OF_ATTRIBUTES
from cardtwin.cryptoki.errors import CryptokiError, MalformedFrameError
from cardtwin.cryptoki.functions import FUNCTIONS, Kind, sum_of_table
from cardtwin.cryptoki.structures import STRUCTURE_OF, Data, Field, Text, Version, VersionField, structure_of
from cardtwin.cryptoki.values import Answer, Attribute, Buffer, Mechanism, NamedValue, Query, Reading
from cardtwin.middleware import Ckr
from cardtwin.plan import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cardtwin.cryptoki.dispatch import Outcome
    from cardtwin.cryptoki.functions import Function
    from cardtwin.cryptoki.structures import MechanismParams, Structure

__all__ = ["LONGEST_FRAME", "Greeting", "decode_call", "encode_answer", "function_of"]

LONGEST_FRAME: Final = 1 << 28
"""Bytes that a frame has at most, either way; what is longer is refused in C with CKR_ARGUMENTS_BAD."""

_NULL, _THERE, _BAD = range(3)
_ULONG: Final = Struct("<Q")
_NUMBER: Final = Struct("<H")
_GREETING: Final = Struct("<8sIQ?")
_ANSWER: Final = Struct("<IQB")
_FRAME_LENGTH: Final = 4
_MAGIC: Final = b"cardtwin"


@dataclass(frozen=True, slots=True)
class Greeting:
    """The first frame of a connection.

    Attributes:
        instance: The same in all connections of one C_Initialize.
        control: Whether it is the first of them, which carries C_Initialize and C_Finalize and lasts as
            long as the program does.
    """

    instance: int
    control: bool

    @classmethod
    def parse(cls, body: bytes) -> Greeting:
        """Parse the frame, its length apart.

        Raises:
            MalformedFrameError: It is none, or that of a library built from another table.
        """
        if len(body) != _GREETING.size:
            raise MalformedFrameError("the first frame is no greeting")

        magic, table, instance, control = _GREETING.unpack(body)

        if magic != _MAGIC:
            raise MalformedFrameError("the first frame is no greeting")

        if table != sum_of_table():
            raise MalformedFrameError("the library was built by another version of cardtwin; build it anew")

        return cls(instance, control)


def function_of(body: bytes) -> Function:
    """Return the function that a call's frame names.

    Raises:
        MalformedFrameError: It names none that is carried.
    """
    if len(body) < _NUMBER.size:
        raise MalformedFrameError("a call without a function")

    number = _NUMBER.unpack_from(body)[0]

    if number >= len(FUNCTIONS) or not FUNCTIONS[number].carried:
        raise MalformedFrameError(f"there is no function {number}")

    return FUNCTIONS[number]


def decode_call(function: Function, body: bytes) -> tuple[object, ...]:
    """Return the arguments for the Python function.

    Raises:
        MalformedFrameError: The frame's bytes are not those of this function's parameters.
        CryptokiError: CKR_ARGUMENTS_BAD for a NULL where something is needed; the return values of
            attributes that cannot be carried.
    """
    reader = _Reader(body, _NUMBER.size)
    arguments: list[object] = []

    for parameter in function.parameters:
        decode = _DECODERS[parameter.kind]

        if decode is None:
            continue

        value = decode(reader)

        if parameter.is_argument:
            arguments.append(value)

    reader.end()
    return tuple(arguments)


class _Reader:
    """Reads a frame's values one after another."""

    __slots__ = ("_body", "_offset")

    def __init__(self, body: bytes, offset: int) -> None:
        self._body = body
        self._offset = offset

    def byte(self) -> int:
        """Read one byte."""
        return self.take(1)[0]

    def ulong(self) -> int:
        """Read a CK_ULONG."""
        value: int = _ULONG.unpack(self.take(8))[0]
        return value

    def take(self, length: int) -> bytes:
        """Read so many bytes."""
        end = self._offset + length
        found = self._body[self._offset : end]

        if len(found) != length:
            raise MalformedFrameError("a frame ends too early")

        self._offset = end
        return found

    def there(self) -> bool:
        """Read whether a pointer is there; what is no argument at all is refused."""
        tag = self.byte()

        if tag > _BAD:
            raise MalformedFrameError(f"a pointer is marked {tag}")

        if tag == _BAD:
            raise CryptokiError(Ckr.CKR_ARGUMENTS_BAD, "a length, and NULL in place of the data")

        return tag == _THERE

    def needed(self) -> None:
        """Read a pointer that may not be NULL."""
        if not self.there():
            raise CryptokiError(Ckr.CKR_ARGUMENTS_BAD, "NULL where something is needed")

    def data(self) -> bytes | None:
        """Read bytes with their length, or NULL."""
        return self.take(self.ulong()) if self.there() else None

    def end(self) -> None:
        """See that nothing is left."""
        if self._offset != len(self._body):
            raise MalformedFrameError("a frame has more bytes than the function has parameters")


def _pin(reader: _Reader) -> Secret | None:
    value = reader.data()
    return None if value is None else Secret(value)


def _label(reader: _Reader) -> bytes:
    value = reader.data()

    if value is None:
        raise CryptokiError(Ckr.CKR_ARGUMENTS_BAD, "NULL in place of the label")

    return value


def _reserved(reader: _Reader) -> None:
    if reader.there():
        raise CryptokiError(Ckr.CKR_ARGUMENTS_BAD, "the reserved pointer is not NULL")


def _room(reader: _Reader) -> Buffer[bytes]:
    return Buffer(reader.ulong() if reader.there() else None)


def _count(reader: _Reader) -> int:
    """Read how much is wanted of what may not be NULL."""
    reader.needed()
    return reader.ulong()


def _length(reader: _Reader) -> int:
    """Read how many elements an array has; NULL with none is as good."""
    return reader.ulong() if reader.there() else 0


def _mechanism(reader: _Reader) -> Mechanism:
    reader.needed()
    kind = reader.ulong()

    try:
        return Mechanism(kind, _parameter(reader, kind))
    except CryptokiError as error:
        raise CryptokiError(Ckr.CKR_MECHANISM_PARAM_INVALID, error.message) from None


def _parameter(reader: _Reader, kind: int) -> MechanismParams | bytes:
    if not reader.byte():
        return reader.data() or b""

    structure = structure_of(kind)

    if structure is None:
        raise MalformedFrameError(f"mechanism 0x{kind:X} has no structure")

    return _structured(reader, structure)


def _structured(reader: _Reader, structure: Structure) -> MechanismParams:
    values = [
        (reader.data() or b"") if isinstance(field, Data) else reader.ulong() for field in structure.fields
    ]
    names = [field.name for field in fields(structure.python)]
    return cast("MechanismParams", structure.python(**dict(zip(names, values, strict=True))))


def _template(reader: _Reader) -> tuple[Attribute, ...]:
    return tuple(_attribute(reader) for _ in range(_length(reader)))


def _attribute(reader: _Reader) -> Attribute:
    kind = reader.ulong()

    if kind in ARRAY_OF_ATTRIBUTES:
        raise CryptokiError(Ckr.CKR_ATTRIBUTE_TYPE_INVALID, "templates in templates are not for cards")

    return Attribute(kind, reader.data() or b"")


def _query(reader: _Reader) -> tuple[Query, ...]:
    return tuple(
        Query(reader.ulong(), reader.ulong() if reader.there() else None) for _ in range(_length(reader))
    )


def _values(reader: _Reader) -> tuple[NamedValue, ...]:
    return tuple(_named_value(reader) for _ in range(_length(reader)))


def _named_value(reader: _Reader) -> NamedValue:
    name = reader.data()

    if name is None:
        raise CryptokiError(Ckr.CKR_ARGUMENTS_BAD, "a value without a name")

    try:
        text = name.decode()
    except UnicodeDecodeError:
        raise CryptokiError(Ckr.CKR_ARGUMENTS_BAD, "the name of a value is not UTF-8") from None

    return NamedValue(text, reader.data() or b"")


_DECODERS: Final[dict[Kind, Callable[[_Reader], object] | None]] = {
    Kind.ULONG: _Reader.ulong,
    Kind.BOOL: lambda reader: reader.byte() != 0,
    Kind.DATA: lambda reader: reader.data() or b"",
    Kind.PIN: _pin,
    Kind.LABEL: _label,
    Kind.MECHANISM: _mechanism,
    Kind.TEMPLATE: _template,
    Kind.VALUES: _values,
    Kind.RESERVED: _reserved,
    Kind.IGNORED: None,
    Kind.ULONG_OUT: _Reader.needed,
    Kind.STRUCTURE_OUT: _Reader.needed,
    Kind.BUFFER_OUT: _room,
    Kind.LIST_OUT: _room,
    Kind.FOUND_OUT: _count,
    Kind.FILL_OUT: _count,
    Kind.QUERY: _query,
}


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
    structure = STRUCTURE_OF[type(value)]
    names = [field.name for field in fields(structure.python)]
    return b"".join(
        _encode_field(field, getattr(value, name))
        for field, name in zip(structure.fields, names, strict=True)
    )


def _encode_field(field: Field, value: object) -> bytes:
    match field, value:
        case Text(size=size), str():
            return padded(value, size)
        case VersionField(), Version():
            return bytes((value.major, value.minor))
        case _:
            return _ULONG.pack(value)


def padded(text: str, size: int) -> bytes:
    """Return the text in UTF-8, cut between characters and padded with spaces to `size` bytes."""
    cut = text.encode()[:size].decode(errors="ignore")
    return cut.encode().ljust(size)


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
