"""What may be read of a card that is emulated: read of a copy, by the commands that a real one is read by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.card import EmulatedCard, models
from cardtwin.entropy import SystemEntropy
from cardtwin.readers import ReaderManager
from cardtwin.targets.looking import asks_tries
from cardtwin.targets.takeover import take_over

if TYPE_CHECKING:
    from cardtwin.card import CardImage
    from cardtwin.targets.takeover import TakenCard

__all__ = ["copied"]


def copied(image: CardImage, reader: str) -> TakenCard:
    """Return what anybody may read of a card with this memory.

    Args:
        image: The memory.
        reader: The reader that it is read in.

    Raises:
        TargetError: It can't be read.
    """
    manager = ReaderManager()
    manager.add_reader(reader)
    manager.insert(reader, EmulatedCard(models.get(image.model), image=image, entropy=SystemEntropy()))
    return take_over(manager.context(), reader, ask_tries=asks_tries(image.model))
