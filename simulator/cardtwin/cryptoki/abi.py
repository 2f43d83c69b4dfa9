"""How PKCS#11 lies in memory: the two layouts that C libraries have, and the values of CK_ULONG in them.

The standard (OASIS PKCS #11 v2.40, section 2.1) leaves CK_ULONG to the platform's ``unsigned long`` and has
structures packed to one byte on Windows, of 32 and of 64 bits, and aligned as usual elsewhere.
Functions are cdecl everywhere. In Python a CK_ULONG has 8 bytes whatever the layout is.
"""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from cardtwin.cryptoki.constants import UNAVAILABLE_INFORMATION, Cka
from cardtwin.cryptoki.functions import STANDARD
from cardtwin.cryptoki.structures import (
    INFO_STRUCTURES,
    PARAMETER_STRUCTURES,
    Data,
    Text,
    VersionField,
)
from cardtwin.cryptoki.values import ULONG_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cardtwin.cryptoki.structures import Field

__all__ = ["UNIX", "WINDOWS", "Abi", "Layout", "here", "layout_of"]


@dataclass(frozen=True, slots=True)
class Abi:
    """One layout.

    Attributes:
        ulong: The type that is CK_ULONG.
        packed: Whether structures have no gaps.
    """

    ulong: type[Any]
    packed: bool

    @property
    def size(self) -> int:
        """The bytes of a CK_ULONG."""
        return ctypes.sizeof(self.ulong)

    @property
    def most(self) -> int:
        """The largest CK_ULONG, which is CK_UNAVAILABLE_INFORMATION."""
        return (1 << 8 * self.size) - 1

    def narrowed(self, value: int) -> int:
        """Return a number for C.

        Raises:
            ValueError: It doesn't fit into a CK_ULONG.
        """
        if value == UNAVAILABLE_INFORMATION:
            return self.most

        if not 0 <= value <= self.most:
            raise ValueError(f"0x{value:X} is too large for a CK_ULONG of {self.size} bytes")

        return value

    def widened(self, value: int) -> int:
        """Return a number from C."""
        return UNAVAILABLE_INFORMATION if value == self.most else value

    def attribute_for_c(self, kind: int, value: bytes) -> bytes:
        """Return an attribute's value for C; errors as narrowed().

        Bytes that are no CK_ULONGs stay as they are: they are to be seen as the mistake that they are.
        """
        if kind not in _NUMBERS or len(value) % ULONG_SIZE:
            return value

        numbers = (int.from_bytes(each, "little") for each in _parts(value, ULONG_SIZE))
        return b"".join(self.narrowed(each).to_bytes(self.size, "little") for each in numbers)

    def attribute_from_c(self, kind: int, value: bytes) -> bytes:
        """Return an attribute's value from C."""
        if kind not in _NUMBERS or len(value) % self.size:
            return value

        numbers = (int.from_bytes(each, "little") for each in _parts(value, self.size))
        return b"".join(self.widened(each).to_bytes(ULONG_SIZE, "little") for each in numbers)

    def room_for_c(self, kind: int, room: int) -> int:
        """Return how large a buffer is in C that has that size in Python."""
        return room * self.size // ULONG_SIZE if kind in _NUMBERS else room

    def room_from_c(self, kind: int, room: int) -> int:
        """Return how large a buffer is in Python that has that size in C."""
        return room * ULONG_SIZE // self.size if kind in _NUMBERS else room


def _parts(value: bytes, size: int) -> Iterator[bytes]:
    return (value[at : at + size] for at in range(0, len(value), size))


_NAMES: Final = (
    "CLASS KEY_TYPE CERTIFICATE_TYPE CERTIFICATE_CATEGORY KEY_GEN_MECHANISM MECHANISM_TYPE "
    "ALLOWED_MECHANISMS JAVA_MIDP_SECURITY_DOMAIN MODULUS_BITS PRIME_BITS SUBPRIME_BITS VALUE_BITS "
    "VALUE_LEN AUTH_PIN_FLAGS OTP_FORMAT OTP_LENGTH OTP_TIME_INTERVAL OTP_CHALLENGE_REQUIREMENT "
    "OTP_TIME_REQUIREMENT OTP_COUNTER_REQUIREMENT OTP_PIN_REQUIREMENT HW_FEATURE_TYPE PIXEL_X PIXEL_Y "
    "RESOLUTION CHAR_ROWS CHAR_COLUMNS BITS_PER_PIXEL "
)
_NUMBERS: Final = frozenset(Cka[f"CKA_{name}"] for name in _NAMES.split())
"""The attributes that are a CK_ULONG, or an array of them."""

UNIX: Final = Abi(ctypes.c_ulong, packed=False)
WINDOWS: Final = Abi(ctypes.c_uint32, packed=True)


def here() -> Abi:
    """Return the layout of the libraries of this platform."""
    return WINDOWS if sys.platform == "win32" else UNIX


class Version(ctypes.Structure):
    """CK_VERSION, which is the same in both."""

    _fields_ = (("major", ctypes.c_ubyte), ("minor", ctypes.c_ubyte))


class Layout:
    """The structures of PKCS#11 in one layout, as types of ctypes.

    Attributes:
        abi: The layout.
        structures: Those of calls, by their names in C.
    """

    def __init__(self, abi: Abi) -> None:
        ulong = abi.ulong
        pointer = ctypes.c_void_p
        self.abi = abi
        self.attribute = self._made("CK_ATTRIBUTE", type=ulong, pValue=pointer, ulValueLen=ulong)
        self.mechanism = self._made("CK_MECHANISM", mechanism=ulong, pParameter=pointer, ulParameterLen=ulong)
        self.named_value = self._made(
            "cardtwin_value", pName=pointer, ulNameLen=ulong, pValue=pointer, ulValueLen=ulong
        )
        self.initialize_args = self._made(
            "CK_C_INITIALIZE_ARGS", mutexes=pointer * 4, flags=ulong, pReserved=pointer
        )
        self.function_list = self._made(
            "CK_FUNCTION_LIST", version=Version, functions=pointer * len(STANDARD)
        )
        self.structures = {
            each.name: self._made(each.name, **dict(self._members(each.fields)))
            for each in (*INFO_STRUCTURES, *PARAMETER_STRUCTURES)
        }

    def _made(self, name: str, **members: Any) -> Any:
        """Return a structure; `_layout_` is what newer versions of Python want to be told with `_pack_`."""
        packing = {"_pack_": 1, "_layout_": "ms"} if self.abi.packed else {}
        return type(name, (ctypes.Structure,), {**packing, "_fields_": tuple(members.items())})

    def _members(self, fields: Sequence[Field]) -> Iterator[tuple[str, Any]]:
        for field in fields:
            match field:
                case Text(name, size):
                    yield name, ctypes.c_ubyte * size
                case VersionField(name):
                    yield name, Version
                case Data(pointer, length, length_first):
                    members = [(pointer, ctypes.c_void_p), (length, self.abi.ulong)]
                    yield from reversed(members) if length_first else members
                case _:
                    yield field.name, self.abi.ulong


@cache
def layout_of(abi: Abi) -> Layout:
    """Return the structures of a layout."""
    return Layout(abi)
