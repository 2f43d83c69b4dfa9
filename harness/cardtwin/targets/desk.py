"""Hands and eyes at emulated readers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

from cardtwin.card import ImageError, models
from cardtwin.readers import NoPinPadError, PinPad
from cardtwin.targets.errors import TargetError
from cardtwin.targets.hidden import NOTHING_HIDDEN, Hidden

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from contextlib import AbstractContextManager

    from cardtwin.card import CardImage
    from cardtwin.pcsc import ReaderState
    from cardtwin.readers import PinEntry, ReaderManager
    from cardtwin.targets.cards import BenchCard
    from cardtwin.targets.faults import FaultSetup

__all__ = ["CardDesk", "EmulatedDesk"]


class CardDesk(ABC):
    """Cards, readers, and which card is in which reader.

    A card with faults may take itself out, in the thread that has sent it a command.
    """

    def __init__(self) -> None:
        self._cards: dict[str, BenchCard] = {}
        self._places: dict[str, str] = {}
        self._latest: dict[str, str] = {}

    # What lies on it

    @property
    def cards(self) -> tuple[BenchCard, ...]:
        """All cards, in readers or not."""
        return tuple(self._cards.values())

    @property
    @abstractmethod
    def readers(self) -> tuple[str, ...]:
        """The names of all readers."""

    def add_card(self, card: BenchCard) -> None:
        """Put a card on the desk, beside the readers.

        Raises:
            TargetError: One of that name is there.
        """
        if card.name in self._cards:
            raise TargetError(f"there is a card {card.name!r} already")

        self._cards[card.name] = card
        card.take_out = partial(self._out_of_every_reader, card.name)

    @abstractmethod
    def add_reader(self, reader: str, *, pinpad: bool = False) -> None:
        """Attach an empty reader, maybe one with a PIN pad.

        Raises:
            TargetError: There is one of that name, or there can be no such reader.
        """

    def let_eject(self, reader: str) -> None:
        """Give a reader a motor that throws its card out when a program wants that.

        Raises:
            TargetError: There is none of that name, or such readers have no motors.
        """
        self.check_reader(reader)
        raise TargetError(f"{reader!r} has no motor to throw cards out")

    @abstractmethod
    def remove_reader(self, reader: str) -> None:
        """Take a reader away; the card in it is on the desk then.

        Raises:
            TargetError: There is none of that name.
        """

    def place(
        self,
        readers: Mapping[str, str | None],
        pinpads: Collection[str] = (),
        absent: Collection[str] = (),
        ejecting: Collection[str] = (),
    ) -> None:
        """Put the readers on the desk, some with PIN pads or motors, and into each the card that is named.

        Those that are absent are left out.
        """
        for reader, card in readers.items():
            if reader in absent:
                continue

            self.add_reader(reader, pinpad=reader in pinpads)

            if reader in ejecting:
                self.let_eject(reader)

            if card is not None:
                self.insert(reader, card)

    # Where the cards are

    def card_in(self, reader: str) -> BenchCard | None:
        """Return the card in a reader; None if it is empty."""
        name = self._places.get(reader)
        return None if name is None else self._cards[name]

    def reader_of(self, card: str) -> str | None:
        """Return the reader that a card is in; None if it is in none."""
        return next((reader for reader, held in tuple(self._places.items()) if held == card), None)

    def latest(self, reader: str) -> str | None:
        """Return the card that was put last into a reader; None if there was none."""
        return self._latest.get(reader)

    # What a hand does

    def insert(self, reader: str, card: str) -> None:
        """Put a card into a reader.

        Raises:
            TargetError: There is no such card or reader, the reader holds a card, or the card is in another
                reader.
        """
        if card not in self._cards:
            raise TargetError(f"there is no card {card!r}, only {', '.join(self._cards) or 'none at all'}")

        self.check_empty(reader)

        if (other := self.reader_of(card)) is not None:
            raise TargetError(f"the card {card!r} is in {other!r}: remove it there first")

        self._cards[card].chip.reader = reader
        self._places[reader] = card  # before it is used: it may take itself out at its first command

        try:
            self._put_in(reader, self._cards[card])
        except BaseException:
            self._places.pop(reader, None)
            raise

        self._latest[reader] = card

    def check_empty(self, reader: str) -> None:
        """See that a card can be put into a reader.

        Raises:
            TargetError: There is no such reader, or it holds a card.
        """
        self.check_reader(reader)

        if reader in self._places:
            raise TargetError(f"there is a card in {reader!r} already: {self._places[reader]!r}")

    def remove(self, reader: str) -> None:
        """Take the card out.

        Raises:
            TargetError: The reader is empty.
        """
        with self._card(reader).hurried():
            self._take_out(reader)

        self._places.pop(reader, None)

    @abstractmethod
    def reset(self, reader: str) -> None:
        """Reset the card in a reader.

        Raises:
            TargetError: The reader is empty.
        """

    @abstractmethod
    def power(self, reader: str, *, on: bool) -> None:
        """Power the card in a reader, or take its power away.

        Raises:
            TargetError: The reader is empty, or its power is somebody else's business.
        """

    def arm(self, reader: str, fault: FaultSetup) -> None:
        """Let something go wrong with the card in a reader, at commands that come from now on.

        Raises:
            TargetError: The reader is empty.
        """
        self._card(reader).arm(fault)

    def disarm(self, reader: str) -> None:
        """Let nothing go wrong any more with the card in a reader; a silent one answers after a reset.

        Raises:
            TargetError: The reader is empty.
        """
        self._card(reader).disarm()

    @abstractmethod
    def enter(self, reader: str, entries: Sequence[PinEntry]) -> None:
        """Enter something at a reader's PIN pad, one thing for each prompt.

        Raises:
            TargetError: The reader has no PIN pad.
        """

    # What an eye sees

    def image(self, reader: str) -> CardImage:
        """Return the memory of the card in a reader, as it is; the card does not notice.

        Raises:
            TargetError: The reader is empty.
        """
        return self._card(reader).chip.image

    def hidden(self, reader: str) -> Hidden:  # noqa: ARG002  # Desk's
        """Return what the last image of a reader's card has no truth about: nothing, its memory lies open."""
        return NOTHING_HIDDEN

    def blank(self, image: CardImage) -> CardImage:
        """Return what :meth:`image` would give if the card that it was taken of were blank."""
        return models.get(image.model).blank(serial=image.serial)

    @abstractmethod
    def load(self, reader: str, image: CardImage) -> None:
        """Make this the memory of the card in a reader; whoever uses the reader sees a reset.

        Raises:
            TargetError: The reader is empty, or the image is another model's.
        """

    @abstractmethod
    def state(self, reader: str) -> ReaderState | None:
        """Return what programs see of a reader; None where only the system's pcscd knows."""

    # For what readers there are

    @abstractmethod
    def _put_in(self, reader: str, card: BenchCard) -> None:
        """Let the reader have the card."""

    @abstractmethod
    def _take_out(self, reader: str) -> None:
        """Take the card from the reader."""

    def check_reader(self, reader: str) -> None:
        """See that there is such a reader.

        Raises:
            TargetError: There is none.
        """
        if reader not in self.readers:
            raise TargetError(
                f"there is no reader {reader!r}, only {', '.join(self.readers) or 'none at all'}"
            )

    def _card(self, reader: str) -> BenchCard:
        self.check_reader(reader)

        if (card := self.card_in(reader)) is None:
            raise TargetError(f"there is no card in {reader!r}")

        return card

    def _hurried(self, reader: str) -> AbstractContextManager[None]:
        """Let a card that may be in a reader take no time while the block lasts."""
        card = self.card_in(reader)
        return nullcontext() if card is None else card.hurried()

    def _out_of_every_reader(self, card: str) -> None:
        if (reader := self.reader_of(card)) is not None:
            self._take_out(reader)
            self._places.pop(reader, None)

    @staticmethod
    def _loaded(card: BenchCard, image: CardImage) -> None:
        try:
            card.load(image)
        except ImageError as error:
            raise TargetError(str(error)) from None


