"""Any PKCS#11 library by ctypes: its functions with their arguments as C has them, and nothing added."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

from cardtwin.cryptoki.functions import BY_NAME, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cardtwin.cryptoki.functions import Function

UNAVAILABLE = ctypes.c_ulong(-1).value


class CkVersion(ctypes.Structure):
    """CK_VERSION."""

    _fields_ = (("major", ctypes.c_ubyte), ("minor", ctypes.c_ubyte))


class CkAttribute(ctypes.Structure):
    """CK_ATTRIBUTE."""

    _fields_ = (("type", ctypes.c_ulong), ("value", ctypes.c_void_p), ("length", ctypes.c_ulong))


class CkMechanism(ctypes.Structure):
    """CK_MECHANISM."""

    _fields_ = (("type", ctypes.c_ulong), ("parameter", ctypes.c_void_p), ("length", ctypes.c_ulong))


class CkInitializeArgs(ctypes.Structure):
    """CK_C_INITIALIZE_ARGS."""

    _fields_ = (
        ("create", ctypes.c_void_p),
        ("destroy", ctypes.c_void_p),
        ("lock", ctypes.c_void_p),
        ("unlock", ctypes.c_void_p),
        ("flags", ctypes.c_ulong),
        ("reserved", ctypes.c_void_p),
    )


class CkInterface(ctypes.Structure):
    """CK_INTERFACE."""

    _fields_ = (("name", ctypes.c_char_p), ("functions", ctypes.c_void_p), ("flags", ctypes.c_ulong))


class Module:
    """A library that was loaded; its functions are its attributes, and return the return value."""

    def __init__(self, path: Path) -> None:
        library = ctypes.CDLL(str(path))
        self._functions = {name: library[name] for name in (*BY_NAME, "C_GetInterfaceList", "C_GetInterface")}

        for name, entry in self._functions.items():
            entry.restype = ctypes.c_ulong

            if name in BY_NAME:
                entry.argtypes = _argument_types(BY_NAME[name])

    def __getattr__(self, name: str) -> Any:
        try:
            return self._functions[name]
        except KeyError:
            raise AttributeError(name) from None


def _argument_types(function: Function) -> list[Any]:
    types: list[Any] = []

    for parameter in function.parameters:
        match parameter.kind:
            case Kind.ULONG:
                types += [ctypes.c_ulong]
            case Kind.BOOL:
                types += [ctypes.c_ubyte]
            case Kind.DATA | Kind.PIN | Kind.TEMPLATE | Kind.VALUES | Kind.FILL_OUT | Kind.QUERY:
                types += [ctypes.c_void_p, ctypes.c_ulong]
            case Kind.BUFFER_OUT | Kind.LIST_OUT:
                types += [ctypes.c_void_p, ctypes.c_void_p]
            case Kind.FOUND_OUT:
                types += [ctypes.c_void_p, ctypes.c_ulong, ctypes.c_void_p]
            case _:
                types += [ctypes.c_void_p]

    return types


def ulong(value: int = 0) -> ctypes.c_ulong:
    """Return a CK_ULONG that functions write to."""
    return ctypes.c_ulong(value)


def ulongs(count: int) -> ctypes.Array[ctypes.c_ulong]:
    """Return an array of CK_ULONG."""
    return (ctypes.c_ulong * count)()


def room(size: int) -> ctypes.Array[ctypes.c_char]:
    """Return a buffer of that size, filled with a byte that nobody sends."""
    return ctypes.create_string_buffer(b"\xa5" * size, size)


def template(*attributes: tuple[int, bytes | None]) -> ctypes.Array[CkAttribute]:
    """Return attributes with their values; None is NULL with length 0."""
    made = (CkAttribute * len(attributes))()

    for place, (kind, value) in zip(made, attributes, strict=True):
        place.type = kind
        place.length = 0 if value is None else len(value)
        place.value = None if value is None else _kept(made, value)

    return made


def queries(*wanted: tuple[int, int | None]) -> ctypes.Array[CkAttribute]:
    """Return attributes to be filled: their types, and the room for each; None is NULL."""
    return template(*((kind, None if size is None else b"\xa5" * size) for kind, size in wanted))


def value_of(attribute: CkAttribute) -> bytes:
    """Return what was filled in."""
    return ctypes.string_at(attribute.value, attribute.length)


def mechanism(kind: int, parameter: bytes | None = None, kept: Sequence[object] = ()) -> CkMechanism:
    """Return a mechanism with the bytes of its parameter; `kept` is what these point to."""
    made = CkMechanism(kind, None, 0 if parameter is None else len(parameter))

    if parameter is not None:
        made.parameter = _kept(made, parameter)

    _kept(made, kept)
    return made


def address(data: bytes) -> tuple[ctypes.Array[ctypes.c_char], int]:
    """Return a copy of the data, and where it is."""
    buffer = ctypes.create_string_buffer(data, max(len(data), 1))
    return buffer, ctypes.addressof(buffer)


def _kept(owner: Any, value: Any) -> int:
    """Keep a copy of the value alive as long as its owner; return its address."""
    if not hasattr(owner, "kept"):
        owner.kept = []

    if not isinstance(value, bytes):
        owner.kept.append(value)
        return 0

    buffer, place = address(value)
    owner.kept.append(buffer)
    return place


def packed(*values: int) -> bytes:
    """Return CK_ULONGs one after another."""
    return b"".join(value.to_bytes(8, "little") for value in values)
