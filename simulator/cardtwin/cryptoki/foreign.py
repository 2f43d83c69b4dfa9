"""Any PKCS#11 library, called as the functions of this package are: the same values in, the same values out.

So what calls functions by their names in C, such as a step of a scenario, runs in this process and above a
foreign library alike. The layout of C comes from the table of functions.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, cast

from cardtwin.cryptoki.abi import here, layout_of
from cardtwin.cryptoki.constants import UNAVAILABLE_INFORMATION, InitializeFlag, name_of
from cardtwin.cryptoki.errors import LibraryMissingError
from cardtwin.cryptoki.functions import BY_NAME, STANDARD
from cardtwin.cryptoki.parameters import Kind
from cardtwin.cryptoki.structures import (
    PARAMETER_STRUCTURES,
    Data,
    Text,
    Ulong,
    Version,
    VersionField,
)
from cardtwin.cryptoki.values import Answer, Reading
from cardtwin.middleware import Ckr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from cardtwin.cryptoki.abi import Abi, Layout
    from cardtwin.cryptoki.functions import Function
    from cardtwin.cryptoki.structures import Field, MechanismParams, Structure
    from cardtwin.cryptoki.values import Attribute, Buffer, Mechanism, NamedValue, Query
    from cardtwin.plan import Secret

__all__ = ["ForeignModule", "Returned"]

_READABLE: Final = {
    Ckr.CKR_OK,
    Ckr.CKR_BUFFER_TOO_SMALL,
    Ckr.CKR_ATTRIBUTE_SENSITIVE,
    Ckr.CKR_ATTRIBUTE_TYPE_INVALID,
}
"""The return values with which something is written for the caller."""


@dataclass(frozen=True, slots=True)
class Returned:
    """What a function of a library returned.

    Attributes:
        rv: The return value; it may be the vendor's own.
        results: One for each parameter that gets something; none where nothing is written.
    """

    rv: int
    results: tuple[object, ...] = ()

    @property
    def name(self) -> str:
        """The return value's name in the standard, or its hex digits."""
        return name_of(Ckr, self.rv)


class ForeignModule:
    """A library, loaded into this process by its path.

    A library has one state in a process: two of these with one path share it. Calls let other threads run.

    Args:
        path: The library.
        abi: How it lays structures out; None takes the platform's way.

    Raises:
        LibraryMissingError: There is no library, it doesn't load, or it is none of PKCS#11.
    """

    def __init__(self, path: Path, abi: Abi | None = None) -> None:
        self._layout = layout_of(abi or here())

        try:
            self._library = ctypes.CDLL(str(path))
            get_list = self._library.C_GetFunctionList
        except (OSError, AttributeError) as error:
            raise LibraryMissingError(f"{path} is no PKCS#11 library: {error}") from None

        get_list.restype = self._layout.abi.ulong
        place = ctypes.POINTER(self._layout.function_list)()

        if rv := get_list(ctypes.byref(place)):
            raise LibraryMissingError(f"{path}: C_GetFunctionList returned {name_of(Ckr, rv)}")

        if not place:
            raise LibraryMissingError(f"{path}: C_GetFunctionList returned CKR_OK and no list")

        self._entries = dict(zip((each.name for each in STANDARD), place.contents.functions, strict=True))

    def initialize(self) -> Returned:
        """Call C_Initialize, for several threads with the system's locks."""
        arguments = self._layout.initialize_args(flags=InitializeFlag.CKF_OS_LOCKING_OK)
        return self._general("C_Initialize", ctypes.addressof(arguments))

    def finalize(self) -> Returned:
        """Call C_Finalize."""
        return self._general("C_Finalize", None)

    def _general(self, name: str, argument: int | None) -> Returned:
        entry = self._entry(name, (ctypes.c_void_p,))
        return Returned(Ckr.CKR_FUNCTION_NOT_SUPPORTED if entry is None else entry(argument))

    def call(self, name: str, arguments: Sequence[object]) -> Returned:
        """Call a function with the arguments that its Python function takes.

        A function that the library's list leaves out is CKR_FUNCTION_NOT_SUPPORTED.
        """
        call = _Call(BY_NAME[name], arguments, self._layout)
        entry = self._entry(name, tuple(type(each) for each in call.passed))

        if entry is None:
            return Returned(Ckr.CKR_FUNCTION_NOT_SUPPORTED)

        rv = entry(*call.passed)
        return Returned(rv, tuple(read(rv) for read in call.reads) if rv in _READABLE else ())

    def _entry(self, name: str, types: tuple[Any, ...]) -> Callable[..., int] | None:
        """Return a function of the list, or one of ours that is exported; None if it isn't there."""
        entry = self._entries[name] if name in self._entries else self._exported(name)

        if entry is None:
            return None

        return cast("Callable[..., int]", ctypes.CFUNCTYPE(self._layout.abi.ulong, *types)(entry))

    def _exported(self, name: str) -> int | None:
        try:
            return ctypes.cast(self._library[name], ctypes.c_void_p).value
        except AttributeError:
            return None


