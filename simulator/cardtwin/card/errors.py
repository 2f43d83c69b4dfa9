"""What can go wrong around an emulated card. What goes wrong on the card is a status word.

::

    CardError
    ├── ImageError              a card image can't be read, or doesn't fit the card
    │   └── ImageVersionError   its version is none that is known here
    ├── UnknownModelError       the catalogue has no model of that name
    ├── UnknownQuirkError       the table of quirks has none of that name
    └── UnknownSystemError      the catalogue has no card system of that name
    Refusal                     not a CardError: a status word on its way out of a command
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.source import closest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardtwin.iso7816 import StatusWord

__all__ = [
    "CardError",
    "ImageError",
    "ImageVersionError",
    "Refusal",
    "UnknownModelError",
    "UnknownQuirkError",
    "UnknownSystemError",
]


class CardError(Exception):
    """The root of this package's errors."""


class ImageError(CardError):
    """A card image can't be read, or doesn't fit the card."""


class ImageVersionError(ImageError):
    """A card image of a version that isn't known here."""


class UnknownModelError(CardError):
    """The catalogue has no model of that name; the message says which ones it has."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(_unknown("card model", name, known))


class UnknownQuirkError(CardError):
    """The table of quirks has none of that name; the message says which ones it has."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(_unknown("quirk", name, known))


class UnknownSystemError(CardError):
    """The catalogue has no card system of that name; the message says which ones it has."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(_unknown("card system", name, known))


class Refusal(Exception):  # noqa: N818  # no error: the card's regular answer to what it doesn't do
    """A command ends with this status word; nothing of it is written."""

    def __init__(self, status: StatusWord) -> None:
        self.status = status
        super().__init__(str(status))


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    names = tuple(known)
    hint = closest(name, names) or f"there are: {', '.join(names) or 'none'}"
    return f"there is no {what} {name!r}; {hint}"
