"""The emulated target: card, reader and middleware in this process. Nobody else puts the three together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.card import EmulatedCard, UnknownModelError, models
from cardtwin.card import image as images
from cardtwin.entropy import SeededEntropy, SystemEntropy
from cardtwin.pcsc import PcscError
from cardtwin.provenance import Switches
from cardtwin.readers import ReaderManager
from cardtwin.targets.interface import Bench, Capability, CardSetup, Setup, TargetError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.card.image import CardImage
    from cardtwin.middleware import PersonalDesktopClient

    from cardtwin.card import CardModel
    from cardtwin.encoding import Engine
    from cardtwin.entropy import Entropy
    from cardtwin.events import Hub
    from cardtwin.pcsc import CardConnection, Context

__all__ = ["EmulatedBench", "EmulatedDesk", "EmulatedTarget"]


class EmulatedTarget:
    """Everything in this process."""

    name = "emulated"
    capabilities = frozenset(Capability)

    def problems(self, setup: Setup) -> tuple[tuple[tuple[str, ...], str], ...]:
        """Return card models and quirks that there are not."""
        return tuple(_problems(setup))

    def open(self, setup: Setup, hub: Hub) -> EmulatedBench:
        """Put cards into readers, and the middleware above them.

        Raises:
            TargetError: A card's image cannot be read.
        """
        return EmulatedBench(setup, hub)


def _problems(setup: Setup) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, card in setup.cards.items():
        # A card that stands in `readers:` by its model alone has the reader's name.
        place = ("readers", name) if setup.readers.get(name) == name else ("cards", name, "model")

        try:
            models.get(card.model)
        except UnknownModelError as error:
            yield place, str(error)


class _Entropies:
    """One stream of randomness per user of it."""

    def __init__(self, seed: str | None) -> None:
        self._seed = seed

    def of(self, label: str, *, fresh: bool = False) -> Entropy:
        """Return the stream of that label; a fresh one comes from the system whatever the seed."""
        return SystemEntropy() if self._seed is None or fresh else SeededEntropy(self._seed, label)


class EmulatedDesk:
    """Hands and eyes at emulated readers."""

    def __init__(self, manager: ReaderManager, setup: Setup, cards: dict[str, EmulatedCard]) -> None:
        self._manager = manager
        self._cards = cards
        self._places: dict[str, str] = {}

        for reader, card in setup.readers.items():
            manager.add_reader(reader)

            if card is not None:
                self.insert(reader, card)

    def insert(self, reader: str, card: str) -> None:
        """Put a card of the scenario into a reader."""
        if reader in self._places:
            raise TargetError(f"there is a card in {reader!r} already: {self._places[reader]!r}")

        for other, held in self._places.items():
            if held == card:
                raise TargetError(f"the card {card!r} is in {other!r}: remove it there first")

        self._manager.insert(reader, self._cards[card])
        self._places[reader] = card

    def remove(self, reader: str) -> None:
        """Take the card out."""
        self.card(reader)
        self._manager.remove(reader)
        del self._places[reader]

    def reset(self, reader: str) -> None:
        """Reset the card in a reader."""
        self.card(reader)
        self._manager.reset(reader)

    def power(self, reader: str, *, on: bool) -> None:
        """Power the card in a reader, or take its power away."""
        self.card(reader)
        self._manager.power(reader, on)

    def image(self, reader: str) -> CardImage:
        """Return the memory of the card in a reader, as it is."""
        return self.card(reader).image

    def load(self, reader: str, image: CardImage) -> None:
        """Make this the memory of the card in a reader; for the readers' users that is a reset."""
        card = self.card(reader)
        self._manager.power(reader, False)  # noqa: FBT003  # power(reader, False) says what it does
        card.load(image)
        self._manager.power(reader, True)  # noqa: FBT003  # as above

    def card(self, reader: str) -> EmulatedCard:
        """Return the card in a reader.

        Raises:
            TargetError: It is empty.
        """
        if reader not in self._places:
            raise TargetError(f"there is no card in {reader!r}")

        return self._cards[self._places[reader]]


class EmulatedBench(Bench):
    """Cards, readers and middleware for one scenario."""

    def __init__(self, setup: Setup, hub: Hub) -> None:
        self._setup = setup
        self._hub = hub
        self._entropies = _Entropies(setup.seed)
        self._switches = Switches(setup.switches)
        self._manager = ReaderManager(hub)
        cards = {name: self._card(name, card) for name, card in setup.cards.items()}
        self._desk = EmulatedDesk(self._manager, setup, cards)
        self._contexts: dict[str, Context] = {}
        self._connections: dict[tuple[str, str], CardConnection] = {}
        self._clients: dict[str, PersonalDesktopClient] = {}

    def connection(self, process: str, reader: str) -> CardConnection:
        """Return the process's connection to the card in a reader."""
        key = (process, reader)
        connection = self._connections.get(key)

        if connection is None or not _alive(connection):
            connection = self._connections[key] = self._context(process).connect(reader)

        return connection

    def client(self, process: str) -> PersonalDesktopClient:
        """Return the process's Personal Desktop Client."""
        raise NotImplementedError

    def engine(self, process: str) -> Engine:
        """Return the engine that runs encodings with the process's Personal Desktop Client."""
        raise NotImplementedError

    @property
    def desk(self) -> EmulatedDesk:
        """Return the hands and eyes at the readers."""
        return self._desk

    def close(self) -> None:
        """Take all down."""
        for context in self._contexts.values():
            context.release()

        self._contexts.clear()
        self._connections.clear()

    def _context(self, process: str) -> Context:
        if process not in self._contexts:
            self._contexts[process] = self._manager.context()

        return self._contexts[process]

    def _card(self, name: str, setup: CardSetup) -> EmulatedCard:
        model = models.get(setup.model)
        image = None if setup.image is None else self._image(setup.image, model)
        return EmulatedCard(
            model,
            image=image,
            entropy=self._entropies.of(f"card {name}", fresh=setup.fresh_keys),
            switches=self._switches,
            hub=self._hub,
            reader=name,
        )

    def _image(self, name: str, model: CardModel) -> CardImage:
        raise NotImplementedError


def _alive(connection: CardConnection) -> bool:
    """Whether a connection can still be used: a reset or a removed card ends the harness's own."""
    try:
        with connection.transaction():
            return True
    except PcscError:
        return False


_ = images