class _Call:
    """The parameters of one call in C, what they point to, and how the results are read afterwards."""

    def __init__(self, function: Function, arguments: Sequence[object], layout: Layout) -> None:
        self.layout = layout
        self.abi = layout.abi
        self.passed: list[Any] = []
        self.reads: list[Callable[[int], object]] = []
        self._kept: list[object] = []
        rest = iter(arguments)

        for parameter in function.parameters:
            value = next(rest) if parameter.is_argument else parameter.structure
            _PASS[parameter.kind](self, value)

    def point(self, target: Any) -> None:
        """Pass a pointer to something, or NULL."""
        self.passed.append(ctypes.c_void_p(None if target is None else self.address(target)))

    def length(self, value: int) -> None:
        """Pass a CK_ULONG."""
        self.passed.append(self.abi.ulong(self.abi.narrowed(value)))

    def address(self, target: Any) -> int:
        """Keep something for as long as the call lasts, and return where it is."""
        self._kept.append(target)
        return ctypes.addressof(target)

    def pointer_to(self, data: bytes) -> int:
        """Return where a copy of the data is; one of no bytes is somewhere, too."""
        return self.address(ctypes.create_string_buffer(data, max(len(data), 1)))

    def data(self, data: bytes | None) -> None:
        """Pass bytes and their length."""
        self.passed.append(ctypes.c_void_p(None if data is None else self.pointer_to(data)))
        self.length(len(data or b""))

    def pin(self, pin: Secret | None) -> None:
        """Pass a PIN, or NULL."""
        self.data(None if pin is None else pin.reveal())

    def label(self, label: bytes) -> None:
        """Pass 32 bytes."""
        self.passed.append(ctypes.c_void_p(self.pointer_to(label.ljust(32))))

    def mechanism(self, mechanism: Mechanism) -> None:
        """Pass a mechanism, with its parameter."""
        parameter = mechanism.parameter

        if isinstance(parameter, bytes):
            size = len(parameter)
            place = self.pointer_to(parameter) if parameter else None
        else:
            laid_out = self._laid_out(parameter)
            size, place = ctypes.sizeof(laid_out), self.address(laid_out)

        self.point(self.layout.mechanism(self.abi.narrowed(mechanism.type), place, size))

    def _laid_out(self, parameter: MechanismParams) -> Any:
        structure = next(each for each in PARAMETER_STRUCTURES if each.python is type(parameter))
        made = self.layout.structures[structure.name]()

        for field, python in zip(structure.fields, fields(parameter), strict=True):
            value = getattr(parameter, python.name)

            if isinstance(field, Data):
                setattr(made, field.pointer, self.pointer_to(value))
                setattr(made, field.length, len(value))
            else:
                setattr(made, field.name, self.abi.narrowed(value))

        return made

    def template(self, template: Sequence[Attribute]) -> None:
        """Pass attributes."""
        abi, make = self.abi, self.layout.attribute
        rows = [
            make(abi.narrowed(each.type), self.pointer_to(value), len(value))
            for each in template
            for value in (abi.attribute_for_c(each.type, each.value),)
        ]
        self.point((make * len(rows))(*rows))
        self.length(len(rows))

    def values(self, values: Sequence[NamedValue]) -> None:
        """Pass names and values."""
        make = self.layout.named_value
        rows = [
            make(self.pointer_to(name), len(name), self.pointer_to(each.value), len(each.value))
            for each in values
            for name in (each.name.encode(),)
        ]
        self.point((make * len(rows))(*rows))
        self.length(len(rows))

    def ulong_out(self) -> None:
        """Pass the place of a CK_ULONG."""
        target = self.abi.ulong()
        self.point(target)
        self.reads.append(lambda _: self.abi.widened(target.value))

    def structure_out(self, structure: Structure) -> None:
        """Pass the place of a structure."""
        target = self.layout.structures[structure.name]()
        self.point(target)
        self.reads.append(lambda _: _python(structure, target, self.abi))

    def buffer_out(self, buffer: Buffer[bytes]) -> None:
        """Pass a buffer of bytes, or NULL, and the place of its length."""
        capacity = buffer.capacity
        self._room(
            None if capacity is None else ctypes.create_string_buffer(max(capacity, 1)), capacity, _bytes
        )

    def list_out(self, buffer: Buffer[Sequence[int]]) -> None:
        """Pass an array, or NULL, and the place of its count."""
        capacity = buffer.capacity
        self._room(None if capacity is None else (self.abi.ulong * max(capacity, 1))(), capacity, tuple)

    def _room(self, room: Any, capacity: int | None, convert: Callable[[Any], Any]) -> None:
        count = self.abi.ulong(capacity or 0)
        self.point(room)
        self.point(count)

        def read(rv: int) -> Answer[Any]:
            filled = rv == Ckr.CKR_OK and room is not None
            return Answer(
                self.abi.widened(count.value), convert(room[: count.value]) if filled else None, Ckr(rv)
            )

        self.reads.append(read)

    def found_out(self, most: int) -> None:
        """Pass an array, its size, and the place of the count."""
        room, count = (self.abi.ulong * max(most, 1))(), self.abi.ulong()
        self.point(room)
        self.length(most)
        self.point(count)
        self.reads.append(lambda _: tuple(room[: count.value]))

    def fill_out(self, length: int) -> None:
        """Pass a buffer that is filled."""
        room = ctypes.create_string_buffer(max(length, 1))
        self.point(room)
        self.length(length)
        self.reads.append(lambda _: room.raw[:length])

    def query(self, queries: Sequence[Query]) -> None:
        """Pass attributes that are filled in."""
        make = self.layout.attribute
        asked = (make * len(queries))(*(self._asked(each) for each in queries))
        self.point(asked)
        self.length(len(queries))
        rooms = [each.ulValueLen for each in asked]
        self.reads.append(lambda rv: [self._reading(*each, rv) for each in zip(asked, rooms, strict=True)])

    def _asked(self, query: Query) -> Any:
        kind = self.abi.narrowed(query.type)

        if query.capacity is None:
            return self.layout.attribute(kind, None, 0)

        room = self.abi.room_for_c(kind, query.capacity)
        return self.layout.attribute(kind, self.pointer_to(bytes(room)), room)

    def _reading(self, attribute: Any, room: int, rv: int) -> Reading:
        """Return what became of an attribute; libraries may tell a length for which there was no room."""
        kind, length = attribute.type, attribute.ulValueLen

        if length == self.abi.most:
            return Reading(UNAVAILABLE_INFORMATION, None, Ckr(rv))

        if attribute.pValue is not None and length > room:
            return Reading(self.abi.room_from_c(kind, length), None, Ckr(rv or Ckr.CKR_BUFFER_TOO_SMALL))

        found = None if attribute.pValue is None else ctypes.string_at(attribute.pValue, length)
        value = None if found is None else self.abi.attribute_from_c(kind, found)
        return Reading(self.abi.room_from_c(kind, length), value)


