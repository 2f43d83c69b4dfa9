"""Changes of the memory, as values. A command gives a tuple of them; a prefix of it survives a power cut."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from cardtwin.card.memory.files import File, path_text
from cardtwin.events import CardChange

if TYPE_CHECKING:
    from cardtwin.card.memory.image import CardImage
    from cardtwin.card.memory.lifecycle import LifeCycle
    from cardtwin.card.memory.objects import ObjectKey, SecurityEnvironment, SecurityObject, StartKey

__all__ = [
    "Change",
    "DropFile",
    "DropFiles",
    "DropObject",
    "PutEnvironment",
    "PutFile",
    "PutObject",
    "SetLifeCycle",
    "SetPackages",
    "SetStartKey",
    "Write",
]

Change = tuple[CardChange, str, str]
"""What an observer is told: the kind of change, the file or object, a detail without contents."""


class Write(Protocol):
    """One change of the memory."""

    def apply(self, image: CardImage) -> CardImage:
        """Return the memory after the change."""

    def change(self) -> Change:
        """Return what to tell observers."""


@dataclass(frozen=True, slots=True)
class PutFile:
    """Create a file, or put another state of it in its place."""

    path: bytes
    file: File
    what: CardChange = CardChange.FILE_UPDATED

    def apply(self, image: CardImage) -> CardImage:
        """Return the memory with the file."""
        return replace(image, files={**image.files, self.path: self.file})

    def change(self) -> Change:
        """Tell what `what` says of the file."""
        return self.what, path_text(self.path), ""


@dataclass(frozen=True, slots=True)
class DropFile:
    """Delete a file; of a DF, all that is in it too: files, objects, security environments."""

    path: bytes

    def apply(self, image: CardImage) -> CardImage:
        """Return the memory without the file."""
        path = self.path
        return replace(
            image,
            files={at: file for at, file in image.files.items() if not at.startswith(path)},
            objects={key: found for key, found in image.objects.items() if not key.df.startswith(path)},
            environments={
                key: found for key, found in image.environments.items() if not key[0].startswith(path)
            },
        )

    def change(self) -> Change:
        """Tell of the deletion."""
        return CardChange.FILE_DELETED, path_text(self.path), ""


@dataclass(frozen=True, slots=True)
class DropFiles:
    """Delete every file, object and security environment."""

    def apply(self, image: CardImage) -> CardImage:
        """Return the memory without any file or object."""
        return replace(image, files={}, objects={}, environments={})

    def change(self) -> Change:
        """Tell of the deletion."""
        return CardChange.FILE_DELETED, "3F00", "all files and objects"


@dataclass(frozen=True, slots=True)
class PutObject:
    """Store an object, or put another state of it in its place."""

    key: ObjectKey
    object: SecurityObject
    what: CardChange = CardChange.OBJECT_STORED
    detail: str = ""

    def apply(self, image: CardImage) -> CardImage:
        """Return the memory with the object."""
        return replace(image, objects={**image.objects, self.key: self.object})

    def change(self) -> Change:
        """Tell what `what` says of the object."""
        return self.what, str(self.key), self.detail


@dataclass(frozen=True, slots=True)
class DropObject:
    """Delete an object."""

    key: ObjectKey

    def apply(self, image: CardImage) -> CardImage:
        """Return the memory without the object."""
        return replace(image, objects={key: found for key, found in image.objects.items() if key != self.key})

    def change(self) -> Change:
        """Tell of the deletion."""
        return CardChange.OBJECT_DELETED, str(self.key), ""


@dataclass(frozen=True, slots=True)
class PutEnvironment:
    """Store a security environment."""

    df: bytes
    number: int
    environment: SecurityEnvironment

    def apply(self, image: CardImage) -> CardImage:
        """Return the memory with the security environment."""
        return replace(image, environments={**image.environments, (self.df, self.number): self.environment})

    def change(self) -> Change:
        """Tell of the object."""
        return CardChange.OBJECT_STORED, f"{path_text(self.df)}:SE-{self.number:02X}", ""


@dataclass(frozen=True, slots=True)
class SetLifeCycle:
    """Go to another phase."""

    phase: LifeCycle

    def apply(self, image: CardImage) -> CardImage:
        """Return the memory in that phase."""
        return replace(image, life_cycle=self.phase)

    def change(self) -> Change:
        """Tell the new phase."""
        return CardChange.LIFE_CYCLE, "3F00", f"{self.phase:02X} {self.phase.name.replace('_', ' ').lower()}"


@dataclass(frozen=True, slots=True)
class SetStartKey:
    """Change the StartKey or its tries."""

    start_key: StartKey = field(repr=False)

    def apply(self, image: CardImage) -> CardImage:
        """Return the memory with that StartKey."""
        return replace(image, start_key=self.start_key)

    def change(self) -> Change:
        """Tell the tries left."""
        return CardChange.COUNTER_CHANGED, "StartKey", f"{self.start_key.tries_left} tries left"


@dataclass(frozen=True, slots=True)
class SetPackages:
    """Change the packages on the card."""

    packages: tuple[bytes, ...]

    def apply(self, image: CardImage) -> CardImage:
        """Return the memory with those packages."""
        return replace(image, packages=self.packages)

    def change(self) -> Change:
        """Tell how many there are."""
        return CardChange.OBJECT_STORED, "packages", f"{len(self.packages)} loaded"
