"""What SCardControl tells of a reader: its features, and its properties (PC/SC part 10, 2.2 and 2.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.iso7816 import Tlv

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cardtwin.pcsc import CardConnection

__all__ = ["control"]

_CONTROL_CODES: Final = 0x42000000
_GET_FEATURE_REQUEST: Final = _CONTROL_CODES + 3400
_OUR_PROPERTIES: Final = _CONTROL_CODES + 3500
_GET_TLV_PROPERTIES: Final = 0x12
_LCD_LAYOUT, _MAX_APDU_DATA_SIZE = 0x01, 0x0A
_SHORT: Final = 255


def _features(_connection: CardConnection) -> bytes:
    return Tlv(_GET_TLV_PROPERTIES, _OUR_PROPERTIES.to_bytes(4)).encode()


def _properties(connection: CardConnection) -> bytes:
    longest = 0x100 if connection.max_command_data <= _SHORT else connection.max_command_data + 1
    display = Tlv(_LCD_LAYOUT, bytes(2))
    return display.encode() + Tlv(_MAX_APDU_DATA_SIZE, longest.to_bytes(4, "little")).encode()


_ANSWERS: Final[Mapping[int, Callable[[CardConnection], bytes]]] = {
    _GET_FEATURE_REQUEST: _features,
    _OUR_PROPERTIES: _properties,
}


def control(code: int, connection: CardConnection) -> bytes | None:
    """Return what a reader answers to a control code; None to one that it doesn't know.

    There is one feature, the properties: no display, no PIN pad, and how long commands may be.
    """
    answer = _ANSWERS.get(code)
    return None if answer is None else answer(connection)
