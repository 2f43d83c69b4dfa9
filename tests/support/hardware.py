"""A card that plays the hardware: in a reader of ours, with a note of every command that reaches it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cardtwin.card import EmulatedCard, models
from cardtwin.entropy import SeededEntropy
from cardtwin.events import CommandRefused, Hub, ReaderChanged
from cardtwin.pcsc import CardMuteError, Disposition, ShareMode
from cardtwin.readers import PinPad, ReaderManager
from cardtwin.targets.hardware import ExpectedCard, Guard, GuardedCard, GuardedContext, Ledger, Permissions
from support.tokens import READER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from cardtwin.card import CardImage
    from cardtwin.events import Event
    from cardtwin.pcsc import CardConnection, Protocol

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


class HeldCard:
    """The card in a reader of a manager, for a reader of another one: it is nobody else's meanwhile."""

    def __init__(self, manager: ReaderManager) -> None:
        self._held = manager.context().connect(READER, share=ShareMode.EXCLUSIVE)
        self._powered = False

    @property
    def connection(self) -> CardConnection:
        if not self._powered:
            raise CardMuteError(READER)

        return self._held

    @property
    def protocol(self) -> Protocol:
        return self._held.protocol

    def power_on(self, protocol: Protocol) -> bytes:
        self._held.reconnect(Disposition.RESET, share=ShareMode.EXCLUSIVE, protocol=protocol)
        self._powered = True
        return self._held.atr

    def process(self, command: bytes) -> bytes:
        return self.connection.transmit(command)

    def power_off(self) -> None:
        self._powered = False

    def let_go(self) -> None:
        self._held.disconnect()


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

    def connect(self) -> CardConnection:
        return self.context().connect(READER)

    def begin_again(self, guard: Guard) -> None:
        """Let another guard stand before the card: the next run begins."""
        self.guard = guard

    def reset(self) -> None:
        """Reset the card as another program does."""
        self.manager.reset(READER)

    def swap(self, image: CardImage) -> None:
        """Put a card with another memory into the reader."""
        self.manager.remove(READER)
        self.put_in(self.model.name, image)

    @property
    def refusals(self) -> list[CommandRefused]:
        return [event for event in self.events if isinstance(event, CommandRefused)]

    @property
    def power_changes(self) -> list[str]:
        return [event.change.value for event in self.events if isinstance(event, ReaderChanged)]


class PassedDesk(GuardedDesk):
    """The same with the guard on the other side of a reader: programs have contexts of a service of ours."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.outer = ReaderManager()
        self.outer.add_reader(READER)
        self._pass()

    def connect(self) -> CardConnection:
        return self.outer.context().connect(READER)

    def begin_again(self, guard: Guard) -> None:
        super().begin_again(guard)
        self._let_go()
        self._pass()

    def reset(self) -> None:
        self.outer.reset(READER)

    def swap(self, image: CardImage) -> None:
        self._let_go()
        super().swap(image)
        self._pass()

    def _pass(self) -> None:
        self._held = HeldCard(self.manager)
        self.outer.insert(READER, GuardedCard(self._held, self.guard, READER))

    def _let_go(self) -> None:
        self.outer.remove(READER)
        self._held.let_go()
