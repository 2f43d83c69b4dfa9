"""What SCardGetAttrib tells of a reader (PC/SC part 3, 3.1)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cardtwin.pcsc import ReaderState

__all__ = ["attribute"]

_VENDOR: Final = b"cardtwin\0"
_VERSION: Final = struct.pack("=I", 0x01000000)
_SWALLOWED_AND_CONTACTS: Final = 2


def _name(state: ReaderState) -> bytes:
    return state.name.encode() + b"\0"


_ATTRIBUTES: Final[Mapping[int, Callable[[ReaderState], bytes]]] = {
    0x00010100: lambda _: _VENDOR,  # VENDOR_NAME
    0x00010101: _name,  # VENDOR_IFD_TYPE
    0x00010102: lambda _: _VERSION,  # VENDOR_IFD_VERSION: MMmmbbbb
    0x00080201: lambda state: struct.pack("=I", state.protocol),  # CURRENT_PROTOCOL_TYPE
    0x00090300: lambda state: bytes([_SWALLOWED_AND_CONTACTS if state.present else 0]),  # ICC_PRESENCE
    0x00090301: lambda state: bytes([state.powered]),  # ICC_INTERFACE_STATUS
    0x00090303: lambda state: state.atr,  # ATR_STRING
    0x7FFF0003: _name,  # DEVICE_FRIENDLY_NAME
    0x7FFF0004: _name,  # DEVICE_SYSTEM_NAME
}


def attribute(number: int, state: ReaderState) -> bytes | None:
    """Return an attribute of a reader in that state, or None if it has none of that number."""
    value = _ATTRIBUTES.get(number)
    return value(state) if value else None
