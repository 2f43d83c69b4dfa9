"""A reader that plays one of the system's: in this process, with a note of what reaches its card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.card import EmulatedCard, models
from cardtwin.entropy import SystemEntropy
from cardtwin.events import Hub
from cardtwin.readers import ReaderManager
from support.hardware import PlayedCard

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from cardtwin.card import CardImage
    from cardtwin.events import Event
    from cardtwin.pcsc import Context
    from cardtwin.readers.physical import ReaderChanges

PLAYED: Final = "R1"
"""The reader: as scenarios call it, and as the service does."""


class PlayedService:
    """Takes the place of the system's PC/SC service.

    Attributes:
        card: The card in the reader.
        manager: The readers.
    """

    def __init__(self, model: str, image: CardImage | None = None) -> None:
        self._told: Hub | None = None
        hub = Hub()
        hub.subscribe(self._tell)
        self.manager = ReaderManager(hub)
        self.manager.add_reader(PLAYED)
        self.card = PlayedCard(EmulatedCard(models.get(model), image=image, entropy=SystemEntropy()))
        self.manager.insert(PLAYED, self.card)

    def context(
        self,
        hub: Hub | None = None,
        *,
        names: Mapping[str, str] | None = None,
        changes: ReaderChanges | None = None,
    ) -> Context:
        """Return a view, as PhysicalContext does; our readers tell what happens to cards."""
        assert all(name == told for name, told in (names or {}).items())
        self._told = hub or self._told
        return self.manager.context()

    def play(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Be the service for the target ``pcsc``."""
        monkeypatch.setattr("cardtwin.targets.hardware.target.PhysicalContext", self.context)

    def _tell(self, event: Event) -> None:
        if self._told is not None:
            self._told.emit(event)
