"""A virtual smart card in a reader, in the hands of the host's side."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cardtwin.card import EmulatedCard, models
from cardtwin.entropy import SeededEntropy
from cardtwin.events import Defect, Event, Exchange, Hub
from cardtwin.minidriver import MinidriverCard
from cardtwin.plan import Secret
from cardtwin.readers import ReaderManager

if TYPE_CHECKING:
    from cardtwin.card import CardImage

READER = "Microsoft Virtual Smart Card 0"
PIN = Secret.of("12345678")
ADMIN_KEY = Secret(bytes.fromhex("010203040506070801020304050607080102030405060708"))
CARD_ID = bytes.fromhex("00112233445566778899AABBCCDDEEFF")


@dataclass
class VirtualReader:
    """A reader with a virtual smart card, and what happened."""

    card: EmulatedCard
    manager: ReaderManager
    events: list[Event] = field(default_factory=list)

    def open(self, seed: str = "host") -> MinidriverCard:
        """Connect to the card, as one more program."""
        connection = self.manager.context().connect(READER)
        return MinidriverCard(connection, entropy=SeededEntropy(seed))

    @property
    def commands(self) -> list[bytes]:
        """The commands that the card got."""
        return [event.command for event in self.events if isinstance(event, Exchange)]

    def check(self) -> None:
        """Raise if the card had a bug to report."""
        defects = [event for event in self.events if isinstance(event, Defect)]
        assert not defects, defects[0].detail


def virtual_reader(image: CardImage | None = None) -> VirtualReader:
    """Return a reader with an empty virtual smart card, or one with an image."""
    hub = Hub()
    manager = ReaderManager(hub)
    manager.add_reader(READER)
    model = models.get("virtual-smart-card")
    card = EmulatedCard(model, image=image, entropy=SeededEntropy("card"), hub=hub, reader=READER)
    manager.insert(READER, card)
    reader = VirtualReader(card, manager)
    hub.subscribe(reader.events.append)
    return reader


def initialised() -> tuple[VirtualReader, MinidriverCard]:
    """Return a reader with a card that has its files, and the card's PIN verified."""
    reader = virtual_reader()
    host = reader.open()
    host.initialise(PIN, ADMIN_KEY, card_id=CARD_ID)
    host.verify(PIN)
    return reader, host
