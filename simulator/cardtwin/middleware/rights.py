"""Who may do what on a card, free of any card system's form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

__all__ = ["ANYBODY", "NOBODY", "OPEN", "Condition", "Right", "Rights"]


class Right(StrEnum):
    """What a condition is about. For a DF or the MF, OBJECTS_* are about PINs and keys in it."""

    READ = "read"
    UPDATE = "update"
    CREATE = "create"
    DELETE = "delete"
    ACTIVATE = "activate"
    DEACTIVATE = "deactivate"
    CHANGE_CONDITIONS = "change conditions"
    LIFE_CYCLE = "life cycle"
    OBJECTS_CREATE = "create objects"
    OBJECTS_UPDATE = "update objects"


@dataclass(frozen=True, slots=True)
class Condition:
    """Anybody, nobody, or whoever has verified the credential of that reference.

    Attributes:
        allowed: Whether it is possible at all.
        reference: The credential's number on the card; None demands none.
    """

    allowed: bool = True
    reference: int | None = None

    def met(self, verified: AbstractSet[int]) -> bool:
        """Whether these verified references meet the condition."""
        return self.allowed and (self.reference is None or self.reference in verified)

    def __str__(self) -> str:
        if not self.allowed:
            return "nobody"

        return "anybody" if self.reference is None else f"credential {self.reference:02X}"


ANYBODY: Final = Condition()
NOBODY: Final = Condition(allowed=False)

Rights = Mapping[Right, Condition]
"""Conditions by what they are about. What is missing is for nobody."""

OPEN: Final[Rights] = dict.fromkeys(Right, ANYBODY)
"""Anybody may do anything: a card or file that is being made or erased."""
