"""The emulated card: what it is made of, and what it answers.

:class:`EmulatedCard` is the contact side. `models` is the catalogue of what cards there are, `image` keeps
a card's memory in a file, `view` reads it for checks.
"""

from cardtwin.card import models
from cardtwin.card.card import EmulatedCard
from cardtwin.card.chip.model import CardModel
from cardtwin.card.errors import (
    CardError,
    ImageError,
    ImageVersionError,
    UnknownModelError,
    UnknownQuirkError,
    UnknownSystemError,
)
from cardtwin.card.memory import CardImage
from cardtwin.card.view import CardView

__all__ = [
    "CardError",
    "CardImage",
    "CardModel",
    "CardView",
    "EmulatedCard",
    "ImageError",
    "ImageVersionError",
    "UnknownModelError",
    "UnknownQuirkError",
    "UnknownSystemError",
    "models",
]
