"""Files: DFs and EFs as values, and the paths that lead to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MF", "SHAREABLE", "Df", "Ef", "File", "FileKind", "climb", "parent", "path_text"]

MF = b"\x3f\x00"
"""The path of the master file. A path is the file identifiers from the MF on, two bytes each."""

SHAREABLE = 0x40
"""The bit of a file descriptor byte that says nothing of the kind."""

_FILE_HEADER = 32
_RECORD_HEADER = 2


class FileKind(IntEnum):
    """The kinds of EF, by the lower bits of the file descriptor byte: CardOS's, AuthentIC V2's and GIDS's.

    A file of an RSA key is AuthentIC's: the key itself is an object of the DF, whose id is the file's.
    """

    TRANSPARENT = 0x01
    LINEAR_FIXED = 0x02
    LINEAR_VARIABLE = 0x04
    LINEAR_TLV = 0x05
    CYCLIC = 0x06
    RSA_PUBLIC = 0x12
    RSA_PRIVATE = 0x14
    EXECUTABLE = 0x21
    KEY = 0x18
    DATA_OBJECTS = 0x39

    @property
    def is_plain(self) -> bool:
        """Whether the content is bytes or records; else it is a key's uses, or data objects as records."""
        return self not in {FileKind.KEY, FileKind.DATA_OBJECTS} and not self.is_rsa_key

    @property
    def has_records(self) -> bool:
        """Whether the content is made of records."""
        return self not in {FileKind.TRANSPARENT, FileKind.EXECUTABLE, FileKind.KEY} and not self.is_rsa_key

    @property
    def is_rsa_key(self) -> bool:
        """Whether the file stands for an RSA key, and has no content."""
        return self in {FileKind.RSA_PUBLIC, FileKind.RSA_PRIVATE}

    @property
    def has_fixed_records(self) -> bool:
        """Whether all records have one length."""
        return self in {FileKind.LINEAR_FIXED, FileKind.CYCLIC}


@dataclass(frozen=True, slots=True)
class Df:
    """A dedicated file.

    Attributes:
        size: The size that was asked for at creation, in bytes; told back, and no limit.
        access: Access condition bytes, as long as the kind of file has them.
        name: The AID; may be empty.
        options: The value of tag 85.
        active: False after DEACTIVATE.
        rules: Its access rules instead, or where they are: AB with tag and length, or the value of 8B, which
            is the identifier of an EF of access rules and a record's number. Empty where the condition bytes
            hold.
    """

    size: int
    access: bytes
    name: bytes = b""
    options: bytes = b"\x00"
    active: bool = True
    rules: bytes = b""

    @property
    def footprint(self) -> int:
        """What the file takes of the memory, in bytes."""
        return _FILE_HEADER


@dataclass(frozen=True, slots=True)
class Ef:
    """An elementary file.

    Attributes:
        kind: How its content is organised.
        size: The number of bytes for content.
        access: Nine access condition bytes.
        descriptor: The value of tag 82 as it was given: kind, and for records their length and number.
        content: All `size` bytes of a transparent file; empty in a file of records.
        records: The records, first number first; in a cyclic file the newest is the first.
        record_length: The length of each record; 0 where it varies.
        record_count: The greatest number of records; 0 where the size alone limits it.
        options: The value of tag 85.
        active: False after DEACTIVATE.
        rules: Its access rules instead, or where they are: AB with tag and length, or the value of 8B, which
            is the identifier of an EF of access rules and a record's number. Empty where the condition bytes
            hold.
    """

    kind: FileKind
    size: int
    access: bytes
    descriptor: bytes
    content: bytes = field(default=b"", repr=False)
    records: tuple[bytes, ...] = field(default=(), repr=False)
    record_length: int = 0
    record_count: int = 0
    options: bytes = b"\x00"
    active: bool = True
    rules: bytes = b""

    @property
    def footprint(self) -> int:
        """What the file takes of the memory, in bytes."""
        return _FILE_HEADER + self.size

    @property
    def room(self) -> int:
        """How many bytes of records still fit."""
        return self.size - sum(len(record) + self._record_header for record in self.records)

    def fits(self, record: bytes) -> bool:
        """Tell whether one more record has room."""
        return len(record) + self._record_header <= self.room

    @property
    def _record_header(self) -> int:
        return 0 if self.kind.has_fixed_records else _RECORD_HEADER


File: TypeAlias = Df | Ef


def parent(path: bytes) -> bytes:
    """Return the path of the DF that a file is in; the MF is in itself."""
    return path[:-2] or path


def climb(df: bytes) -> Iterator[bytes]:
    """Yield a DF's path, its parent's, and so on to the MF."""
    for end in range(len(df), 0, -2):
        yield df[:end]


def path_text(path: bytes) -> str:
    """Return a path as ``3F00/5015/4401``."""
    return "/".join(path[at : at + 2].hex().upper() for at in range(0, len(path), 2))
