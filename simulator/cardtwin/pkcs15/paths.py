"""Paths of ISO/IEC 7816-15, 7.3: a file, or a piece of one."""

from __future__ import annotations

from dataclasses import dataclass

from cardtwin.pkcs15.errors import Pkcs15Error

__all__ = ["Path"]


@dataclass(frozen=True, slots=True)
class Path:
    """A file, or a piece of a transparent EF.

    Attributes:
        value: File identifiers, 2 bytes each, or an AID or file identifier as the standard allows.
        index: Where the piece begins in the file; None means the whole file.
        length: How many bytes the piece has.
    """

    value: bytes
    index: int | None = None
    length: int | None = None

    @classmethod
    def of(cls, *file_ids: int, index: int | None = None, length: int | None = None) -> Path:
        """Return the path of these file identifiers, such as ``Path.of(0x3F00, 0x5015, 0x4401)``."""
        return cls(b"".join(file_id.to_bytes(2) for file_id in file_ids), index, length)

    @property
    def file_ids(self) -> tuple[int, ...]:
        """The file identifiers.

        Raises:
            Pkcs15Error: An odd number of bytes is none.
        """
        if len(self.value) % 2:
            raise Pkcs15Error(f"the path {self.value.hex().upper()} is not made of file identifiers")

        return tuple(int.from_bytes(self.value[at : at + 2]) for at in range(0, len(self.value), 2))

    def piece(self, content: bytes) -> bytes:
        """Return the part of the file's content that the path means; a length of 0 means all of it."""
        if self.index is None or not self.length:
            return content

        return content[self.index : self.index + self.length]

    def __str__(self) -> str:
        digits = self.value.hex().upper()
        text = "/".join(digits[at : at + 4] for at in range(0, len(digits), 4))
        return text if self.index is None else f"{text}[{self.index}:+{self.length}]"
