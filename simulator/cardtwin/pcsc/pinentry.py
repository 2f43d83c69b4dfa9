"""What PC/SC part 10 (v2.02.09) says of PIN entry at a reader, as syntax: features, and two structures.

Numbers in the structures are in the machine's own byte order, as pcsc-lite's drivers have it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Final, Self

__all__ = ["Confirmation", "EntryValidation", "Feature", "PinModification", "PinVerification"]


class Feature(IntEnum):
    """Features of a reader, by their tags (part 10, 2.2), as far as they are used here."""

    VERIFY_PIN_DIRECT = 0x06
    MODIFY_PIN_DIRECT = 0x07
    IFD_PIN_PROPERTIES = 0x0A
    GET_TLV_PROPERTIES = 0x12


class EntryValidation(IntFlag):
    """What ends the entry of a PIN (bEntryValidationCondition)."""

    MAX_SIZE_REACHED = 0x01
    VALIDATION_KEY = 0x02
    TIMEOUT = 0x04


class Confirmation(IntFlag):
    """What is asked for beside a new PIN (bConfirmPIN)."""

    NEW_PIN_AGAIN = 0x01
    CURRENT_PIN = 0x02


_VERIFY: Final = struct.Struct("=BBBBBHBBHB3sI")
_MODIFY: Final = struct.Struct("=BBBBBBBHBBBHBBB3sI")
_NO_PROLOGUE: Final = bytes(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class PinVerification:
    """PIN_VERIFY_STRUCTURE (2.5.2).

    Attributes:
        timeout: Seconds for the entry (bTimerOut); 0 leaves them to the reader.
        timeout_after_key: Seconds after the first key (bTimerOut2).
        format_string: Where the digits stand, and as what (bmFormatString).
        pin_block_string: How long the block is, and the number of digits in it (bmPINBlockString).
        pin_length_format: Where the number of digits stands (bmPINLengthFormat).
        min_digits: The fewest digits (high byte of wPINMaxExtraDigit).
        max_digits: The most digits (low byte of it).
        validation: What ends the entry (bEntryValidationCondition).
        number_message: How many messages are shown (bNumberMessage).
        language: Their language (wLangId).
        message: The message (bMsgIndex).
        teo_prologue: The prologue of a T=1 block (bTeoPrologue).
        command: The command that the PIN is put into (abData); another secret may be in it.
    """

    timeout: int = 0
    timeout_after_key: int = 0
    format_string: int
    pin_block_string: int = 0
    pin_length_format: int = 0
    min_digits: int
    max_digits: int
    validation: int = EntryValidation.VALIDATION_KEY
    number_message: int = 0
    language: int = 0
    message: int = 0
    teo_prologue: bytes = _NO_PROLOGUE
    command: bytes = field(repr=False)

    def encode(self) -> bytes:
        """Return it as bytes."""
        head = _VERIFY.pack(
            self.timeout,
            self.timeout_after_key,
            self.format_string,
            self.pin_block_string,
            self.pin_length_format,
            self.min_digits << 8 | self.max_digits,
            self.validation,
            self.number_message,
            self.language,
            self.message,
            self.teo_prologue,
            len(self.command),
        )
        return head + self.command

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return what bytes say.

        Raises:
            ValueError: They are no such structure.
        """
        command = _command(data, _VERIFY)
        values = _VERIFY.unpack_from(data)
        return cls(
            timeout=values[0],
            timeout_after_key=values[1],
            format_string=values[2],
            pin_block_string=values[3],
            pin_length_format=values[4],
            min_digits=values[5] >> 8,
            max_digits=values[5] & 0xFF,
            validation=values[6],
            number_message=values[7],
            language=values[8],
            message=values[9],
            teo_prologue=values[10],
            command=command,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PinModification:
    """PIN_MODIFY_STRUCTURE (2.5.3). What is called as in :class:`PinVerification` is the same.

    Attributes:
        insertion_offset_old: Where the current PIN's block begins, in bytes (bInsertionOffsetOld).
        insertion_offset_new: Where that of the new one begins (bInsertionOffsetNew).
        confirmation: What is asked for beside the new PIN (bConfirmPIN).
        messages: The messages, one for each thing that is asked for (bMsgIndex1 to bMsgIndex3).
    """

    timeout: int = 0
    timeout_after_key: int = 0
    format_string: int
    pin_block_string: int = 0
    pin_length_format: int = 0
    insertion_offset_old: int = 0
    insertion_offset_new: int = 0
    min_digits: int
    max_digits: int
    confirmation: int
    validation: int = EntryValidation.VALIDATION_KEY
    number_message: int = 0
    language: int = 0
    messages: tuple[int, int, int] = (0, 1, 2)
    teo_prologue: bytes = _NO_PROLOGUE
    command: bytes = field(repr=False)

    def encode(self) -> bytes:
        """Return it as bytes."""
        head = _MODIFY.pack(
            self.timeout,
            self.timeout_after_key,
            self.format_string,
            self.pin_block_string,
            self.pin_length_format,
            self.insertion_offset_old,
            self.insertion_offset_new,
            self.min_digits << 8 | self.max_digits,
            self.confirmation,
            self.validation,
            self.number_message,
            self.language,
            *self.messages,
            self.teo_prologue,
            len(self.command),
        )
        return head + self.command

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return what bytes say.

        Raises:
            ValueError: They are no such structure.
        """
        command = _command(data, _MODIFY)
        values = _MODIFY.unpack_from(data)
        return cls(
            timeout=values[0],
            timeout_after_key=values[1],
            format_string=values[2],
            pin_block_string=values[3],
            pin_length_format=values[4],
            insertion_offset_old=values[5],
            insertion_offset_new=values[6],
            min_digits=values[7] >> 8,
            max_digits=values[7] & 0xFF,
            confirmation=values[8],
            validation=values[9],
            number_message=values[10],
            language=values[11],
            messages=(values[12], values[13], values[14]),
            teo_prologue=values[15],
            command=command,
        )


def _command(data: bytes, layout: struct.Struct) -> bytes:
    """Return the command at the end of a structure."""
    if len(data) < layout.size:
        raise ValueError(f"a PIN structure has {layout.size} bytes and a command, here are {len(data)} bytes")

    length = int(layout.unpack_from(data)[-1])
    command = data[layout.size :]

    if length != len(command):
        raise ValueError(f"the command is to have {length} bytes, and there are {len(command)}")

    return command
