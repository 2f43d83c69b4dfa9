"""What eyes can't see of a card that is looked at by reading it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NOTHING_HIDDEN", "Hidden", "ObjectPlace"]

_NOT_TOLD: Final = "the card doesn't tell them, or not while the PIN is verified"

ObjectPlace: TypeAlias = "tuple[str, int]"
"""A DF's path, and a reference in it."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """What an image has no truth about, though its card may.

    Paths are written as ``3F00/5015``.

    Attributes:
        contents: Files whose content isn't read, or in part, and why.
        files: Files that are there, or may be, and aren't in the image, and why.
        unlisted: DFs that don't list their files: what isn't in the image may be in them all the same.
        pins: PINs whose counters are told; None where all PINs of the card are seen.
        assumed: Those of them whose number of tries at most is a number of ours.
    """

    contents: Mapping[str, str]
    files: Mapping[str, str]
    unlisted: frozenset[str]
    pins: frozenset[ObjectPlace] | None
    assumed: frozenset[ObjectPlace]

    def content(self, path: str) -> str:
        """Return why a file's content can't be seen; empty where it can."""
        return self.contents.get(path, "")

    def absence(self, path: str) -> str:
        """Return why a file that isn't in the image may be there; empty where it isn't."""
        steps = path.split("/")
        above = ["/".join(steps[:end]) for end in range(1, len(steps) + 1)]

        for each in above:
            if each in self.files:
                return f"{each}: {self.files[each]}"

        unlisted = next((df for df in above[:-1] if df in self.unlisted), "")
        return f"the card doesn't list the files of {unlisted}" if unlisted else ""

    def tries(self, pin: ObjectPlace) -> str:
        """Return why the tries that a PIN has left can't be seen; empty where they can."""
        return "" if self.pins is None or pin in self.pins else _NOT_TOLD

    def most_tries(self, pin: ObjectPlace) -> str:
        """Return why it can't be seen how many tries a PIN has at most; empty where it can."""
        return self.tries(pin) or ("the card doesn't tell that" if pin in self.assumed else "")


NOTHING_HIDDEN: Final = Hidden({}, {}, frozenset(), None, frozenset())
"""Of a card whose memory lies open."""
