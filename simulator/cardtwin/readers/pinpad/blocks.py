"""How digits get into a command, by the three bytes that describe it (PC/SC part 10, 2.5.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from cardtwin.readers.errors import PinFormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cardtwin.pcsc import PinModification, PinVerification

__all__ = ["PinLayout"]

_BYTE: Final = 8
_NIBBLE: Final = 4
_BINARY, _BCD, _ASCII = range(3)
_UNIT_BYTES, _UNIT_BYTES_OF_LENGTH = 0x80, 0x10
_RIGHT: Final = 0x04
_ZERO: Final = ord("0")
_FILLER: Final = 0xF
_ANY_NUMBER: Final = 0xFF

_DIGITS: Final[Mapping[int, tuple[int, Callable[[int], int]]]] = {
    _BINARY: (_BYTE, lambda character: character - _ZERO),
    _BCD: (_NIBBLE, lambda character: character - _ZERO),
    _ASCII: (_BYTE, lambda character: character),
}
"""The bits of a digit in each coding, and its value."""


@dataclass(frozen=True, slots=True)
class PinLayout:
    """Where in a command's data a PIN stands, and as what. Places are bits from the block's begin.

    Attributes:
        position: Where the frame of the digits begins.
        right: Whether the digits stand at the end of their frame, and not at its begin.
        coding: Binary, BCD, or ASCII.
        size: The bytes of the frame; 0 leaves them to the command.
        length_size: The bits that hold the number of digits; 0 for none.
        length_position: Where they stand.
    """

    position: int
    right: bool
    coding: int
    size: int
    length_size: int
    length_position: int

    @classmethod
    def of(cls, wanted: PinVerification | PinModification) -> Self:
        """Return the layout that a structure describes.

        Raises:
            PinFormatError: There is no such coding.
        """
        form, block, length = wanted.format_string, wanted.pin_block_string, wanted.pin_length_format
        coding = form & 0x03

        if coding not in _DIGITS:
            raise PinFormatError("a PIN is coded binary, in BCD, or in ASCII")

        return cls(
            position=(form >> 3 & 0x0F) * (_BYTE if form & _UNIT_BYTES else 1),
            right=bool(form & _RIGHT),
            coding=coding,
            size=block & 0x0F,
            length_size=block >> 4,
            length_position=(length & 0x0F) * (_BYTE if length & _UNIT_BYTES_OF_LENGTH else 1),
        )

    def alone(self, digits: bytes) -> bytes:
        """Return data that consist of nothing but digits; BCD is filled up to whole bytes with F."""
        width, value = _DIGITS[self.coding]
        values = [value(character) for character in digits]

        if width == _NIBBLE:
            values += [_FILLER] * (len(values) % 2)
            return bytes(first << _NIBBLE | second for first, second in zip(*[iter(values)] * 2, strict=True))

        return bytes(values)

    def capacity(self, data: bytes, origin: int) -> int:
        """Return how many digits a block takes that begins at that byte of the data.

        Without data, a layout that has no block takes any number.

        Raises:
            PinFormatError: The block is not within the data.
        """
        if not data and not any((origin, self.size, self.position, self.length_size)):
            return _ANY_NUMBER

        start, end = self._frame(data, origin)
        length_end = origin * _BYTE + self.length_position + self.length_size

        if start >= end or (self.length_size and length_end > len(data) * _BYTE):
            raise PinFormatError("the block of the PIN is not within the command's data")

        return (end - start) // _DIGITS[self.coding][0]

    def put(self, data: bytes, origin: int, digits: bytes) -> bytes:
        """Return the data with digits in a block that begins at that byte; the rest stays as it is."""
        width, value = _DIGITS[self.coding]
        start, end = self._frame(data, origin)
        at = end - width * len(digits) if self.right else start

        for character in digits:
            data = _with_bits(data, at, width, value(character))
            at += width

        if self.length_size:
            data = _with_bits(data, origin * _BYTE + self.length_position, self.length_size, len(digits))

        return data

    def _frame(self, data: bytes, origin: int) -> tuple[int, int]:
        start = origin * _BYTE + self.position
        whole = len(data) * _BYTE
        return start, min(start + self.size * _BYTE, whole) if self.size else whole


def _with_bits(data: bytes, at: int, width: int, value: int) -> bytes:
    """Return data with a number in some of its bits, counted from the first byte's highest one."""
    shift = len(data) * _BYTE - at - width
    mask = ((1 << width) - 1) << shift
    number = int.from_bytes(data) & ~mask | value << shift & mask
    return number.to_bytes(len(data))
