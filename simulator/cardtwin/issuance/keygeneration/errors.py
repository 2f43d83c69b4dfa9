"""The errors of the key generation system. None holds a secret.

::

    KeyGenerationError
    ├── OrderRefusedError       what is ordered contradicts itself, or can't be; nothing was made
    ├── BatchExistsError        something is there already where the batch is to be
    ├── OtherBatchError         what is there was ordered otherwise; carries what differs
    ├── BatchBusyError          another process works on the batch
    ├── BatchBrokenError        what is there is no batch, or was changed by others
    ├── CardFailedError         a card could not be made; those before it are there
    └── GenerationBrokenError   a defect, or the end of a process; the cards before it are there
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardtwin.events import Defect

__all__ = [
    "BatchBrokenError",
    "BatchBusyError",
    "BatchExistsError",
    "CardFailedError",
    "GenerationBrokenError",
    "KeyGenerationError",
    "OrderRefusedError",
    "OtherBatchError",
]


class KeyGenerationError(Exception):
    """The root of the key generation system's errors."""


class OrderRefusedError(KeyGenerationError):
    """What is ordered contradicts itself, or can't be."""


class BatchExistsError(KeyGenerationError):
    """Something is there already where the batch is to be."""


class OtherBatchError(KeyGenerationError):
    """What is there was ordered otherwise.

    Attributes:
        differences: What differs, as the order's members are called.
    """

    def __init__(self, path: str, differences: Sequence[str]) -> None:
        self.differences = tuple(differences)
        super().__init__(
            f"{path}: this batch was ordered otherwise ({', '.join(differences)}): go on with the order that "
            "it was begun with, or take another place"
        )


class BatchBusyError(KeyGenerationError):
    """Another process works on the batch."""


class BatchBrokenError(KeyGenerationError):
    """What is there is no batch, or was changed by others."""


class CardFailedError(KeyGenerationError):
    """A card could not be made."""


class GenerationBrokenError(KeyGenerationError):
    """A defect of cardtwin, or the end of one of its processes: nothing of it is the order's fault."""

    @classmethod
    def of(cls, defect: Defect) -> Self:
        """Return the error that a defect is."""
        return cls(f"a bug of cardtwin showed, please report it:\n{defect.detail}")