class EmulatedDesk(CardDesk):
    """Cards and the readers of a manager.

    Args:
        manager: The manager.
        patient: Whether PIN pads wait for a person who may still come.
    """

    def __init__(self, manager: ReaderManager, *, patient: bool = False) -> None:
        super().__init__()
        self._manager = manager
        self._patient = patient

    @property
    def readers(self) -> tuple[str, ...]:
        """The names of all readers."""
        return self._manager.readers()

    def add_reader(self, reader: str, *, pinpad: bool = False) -> None:
        """Attach an empty reader, maybe one with a PIN pad; for a name that can't be, the manager's errors.

        Raises:
            TargetError: There is one of that name.
        """
        if reader in self.readers:
            raise TargetError(f"there is a reader {reader!r} already")

        self._manager.add_reader(reader, pinpad=PinPad(patient=self._patient) if pinpad else None)

    def let_eject(self, reader: str) -> None:
        """Give a reader a motor that throws its card out when a program wants that.

        Raises:
            TargetError: There is none of that name.
        """
        self.check_reader(reader)
        self._manager.let_eject(reader, lambda: self._places.pop(reader, None))

    def remove_reader(self, reader: str) -> None:
        """Take a reader away; the card in it is on the desk then.

        Raises:
            TargetError: There is none of that name.
        """
        self.check_reader(reader)

        with self._hurried(reader):
            self._manager.remove_reader(reader)

        self._places.pop(reader, None)
        self._latest.pop(reader, None)

    def reset(self, reader: str) -> None:
        """Reset the card in a reader.

        Raises:
            TargetError: The reader is empty.
        """
        with self._card(reader).hurried():
            self._manager.reset(reader)

    def power(self, reader: str, *, on: bool) -> None:
        """Power the card in a reader, or take its power away.

        Raises:
            TargetError: The reader is empty.
        """
        with self._card(reader).hurried():
            self._manager.power(reader, on)

    def enter(self, reader: str, entries: Sequence[PinEntry]) -> None:
        """Enter something at a reader's PIN pad, one thing for each prompt.

        Raises:
            TargetError: The reader has no PIN pad.
        """
        self.check_reader(reader)

        try:
            self._manager.enter(reader, entries)
        except NoPinPadError as error:
            raise TargetError(str(error)) from None

    def load(self, reader: str, image: CardImage) -> None:
        """Make this the memory of the card in a reader; whoever uses the reader sees a reset.

        Raises:
            TargetError: The reader is empty, or the image is another model's.
        """
        card = self._card(reader)

        with card.hurried():
            self._manager.power(reader, False)  # noqa: FBT003  # power(reader, False) says what it does

        try:
            self._loaded(card, image)
        finally:
            self._manager.power(reader, True)  # noqa: FBT003  # as above

    def state(self, reader: str) -> ReaderState:
        """Return what programs see of a reader."""
        return self._manager.state(reader)

    def _put_in(self, reader: str, card: BenchCard) -> None:
        self._manager.insert(reader, card.contacts)

    def _take_out(self, reader: str) -> None:
        self._manager.remove(reader)
