"""What SCardGetAttrib tells of a reader (PC/SC part 3, 3.1): what libccid and pcscd tell of USB readers."""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING, Final

from cardtwin.pcsc import Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cardtwin.pcsc import ReaderState

__all__ = ["attribute"]

_VENDOR: Final = b"cardtwin\0"
_VERSION: Final = struct.pack("=I", 0x01000000)
_SWALLOWED_AND_CONTACTS: Final = 2
_VENDORS_OWN_CHANNEL: Final = 0x00F0 << 16
_SERIAL_DIGITS: Final = 8


def _dword(number: int) -> bytes:
    return struct.pack("=I", number)


def _name(state: ReaderState, _: int) -> bytes:
    return state.name.encode() + b"\0"


def _serial_number(state: ReaderState, _: int) -> bytes:
    """Return a number that the reader always has, and no other of its machine: it follows from the name."""
    return hashlib.sha256(state.name.encode()).hexdigest()[:_SERIAL_DIGITS].upper().encode() + b"\0"


_ATTRIBUTES: Final[Mapping[int, Callable[[ReaderState, int], bytes]]] = {
    0x00010100: lambda *_: _VENDOR,  # VENDOR_NAME
    0x00010101: _name,  # VENDOR_IFD_TYPE
    0x00010102: lambda *_: _VERSION,  # VENDOR_IFD_VERSION: MMmmbbbb
    0x00010103: _serial_number,  # VENDOR_IFD_SERIAL_NO
    0x00020110: lambda *_: _dword(_VENDORS_OWN_CHANNEL),  # CHANNEL_ID: no port, no USB address
    0x00030120: lambda *_: _dword(Protocol.ANY),  # ASYNC_PROTOCOL_TYPES
    0x00080201: lambda state, _: _dword(state.protocol),  # CURRENT_PROTOCOL_TYPE
    0x00090300: lambda state, _: bytes([_SWALLOWED_AND_CONTACTS if state.present else 0]),  # ICC_PRESENCE
    0x00090301: lambda state, _: bytes([state.powered]),  # ICC_INTERFACE_STATUS
    0x00090303: lambda state, _: state.atr,  # ATR_STRING
    0x0007A007: lambda _, longest: _dword(longest),  # MAXINPUT
    0x7FFF0003: _name,  # DEVICE_FRIENDLY_NAME
    0x7FFF0004: _name,  # DEVICE_SYSTEM_NAME
}


def attribute(number: int, state: ReaderState, longest: int) -> bytes | None:
    """Return an attribute of a reader, or None if it has none of that number.

    Args:
        number: The attribute's number.
        state: The reader's state.
        longest: How many bytes the longest command has that it carries.
    """
    value = _ATTRIBUTES.get(number)
    return value(state, longest) if value else None
