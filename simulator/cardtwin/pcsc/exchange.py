"""One command and its whole response, whatever way it takes (ISO/IEC 7816-4:2020, 5.3.4 and 5.6)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cardtwin.iso7816 import CommandApdu, ResponseApdu

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["exchange"]

_AVAILABLE, _CORRECT_LENGTH = 0x61, 0x6C


def exchange(transmit: Callable[[bytes], bytes], command: CommandApdu) -> ResponseApdu:
    """Send a command and return the response, whatever its status word is.

    61xx and 6Cxx, by which a card or a T=0 reader hands a response on in parts, are followed.

    Args:
        transmit: Sends bytes and returns the bytes that come back.
        command: The command.

    Raises:
        ApduFormatError: The command has no such form, or what came back is no response APDU.
    """
    response = _once(transmit, command)

    if response.sw >> 8 == _CORRECT_LENGTH:
        response = _once(transmit, replace(command, le=(response.sw & 0xFF) or 256))

    collected = response.data

    while response.sw >> 8 == _AVAILABLE:
        response = _once(transmit, CommandApdu(0x00, 0xC0, le=(response.sw & 0xFF) or 256))
        collected += response.data

    return ResponseApdu(collected, response.sw)


def _once(transmit: Callable[[bytes], bytes], command: CommandApdu) -> ResponseApdu:
    return ResponseApdu.parse(transmit(command.encode()))
