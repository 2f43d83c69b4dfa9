"""BER-TLV data objects (ISO/IEC 7816-4:2020, 6.3; ISO/IEC 8825-1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Tlv", "TlvFormatError"]


class TlvFormatError(ValueError):
    """Bytes are no BER-TLV data object."""


@dataclass(frozen=True, slots=True)
class Tlv:
    """One data object: a tag as the number that its bytes make (0x7F49), and a value."""

    tag: int
    value: bytes = field(default=b"", repr=False)

    @classmethod
    def constructed(cls, tag: int, children: Iterable[Tlv]) -> Tlv:
        """Return the object whose value is the children, one after the other."""
        return cls(tag, b"".join(child.encode() for child in children))

    @classmethod
    def parse(cls, data: bytes) -> Tlv:
        """Read bytes that are one object and nothing else.

        Raises:
            TlvFormatError: They are not.
        """
        found = cls.parse_all(data)

        if len(found) != 1:
            raise TlvFormatError(f"expected one data object, found {len(found)}")

        return found[0]

    @classmethod
    def parse_all(cls, data: bytes, *, padding: bool = False) -> tuple[Tlv, ...]:
        """Read objects until the end.

        Args:
            data: The bytes.
            padding: Stop at a tag byte 00 or FF, as files on cards are filled up with them.

        Raises:
            TlvFormatError: A tag or length is broken, or a value is cut off.
        """
        return tuple(found for found, _ in cls.walk(data, padding=padding))

    @classmethod
    def walk(cls, data: bytes, *, padding: bool = False) -> Iterator[tuple[Tlv, int]]:
        """Yield each object with the offset behind it; arguments and errors as in parse_all()."""
        at = 0

        while at < len(data) and not (padding and data[at] in {0x00, 0xFF}):
            tag, at = _read_tag(data, at)
            length, at = _read_length(data, at)

            if at + length > len(data):
                raise TlvFormatError(
                    f"tag {tag:X}: {length} bytes of value announced, {len(data) - at} are there"
                )

            yield cls(tag, data[at : at + length]), at + length
            at += length

    def encode(self, *, long_form: bool = False) -> bytes:
        """Return the bytes.

        Args:
            long_form: Write the length as 81 xx where one byte would do, as CardOS 5 does.
        """
        size = len(self.value)

        if size < 0x80 and not long_form:
            length = bytes((size,))
        else:
            digits = size.to_bytes(max(1, (size.bit_length() + 7) // 8))
            length = bytes((0x80 | len(digits),)) + digits

        return self.tag.to_bytes((self.tag.bit_length() + 7) // 8 or 1) + length + self.value

    @property
    def is_constructed(self) -> bool:
        """Whether bit 6 of the first tag byte says that the value is made of data objects."""
        first = self.tag.to_bytes((self.tag.bit_length() + 7) // 8 or 1)[0]
        return bool(first & 0x20)

    def children(self) -> tuple[Tlv, ...]:
        """Return the objects in the value.

        Raises:
            TlvFormatError: The value isn't made of objects.
        """
        return Tlv.parse_all(self.value)

    def find(self, tag: int) -> Tlv | None:
        """Return the first child of that tag, or None."""
        return next((child for child in self.children() if child.tag == tag), None)


def _read_tag(data: bytes, at: int) -> tuple[int, int]:
    start = at
    at += 1

    if data[start] & 0x1F == 0x1F:
        while at < len(data) and data[at] & 0x80:
            at += 1

        at += 1

    if at > len(data) or at - start > 4:
        raise TlvFormatError(f"the tag at offset {start} has no end")

    return int.from_bytes(data[start:at]), at


def _read_length(data: bytes, at: int) -> tuple[int, int]:
    if at >= len(data):
        raise TlvFormatError("the length is missing")

    first = data[at]

    if first < 0x80:
        return first, at + 1

    count = first & 0x7F
    digits = data[at + 1 : at + 1 + count]

    if not 1 <= count <= 4 or len(digits) < count:
        raise TlvFormatError(f"the length at offset {at} is broken")

    return int.from_bytes(digits), at + 1 + count