def _bytes(data: bytes) -> bytes:
    return data


def _python(structure: Structure, made: ctypes.Structure, abi: Abi) -> object:
    names = [field.name for field in fields(structure.python)]
    values = [_value(field, made, abi) for field in structure.fields]
    return structure.python(**dict(zip(names, values, strict=True)))


def _value(field: Field, made: Any, abi: Abi) -> object:
    match field:
        case Text(name):
            return bytes(getattr(made, name)).decode(errors="replace").rstrip(" ")
        case VersionField(name):
            version = getattr(made, name)
            return Version(version.major, version.minor)
        case _:
            return abi.widened(getattr(made, cast("Ulong", field).name))


_PASS: Final[dict[Kind, Callable[[_Call, Any], None]]] = {
    Kind.ULONG: _Call.length,
    Kind.BOOL: lambda call, value: call.passed.append(ctypes.c_ubyte(value)),
    Kind.DATA: _Call.data,
    Kind.PIN: _Call.pin,
    Kind.LABEL: _Call.label,
    Kind.MECHANISM: _Call.mechanism,
    Kind.TEMPLATE: _Call.template,
    Kind.VALUES: _Call.values,
    Kind.RESERVED: lambda call, _: call.point(None),
    Kind.IGNORED: lambda call, _: call.point(None),
    Kind.ULONG_OUT: lambda call, _: call.ulong_out(),
    Kind.STRUCTURE_OUT: _Call.structure_out,
    Kind.BUFFER_OUT: _Call.buffer_out,
    Kind.LIST_OUT: _Call.list_out,
    Kind.FOUND_OUT: _Call.found_out,
    Kind.FILL_OUT: _Call.fill_out,
    Kind.QUERY: _Call.query,
}
