"""The card's non-volatile memory as one immutable value: files, objects, life cycle, StartKey, packages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cardtwin.card.memory.files import File, climb
from cardtwin.card.memory.lifecycle import LifeCycle
from cardtwin.card.memory.objects import ObjectKey, SecurityEnvironment, SecurityObject, StartKey

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["CardImage"]


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
