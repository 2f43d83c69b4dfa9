"""What a command sees: the chip with its memory and its volatile state, and what it is to know of both.

`model` is the chip as data, `dialect` what its card system does its own way, `session` what a reset forgets,
`algorithms` what the bodies of key objects mean.
"""

from cardtwin.card.chip.chip import Chip
from cardtwin.card.chip.dialect import Dialect
from cardtwin.card.chip.model import CardModel

__all__ = ["CardModel", "Chip", "Dialect"]
