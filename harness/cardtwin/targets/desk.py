"""Hands and eyes at emulated readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.card import ImageError
from cardtwin.readers import NoPinPadError, PinPad
from cardtwin.targets.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardtwin.card import CardImage, EmulatedCard
    from cardtwin.pcsc import Card
    from cardtwin.readers import PinEntry, ReaderManager
    from cardtwin.targets.interface import Setup

__all__ = ["EmulatedDesk"]


class EmulatedDesk:
    """Puts cards of a scenario into the readers of a manager, and looks into them.

    A card with faults may take itself out, in the thread that has sent it a command.
    """

    def __init__(self, manager: ReaderManager, cards: Mapping[str, EmulatedCard]) -> None:
        self._manager = manager
        self._cards = cards
        self._contacts: dict[str, Card] = dict(cards)
        self._places: dict[str, str] = {}

    def place(self, setup: Setup, *, patient: bool = False) -> None:
        """Put the readers on the desk, and the cards that are in them at the start.

        Args:
            setup: What is on the desk.
            patient: Whether PIN pads wait for a person who may still come.
        """
        for reader, card in setup.readers.items():
            pinpad = PinPad(patient=patient) if reader in setup.pinpads else None
            self._manager.add_reader(reader, pinpad=pinpad)

            if card is not None:
                self.insert(reader, card)

    def wrap(self, card: str, contacts: Card) -> None:
        """Let a reader reach a card through what is around it, from the next insertion on."""
        self._contacts[card] = contacts

    def take_out(self, card: str) -> None:
        """Take a card out of the reader that it is in, if it is in one."""
        for reader, held in tuple(self._places.items()):
            if held == card:
                self.remove(reader)

    def insert(self, reader: str, card: str) -> None:
        """Put a card of the scenario into a reader.

        Raises:
            TargetError: The reader holds a card, or the card is in another reader.
        """
        if reader in self._places:
            raise TargetError(f"there is a card in {reader!r} already: {self._places[reader]!r}")

        for other, held in self._places.items():
            if held == card:
                raise TargetError(f"the card {card!r} is in {other!r}: remove it there first")

        self._cards[card].reader = reader
        self._manager.insert(reader, self._contacts[card])
        self._places[reader] = card

    def remove(self, reader: str) -> None:
        """Take the card out.

        Raises:
            TargetError: The reader is empty.
        """
        self._card(reader)
        self._manager.remove(reader)
        self._places.pop(reader, None)

    def reset(self, reader: str) -> None:
        """Reset the card in a reader.

        Raises:
            TargetError: The reader is empty.
        """
        self._card(reader)
        self._manager.reset(reader)

    def power(self, reader: str, *, on: bool) -> None:
        """Power the card in a reader, or take its power away.

        Raises:
            TargetError: The reader is empty.
        """
        self._card(reader)
        self._manager.power(reader, on)

    def enter(self, reader: str, entries: Sequence[PinEntry]) -> None:
        """Enter something at a reader's PIN pad, one thing for each prompt.

        Raises:
            TargetError: The reader has no PIN pad.
        """
        try:
            self._manager.enter(reader, entries)
        except NoPinPadError as error:
            raise TargetError(str(error)) from None

    def image(self, reader: str) -> CardImage:
        """Return the memory of the card in a reader, as it is; the card does not notice.

        Raises:
            TargetError: The reader is empty.
        """
        return self._card(reader).image

    def load(self, reader: str, image: CardImage) -> None:
        """Make this the memory of the card in a reader; whoever uses the reader sees a reset.

        Raises:
            TargetError: The reader is empty, or the image is another model's.
        """
        card = self._card(reader)
        self._manager.power(reader, False)  # noqa: FBT003  # power(reader, False) says what it does

        try:
            card.load(image)
        except ImageError as error:
            raise TargetError(str(error)) from None
        finally:
            self._manager.power(reader, True)  # noqa: FBT003  # as above

    def _card(self, reader: str) -> EmulatedCard:
        if reader not in self._places:
            raise TargetError(f"there is no card in {reader!r}")

        return self._cards[self._places[reader]]
