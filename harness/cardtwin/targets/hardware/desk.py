"""Physical readers: nobody's hands are there, and eyes only as far as the card tells what is on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from cardtwin.card import EmulatedCard, models
from cardtwin.entropy import SystemEntropy
from cardtwin.pcsc import PcscError
from cardtwin.readers import ReaderManager
from cardtwin.targets.desk import CardDesk
from cardtwin.targets.errors import TargetError
from cardtwin.targets.hardware.rehearsal import hidden_of
from cardtwin.targets.hidden import NOTHING_HIDDEN
from cardtwin.targets.takeover import take_over

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cardtwin.card import CardImage, CardModel
    from cardtwin.pcsc import Context, ReaderState
    from cardtwin.readers import PinEntry
    from cardtwin.targets.cards import BenchCard
    from cardtwin.targets.faults import FaultSetup
    from cardtwin.targets.hidden import Hidden

__all__ = ["PhysicalDesk"]

_BLANK: Final = "blank card"


class PhysicalDesk(CardDesk):
    """Readers with the cards that are in them.

    Args:
        readers: The readers' names on the desk.
        context: Makes a view of the readers.
        asks_tries: Whether a reader's card tells the tries of its PINs without costing one.
    """

    def __init__(
        self, readers: Sequence[str], context: Callable[[], Context], asks_tries: Callable[[str], bool]
    ) -> None:
        super().__init__()
        self._readers = tuple(readers)
        self._context = context
        self._asks_tries = asks_tries
        self._hidden: dict[str, Hidden] = {}

    @property
    def readers(self) -> tuple[str, ...]:
        """The names of all readers."""
        return self._readers

    def image(self, reader: str) -> CardImage:
        """Return what may be read of the card, as its memory; PINs and keys have no value in it.

        Raises:
            TargetError: There is no card in the reader, or it can't be read.
        """
        self.check_reader(reader)
        context = self._context()

        try:
            taken = take_over(context, reader, ask_tries=self._asks_tries(reader))
        finally:
            context.release()

        self._hidden[reader] = hidden_of(taken)
        return taken.image

    def hidden(self, reader: str) -> Hidden:
        """Return what could not be read when the last image was made."""
        return self._hidden.get(reader, NOTHING_HIDDEN)

    def blank(self, image: CardImage) -> CardImage:
        """Return what may be read of a blank card of the same model and serial number."""
        model = models.get(image.model)
        manager = ReaderManager()
        manager.add_reader(_BLANK)
        manager.insert(_BLANK, _blank_card(model, image.serial))
        return take_over(manager.context(), _BLANK).image

    def state(self, reader: str) -> ReaderState:
        """Return what programs see of a reader."""
        context = self._context()

        try:
            return context.state(reader)
        except PcscError as error:
            raise TargetError(str(error)) from None
        finally:
            context.release()

    # What no hand does

    def insert(self, reader: str, card: str) -> None:
        """Refuse."""
        _no_hand(f"put {card!r} into {reader!r}")

    def remove(self, reader: str) -> None:
        """Refuse."""
        _no_hand(f"take the card out of {reader!r}")

    def add_reader(self, reader: str, *, pinpad: bool = False) -> None:
        """Refuse."""
        _no_hand(f"attach {reader!r}" + (" with its PIN pad" if pinpad else ""))

    def remove_reader(self, reader: str) -> None:
        """Refuse."""
        _no_hand(f"detach {reader!r}")

    def reset(self, reader: str) -> None:
        """Refuse."""
        _no_hand(f"reset the card in {reader!r}")

    def power(self, reader: str, *, on: bool) -> None:
        """Refuse."""
        _no_hand(f"switch the power of {reader!r} {'on' if on else 'off'}")

    def enter(self, reader: str, entries: Sequence[PinEntry]) -> None:
        """Refuse."""
        _no_hand(f"enter {len(entries)} things at the PIN pad of {reader!r}")

    def load(self, reader: str, image: CardImage) -> None:
        """Refuse."""
        _no_hand(f"give the card in {reader!r} the memory of a {image.model}")

    def arm(self, reader: str, fault: FaultSetup) -> None:
        """Refuse."""
        _no_hand(f"let {fault.do!r} go wrong with the card in {reader!r}")

    def disarm(self, reader: str) -> None:
        """Refuse."""
        _no_hand(f"mend the card in {reader!r}")

    def _put_in(self, reader: str, card: BenchCard) -> None:
        _no_hand(f"put {card.name!r} into {reader!r}")

    def _take_out(self, reader: str) -> None:
        _no_hand(f"take the card out of {reader!r}")


def _blank_card(model: CardModel, serial: bytes) -> EmulatedCard:
    return EmulatedCard(model, image=model.blank(serial=serial), entropy=SystemEntropy())


def _no_hand(what: str) -> NoReturn:
    """Refuse what only an emulated card or a person's hand does.

    Raises:
        TargetError: Always.
    """
    raise TargetError(f"nobody is there to {what}: it is a physical reader")
