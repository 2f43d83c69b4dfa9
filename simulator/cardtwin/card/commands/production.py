"""GET DATA of GlobalPlatform's kind: the card's production life cycle data, and an applet's version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.card.errors import Refusal
from cardtwin.iso7816 import StatusWord, Tlv

if TYPE_CHECKING:
    from cardtwin.card.chip import Chip
    from cardtwin.card.commands.form import Handler, Outcome
    from cardtwin.iso7816 import CommandApdu

__all__ = ["applet_version", "life_cycle_data"]

_LIFE_CYCLE_DATA: Final = 0x9F7F
_VERSION: Final = 0xDF30
_LENGTH: Final = 42
_BEFORE_LEVEL: Final = 8


def life_cycle_data(level: bytes) -> Handler:
    """Return the GET DATA of the production life cycle data (CPLC): ``9F7F 2A`` and 42 bytes.

    Of these the system's release level is told, and where the chip's date, number and batch stand, its serial
    number; all others are 00 (rule ``card.production-life-cycle``).

    Args:
        level: The release level, two bytes.
    """

    def handler(chip: Chip, apdu: CommandApdu) -> Outcome:
        told = bytes(_BEFORE_LEVEL) + level + chip.image.serial
        return _told(apdu, _LIFE_CYCLE_DATA, told.ljust(_LENGTH, b"\0"))

    return handler


def applet_version(text: str) -> Handler:
    """Return the GET DATA of an applet's version: ``DF30`` with a text."""

    def handler(_chip: Chip, apdu: CommandApdu) -> Outcome:
        return _told(apdu, _VERSION, text.encode("ascii"))

    return handler


def _told(apdu: CommandApdu, tag: int, value: bytes) -> Outcome:
    if apdu.data:
        raise Refusal(StatusWord.WRONG_LENGTH)

    return Tlv(tag, value).encode(), StatusWord.SUCCESS, ()
