"""Cards whose memory outlives the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.card import image as images
from cardtwin.readers.wrappers import CardAround

if TYPE_CHECKING:
    from pathlib import Path

    from cardtwin.card import EmulatedCard

__all__ = ["KeptCard"]


class KeptCard(CardAround):
    """An emulated card whose memory is in a file, too, before anybody hears that a command was carried out.

    Whenever the process ends, the file has the memory from before a command, or from after it.

    Args:
        card: The card.
        path: The file; it is written when the memory has changed.
    """

    card: EmulatedCard

    def __init__(self, card: EmulatedCard, path: Path) -> None:
        super().__init__(card)
        self._path = path
        self._kept = card.image

    def process(self, command: bytes) -> bytes:
        """Take one command APDU and return one response APDU, after what has changed is in the file.

        Raises:
            CardMuteError: The card does not answer.
            OSError: The file cannot be written.
        """
        try:
            return super().process(command)
        finally:
            self.keep()

    def keep(self) -> None:
        """Write the memory, if it isn't in the file as it is."""
        image = self.card.image

        if image is not self._kept:
            images.save(image, self._path)
            self._kept = image
