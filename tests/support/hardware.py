"""A card that plays the hardware: in a reader of ours, with a note of every command that reaches it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardtwin.card import EmulatedCard, models
from cardtwin.entropy import SeededEntropy
from cardtwin.events import CommandRefused, Hub, ReaderChanged
from cardtwin.readers import PinPad, ReaderManager
from cardtwin.targets.hardware import ExpectedCard, Guard, GuardedContext, Ledger, Permissions
from support.tokens import READER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from cardtwin.card import CardImage
    from cardtwin.events import Event
    from cardtwin.pcsc import Protocol
    from cardtwin.targets.hardware import GuardedConnection

NOTHING = Permissions()
EVERYTHING = Permissions(
    destructive=True,
    irreversible=frozenset(
        {
            "PUT DATA", "PUT DATA FCI", "TERMINATE DF", "TERMINATE EF", "TERMINATE CARD USAGE", "ERASE FILES",
            "FORMAT", "LOAD EXECUTABLE", "CHANGE STARTKEY",
        }
    ),
    unverified=True,
    known_tries=3,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Received:
    """A command that reached the card.

    Attributes:
        command: The command.
        response: What it was answered.
        before: The tries left of each PIN and key before it.
        after: The same after it.
    """

    command: bytes
    response: bytes
    before: Mapping[object, int]
    after: Mapping[object, int]

    @property
    def took_the_last(self) -> bool:
        """Whether a credential was presented at its last try, and so has none left."""
        return any(self.before.get(name, 1) and not left for name, left in self.after.items())


class PlayedCard:
    """A card with a note of what reaches it.

    Attributes:
        card: The card.
        received: The commands.
        answer: What it answers in the place of the card; None lets the card answer.
        on_command: Called with the place of each command that was answered; what it raises, takes the place
            of the answer.
    """

    def __init__(self, card: EmulatedCard) -> None:
        self.card = card
        self.received: list[Received] = []
        self.answer: Callable[[bytes], bytes | None] = lambda _command: None
        self.on_command: Callable[[int], None] = lambda _place: None

    @property
    def protocol(self) -> Protocol:
        return self.card.protocol

    @property
    def commands(self) -> list[str]:
        return [each.command.hex().upper() for each in self.received]

    def power_on(self, protocol: Protocol) -> bytes:
        return self.card.power_on(protocol)

    def power_off(self) -> None:
        self.card.power_off()

    def process(self, command: bytes) -> bytes:
        before = self._tries()
        response = self.answer(command) or self.card.process(command)
        self.received.append(Received(command, response, before, self._tries()))
        self.on_command(len(self.received) - 1)
        return response

    def _tries(self) -> dict[object, int]:
        objects = self.card.image.objects.items()
        return {name: each.tries_left for name, each in objects if each.max_tries}


class GuardedDesk:
    """A reader with a played card, and contexts that are guarded."""

    def __init__(
        self,
        ledger: Path,
        model: str = "cardos-5.3",
        *,
        image: CardImage | None = None,
        allowed: Permissions = NOTHING,
        expected: ExpectedCard | None = None,
        pinpad: bool = False,
    ) -> None:
        self.model = models.get(model)
        self.events: list[Event] = []
        self.hub = Hub()
        self.hub.subscribe(self.events.append)
        self.manager = ReaderManager(self.hub)
        self.manager.add_reader(READER, pinpad=PinPad() if pinpad else None)
        self.card = self.put_in(model, image)
        self.ledger = Ledger(ledger)
        expected = expected or ExpectedCard(model, self.model.atr)
        self.guard = Guard(READER, expected, allowed, self.ledger, self.hub)

    def put_in(self, model: str, image: CardImage | None = None) -> PlayedCard:
        emulated = EmulatedCard(
            models.get(model), image=image, entropy=SeededEntropy("played"), hub=self.hub, reader=READER
        )
        self.card = PlayedCard(emulated)
        self.manager.insert(READER, self.card)
        return self.card

    def context(self) -> GuardedContext:
        return GuardedContext(self.manager.context(), {READER: self.guard})

    def connect(self) -> GuardedConnection:
        return self.context().connect(READER)

    @property
    def refusals(self) -> list[CommandRefused]:
        return [event for event in self.events if isinstance(event, CommandRefused)]

    @property
    def power_changes(self) -> list[str]:
        return [event.change.value for event in self.events if isinstance(event, ReaderChanged)]
