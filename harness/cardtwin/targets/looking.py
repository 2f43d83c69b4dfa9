"""What the harness itself says to physical cards, beside what a scenario's programs do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cardtwin.events import Cause

__all__ = ["GUARD", "READING", "is_a_look"]

GUARD: Final = "the guard"
"""The cause of a guard's own commands."""

READING: Final = "read the card"
"""The cause of commands that look at what is on a card."""


def is_a_look(cause: Cause | None) -> bool:
    """Whether a command is one of those: emulated cards are looked at without any."""
    return cause is not None and cause.what in {GUARD, READING}
