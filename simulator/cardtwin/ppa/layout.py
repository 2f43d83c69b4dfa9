"""Directories and files as they are declared, before anything is known to fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cardtwin.plan import Content, DirectoryPlan, FilePlan, Wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.plan import Access, Operation
    from cardtwin.ppa.syntax import Expression, Name
    from cardtwin.source import Span

__all__ = ["Body", "Directory", "File", "Layout", "least_length"]


@dataclass(frozen=True, slots=True)
class Body:
    """A File block: the file's name there, and what its contents are."""

    name: Name
    data: Expression


@dataclass(slots=True)
class File:
    """An EF that has been declared.

    Attributes:
        name: Its name and place.
        file_id: Its identifier.
        id_span: Where that is said.
        size: Its size; None for auto.
        size_span: Where that is said.
        access: Its access conditions.
        path: File identifiers from the MF to this file.
        body: Where its contents are said, if they are.
        content: The contents, once they have been evaluated.
    """

    name: Name
    file_id: int
    id_span: Span
    size: int | None
    size_span: Span
    access: dict[Operation, Access]
    path: tuple[int, ...] = ()
    body: Body | None = None
    content: Content | None = None

    @property
    def least_size(self) -> int:
        """The room that it takes at least."""
        if self.size is not None:
            return self.size

        return least_length(self.content) if self.content else 0

    def plan(self) -> FilePlan:
        """Return what the plan says of it."""
        return FilePlan(self.name.text, self.file_id, self.size, self.access, self.content)


@dataclass(slots=True)
class Directory:
    """A DF that has been declared, or the MF; attributes as those of a file."""

    name: Name
    file_id: int
    id_span: Span
    size: int | None
    size_span: Span
    access: dict[Operation, Access] = field(default_factory=dict)
    aid: bytes = b""
    path: tuple[int, ...] = ()
    directories: list[Directory] = field(default_factory=list)
    files: list[File] = field(default_factory=list)

    @property
    def least_size(self) -> int:
        """The room that it takes at least."""
        return self.size if self.size is not None else sum(child.least_size for child in self.children())

    def children(self) -> Iterator[Directory | File]:
        """Yield what lies directly in it."""
        yield from self.directories
        yield from self.files

    def walk(self) -> Iterator[Directory]:
        """Yield this directory and all below it."""
        yield self

        for directory in self.directories:
            yield from directory.walk()

    def plan(self) -> DirectoryPlan:
        """Return what the plan says of it."""
        return DirectoryPlan(
            self.name.text,
            self.file_id,
            self.size,
            self.aid,
            self.access,
            tuple(directory.plan() for directory in self.directories),
            tuple(file.plan() for file in self.files),
        )


class Layout:
    """The file system of one evaluation.

    Attributes:
        root: The MF, once MasterFile has been seen.
        open: The directories that are being filled, the MF first.
    """

    def __init__(self) -> None:
        self.root: Directory | None = None
        self.open: list[Directory] = []
        self._by_key: dict[str, Directory | File] = {}

    def find(self, key: str) -> Directory | File | None:
        """Return what was declared by that name, or None."""
        return self._by_key.get(key)

    def names(self) -> tuple[str, ...]:
        """Return all names declared."""
        return tuple(each.name.text for each in self._by_key.values())

    def add(self, entry: Directory | File) -> None:
        """Declare a file or directory in the innermost open directory."""
        parent = self.open[-1]
        entry.path = (*parent.path, entry.file_id)
        self._by_key[entry.name.key] = entry

        if isinstance(entry, File):
            parent.files.append(entry)
        else:
            parent.directories.append(entry)

    def files(self) -> tuple[File, ...]:
        """Return all EFs in the order of their declaration."""
        return tuple(each for each in self._by_key.values() if isinstance(each, File))

    def directories(self) -> tuple[Directory, ...]:
        """Return all DFs, and the MF."""
        return tuple(self.root.walk()) if self.root else ()


def least_length(content: Content) -> int:
    """Return the length that contents have at least: gaps count as nothing."""
    return sum(_least(part) for part in content.parts)


def _least(part: object) -> int:
    match part:
        case bytes():
            return len(part)
        case Wrapped(parts=parts):
            return 2 + sum(_least(inner) for inner in parts)
        case _:
            return 0
