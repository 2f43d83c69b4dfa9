"""The card's non-volatile memory as one immutable value: files, objects, life cycle, StartKey, packages."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from cardtwin.card.lifecycle import LifeCycle

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "MF",
    "CardImage",
    "Df",
    "Ef",
    "File",
    "FileKind",
    "ObjectKey",
    "SecurityEnvironment",
    "SecurityObject",
    "StartKey",
    "climb",
    "parent",
    "path_text",
]

MF = b"\x3f\x00"
"""The path of the master file. A path is the file identifiers from the MF on, two bytes each."""

_FILE_HEADER = 32
_OBJECT_HEADER = 24
_RECORD_HEADER = 2


class FileKind(IntEnum):
    """The kinds of EF, by the lower bits of the file descriptor byte as CardOS has them."""

    TRANSPARENT = 0x01
    LINEAR_FIXED = 0x02
    LINEAR_VARIABLE = 0x04
    LINEAR_TLV = 0x05
    CYCLIC = 0x06
    EXECUTABLE = 0x21

    @property
    def has_records(self) -> bool:
        """Whether the content is made of records."""
        return self not in {FileKind.TRANSPARENT, FileKind.EXECUTABLE}

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
    """

    size: int
    access: bytes
    name: bytes = b""
    options: bytes = b"\x00"
    active: bool = True

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


class ObjectKey(NamedTuple):
    """Where an object is: its DF's path, its class (00 test, 20.. key component), its id."""

    df: bytes
    class_: int
    id: int

    def __str__(self) -> str:
        return f"{path_text(self.df)}:{self.class_:02X}-{self.id:02X}"


@dataclass(frozen=True, slots=True)
class SecurityObject:
    """A PIN, PUK, key or key component, as PUT DATA OCI stores it.

    Attributes:
        option: The low nibble says what it is for, bit 20 that another component follows.
        flags: The low nibble is the number of tries; 0 counts none.
        algorithm: What can be done with it; 87 is a PIN.
        tries_left: The error counter.
        uses_left: The use counter; FF is unlimited.
        dek: A byte of unknown meaning, kept.
        consent: How often a condition may rest on one verification; 00 is unlimited.
        min_length: The least number of bytes of a new PIN, without filling.
        access: The condition bytes USE, CHANGE, UNBLOCK and what follows.
        body: The PIN or key itself.
        tells_tries: Whether a failed verification tells the tries left (second option byte, bit 2).
    """

    option: int
    flags: int
    algorithm: int
    tries_left: int
    uses_left: int
    dek: int
    consent: int
    min_length: int
    access: bytes
    body: bytes = field(repr=False)
    tells_tries: bool = False

    @property
    def max_tries(self) -> int:
        """The number of tries; 0 counts none."""
        return self.flags & 0x0F

    @property
    def is_blocked(self) -> bool:
        """Whether tries are counted and none is left."""
        return bool(self.max_tries) and not self.tries_left

    @property
    def continues(self) -> bool:
        """Whether the next class holds a further component of the same key."""
        return bool(self.option & 0x20)

    @property
    def footprint(self) -> int:
        """What the object takes of the memory, in bytes."""
        return _OBJECT_HEADER + len(self.body)

    def with_tries(self, tries: int) -> SecurityObject:
        """Return the object with another error counter."""
        return replace(self, tries_left=tries)

    def condition(self, operation: int) -> int:
        """Return the condition byte for an operation (0 USE, 1 CHANGE, 2 UNBLOCK); a missing one is FF."""
        return self.access[operation] if operation < len(self.access) else 0xFF


@dataclass(frozen=True, slots=True)
class SecurityEnvironment:
    """A stored security environment: condition bytes USE and CHANGE, and six component bytes."""

    access: bytes
    components: bytes

    @property
    def footprint(self) -> int:
        """What the environment takes of the memory, in bytes."""
        return _OBJECT_HEADER + len(self.components)


@dataclass(frozen=True, slots=True)
class StartKey:
    """The key for ERASE FILES and FORMAT: 16 bytes, a version (FF: the public default key) and tries left."""

    key: bytes = field(default=b"\xff" * 16, repr=False)
    version: int = 0xFF
    tries_left: int = 10


@dataclass(frozen=True, slots=True)
class CardImage:
    """The whole non-volatile memory of one card.

    PINs and keys are part of it, in the clear: an image is as secret as they are. Its repr shows none.

    Attributes:
        model: The name of the card's model.
        serial: The chip's serial number.
        atr: The answer to reset.
        life_cycle: The phase of life.
        files: Files by path, in the order of creation.
        objects: PINs and keys, in the order of creation.
        environments: Security environments by DF and number.
        start_key: The StartKey.
        packages: The packages on the card, each as GET DATA 88 tells it.
    """

    model: str
    serial: bytes
    atr: bytes
    life_cycle: LifeCycle = LifeCycle.ADMINISTRATION
    files: Mapping[bytes, File] = field(default_factory=dict, repr=False)
    objects: Mapping[ObjectKey, SecurityObject] = field(default_factory=dict, repr=False)
    environments: Mapping[tuple[bytes, int], SecurityEnvironment] = field(default_factory=dict, repr=False)
    start_key: StartKey = field(default_factory=StartKey)
    packages: tuple[bytes, ...] = ()

    @property
    def used(self) -> int:
        """How many bytes of the memory are taken."""
        return sum(
            holder.footprint
            for table in (self.files, self.objects, self.environments)
            for holder in table.values()
        )

    def find_object(self, df: bytes, class_: int, id_: int) -> ObjectKey | None:
        """Return the object of that class and id in a DF, else in its parent, and so on up to the MF."""
        for at in climb(df):
            key = ObjectKey(at, class_, id_)

            if key in self.objects:
                return key

        return None

    def children(self, df: bytes) -> Iterator[bytes]:
        """Yield the paths of the files in a DF, in the order of creation."""
        length = len(df) + 2
        return (path for path in self.files if len(path) == length and path.startswith(df))


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
