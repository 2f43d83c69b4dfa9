"""The errors of this package. None holds a secret.

::

    MinidriverError
    ├── CardLostError          the reader or the card has gone, was reset by others, or doesn't answer
    ├── CommandRefusedError    the card refused a command
    ├── ContainerError         there is no such container, or no room for one more
    ├── ContentError           what is on the card isn't in the form of a minidriver's card
    ├── FileMissingError       the card has no file of that name
    ├── NotInitialisedError    the card has no files yet; or has them already, where it should be empty
    └── PinError               a PIN is wrong or blocked
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cardtwin.iso7816 import StatusWord

__all__ = [
    "CardLostError",
    "CommandRefusedError",
    "ContainerError",
    "ContentError",
    "FileMissingError",
    "MinidriverError",
    "NotInitialisedError",
    "PinError",
]


class MinidriverError(Exception):
    """A function of a minidriver's card failed."""


class CardLostError(MinidriverError):
    """The reader or the card has gone, was reset by others, or doesn't answer."""


class CommandRefusedError(MinidriverError):
    """The card refused a command; `sw` is its status word."""

    def __init__(self, what: str, sw: StatusWord) -> None:
        self.sw = sw
        super().__init__(f"{what}: the card answers {sw}")


class ContainerError(MinidriverError):
    """There is no such container, or no room for one more."""


class ContentError(MinidriverError):
    """What is on the card isn't in the form of a minidriver's card."""


class FileMissingError(MinidriverError):
    """The card has no file of that name."""


class NotInitialisedError(MinidriverError):
    """The card has no files yet; or has them already, where it should be empty."""


class PinError(MinidriverError):
    """A PIN is wrong or blocked; `tries_left` is the number of tries left."""

    def __init__(self, tries_left: int) -> None:
        self.tries_left = tries_left
        text = f"the PIN is wrong, {tries_left} tries left" if tries_left else "the PIN is blocked"
        super().__init__(text)
