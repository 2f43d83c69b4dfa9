"""The two tables of a GIDS card that no specification describes: of its files, and of its keys.

Both begin with a version, 1. OpenSC's driver gids publishes them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, Self

from cardtwin.minidriver.errors import ContentError
from cardtwin.minidriver.formats import KeySpec

__all__ = ["FileEntry", "FileTable", "KeyEntry", "KeyTable"]

_VERSION: Final = b"\x01"
_FILE: Final = struct.Struct("<9s9s2xII")
_KEY: Final = struct.Struct("<IBBHH2x")
_LONGEST_NAME: Final = 8
_KEY_TYPES: Final = {KeySpec.EXCHANGE: 0x9A, KeySpec.SIGNATURE: 0x9C}
_NO_REFERENCE: Final = 0xFFFF


@dataclass(frozen=True, slots=True)
class FileEntry:
    """Where a file is on the card. An entry without a file name is a directory.

    Attributes:
        directory: The directory's name, eight characters at most; empty is the root.
        name: The file's name, eight characters at most.
        data_object: The tag of the data object; 0 of a directory.
        file_id: The file of data objects that it is in, which decides who reads and writes it.
    """

    directory: str
    name: str
    data_object: int
    file_id: int

    def __post_init__(self) -> None:
        if any(len(text) > _LONGEST_NAME or not text.isascii() for text in (self.directory, self.name)):
            raise ContentError(f"a name on the card has at most {_LONGEST_NAME} ASCII characters")

    @property
    def path(self) -> str:
        r"""The file as Windows writes it: ``mscp\cmapfile``."""
        return f"{self.directory}\\{self.name}" if self.directory else self.name


@dataclass(frozen=True, slots=True)
class FileTable:
    """The table of files (OpenSC: masterfile)."""

    entries: tuple[FileEntry, ...]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the table.

        Raises:
            ContentError: It has another version, isn't made of whole entries, or a name isn't ASCII.
        """
        return cls(tuple(_file(*fields) for fields in _FILE.iter_unpack(_body(data, _FILE, "files"))))

    def encode(self) -> bytes:
        """Return the table's bytes."""
        return _VERSION + b"".join(
            _FILE.pack(entry.directory.encode(), entry.name.encode(), entry.data_object, entry.file_id)
            for entry in self.entries
        )

    def find(self, directory: str, name: str) -> FileEntry | None:
        """Return the entry of a file, or None; names are told apart without regard to case."""
        wanted = (directory.lower(), name.lower())
        return next(
            (entry for entry in self.entries if (entry.directory.lower(), entry.name.lower()) == wanted), None
        )


def _file(directory: bytes, name: bytes, data_object: int, file_id: int) -> FileEntry:
    try:
        at, named = (field.split(b"\0")[0].decode("ascii") for field in (directory, name))
    except UnicodeDecodeError:
        raise ContentError("a name in the table of files is no ASCII") from None

    return FileEntry(at, named, data_object, file_id)


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """The key of a container, at the same place as the container's record; without reference there is none.

    Attributes:
        algorithm: The cryptographic mechanism identifier without padding: 06 is RSA with 1024 bits.
        spec: What the key is for; None without a key.
        file_id: The key's file, B081 and up; FFFF without a key.
    """

    algorithm: int = 0
    spec: KeySpec | None = None
    file_id: int = _NO_REFERENCE


@dataclass(frozen=True, slots=True)
class KeyTable:
    """The table of keys (OpenSC: keymap)."""

    entries: tuple[KeyEntry, ...] = ()

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the table.

        Raises:
            ContentError: It has another version, or isn't made of whole entries.
        """
        return cls(tuple(_key(*fields) for fields in _KEY.iter_unpack(_body(data, _KEY, "keys"))))

    def encode(self) -> bytes:
        """Return the table's bytes."""
        return _VERSION + b"".join(
            _KEY.pack(
                int(entry.spec is not None),
                entry.algorithm,
                _KEY_TYPES[entry.spec] if entry.spec else 0,
                entry.file_id,
                _NO_REFERENCE,
            )
            for entry in self.entries
        )

    def with_entry(self, index: int, entry: KeyEntry, count: int) -> KeyTable:
        """Return the table with another entry at a place, and as many entries as there are containers."""
        entries = [*self.entries[:count], *[KeyEntry()] * (count - len(self.entries))]
        entries[index] = entry
        return KeyTable(tuple(entries))


def _key(_state: int, algorithm: int, key_type: int, file_id: int, _unknown: int) -> KeyEntry:
    spec = next((spec for spec, number in _KEY_TYPES.items() if number == key_type), None)
    return KeyEntry(algorithm, spec, file_id)


def _body(data: bytes, entry: struct.Struct, what: str) -> bytes:
    if data[:1] != _VERSION or (len(data) - 1) % entry.size:
        raise ContentError(f"the table of {what} has version 1 and entries of {entry.size} bytes")

    return data[1:]
