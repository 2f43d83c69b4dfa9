"""The arguments of a call, from a frame."""

from __future__ import annotations

from dataclasses import fields
from struct import Struct
from typing import TYPE_CHECKING, Final, cast

from cardtwin.cryptoki.constants import ARRAY_OF_ATTRIBUTES
from cardtwin.cryptoki.errors import CryptokiError, MalformedFrameError
from cardtwin.cryptoki.functions import FUNCTIONS
from cardtwin.cryptoki.parameters import Kind
from cardtwin.cryptoki.structures import Data, structure_of
from cardtwin.cryptoki.values import Attribute, Buffer, Mechanism, NamedValue, Query
from cardtwin.cryptoki.wire.frames import NUMBER
from cardtwin.middleware import Ckr
from cardtwin.plan import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.cryptoki.functions import Function
    from cardtwin.cryptoki.structures import MechanismParams, Structure

__all__ = ["decode_call"]

_NULL, _THERE, _BAD = range(3)
_ULONG: Final = Struct("<Q")


def decode_call(function: Function, body: bytes) -> tuple[object, ...]:
    """Return the arguments for the Python function.

    Raises:
        MalformedFrameError: The frame's bytes are not those of this function's parameters.
        CryptokiError: CKR_ARGUMENTS_BAD for a NULL where something is needed; the return values of
            attributes that cannot be carried.
    """
    reader = _Reader(body, NUMBER.size)
    arguments: list[object] = []

    for decode, is_argument in _PLANS[function.name]:
        value = decode(reader)

        if is_argument:
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


_DECODERS: Final[dict[Kind, Callable[[_Reader], object]]] = {
    Kind.ULONG: _Reader.ulong,
    Kind.BOOL: lambda reader: reader.byte() != 0,
    Kind.DATA: lambda reader: reader.data() or b"",
    Kind.PIN: _pin,
    Kind.LABEL: _label,
    Kind.MECHANISM: _mechanism,
    Kind.TEMPLATE: _template,
    Kind.VALUES: _values,
    Kind.RESERVED: _reserved,
    Kind.ULONG_OUT: _Reader.needed,
    Kind.STRUCTURE_OUT: _Reader.needed,
    Kind.BUFFER_OUT: _room,
    Kind.LIST_OUT: _room,
    Kind.FOUND_OUT: _count,
    Kind.FILL_OUT: _count,
    Kind.QUERY: _query,
}

_PLANS: Final = {
    function.name: tuple(
        (_DECODERS[each.kind], each.is_argument) for each in function.parameters if each.kind in _DECODERS
    )
    for function in FUNCTIONS
}
"""How each function's parameters are read, and whether they are arguments."""
