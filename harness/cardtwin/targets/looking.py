"""What the harness itself says to physical cards, beside what a scenario's programs do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.card import models

if TYPE_CHECKING:
    from cardtwin.events import Cause

__all__ = ["GUARD", "READING", "asks_tries", "is_a_look"]

GUARD: Final = "the guard"
"""The cause of a guard's own commands."""

READING: Final = "read the card"
"""The cause of commands that look at what is on a card."""


def is_a_look(cause: Cause | None) -> bool:
    """Whether a command is one of those: emulated cards are looked at without any."""
    return cause is not None and cause.what in {GUARD, READING}


_ASKED_BY_EYES: Final = "CardOS V5"
"""The card systems whose PINs a check asks for their tries. Others tell them by GET DATA, or don't."""


def asks_tries(model: str) -> bool:
    """Tell whether whoever looks at a card of a model asks its PINs so: where nothing else tells them."""
    return models.get(model).system.startswith(_ASKED_BY_EYES)
