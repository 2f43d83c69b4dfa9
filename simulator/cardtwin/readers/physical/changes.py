"""What happens to the cards in the system's readers, told as the emulated readers tell it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cardtwin.events import PowerChange, ReaderChanged
from cardtwin.pcsc import CardRemovedError, Disposition

if TYPE_CHECKING:
    from cardtwin.events import Hub
    from cardtwin.pcsc import PcscError, ReaderState

__all__ = ["Mark", "ReaderChanges"]

_EVENTS: Final = 1 << 16
"""The service counts insertions and removals in 16 bits."""


@dataclass(slots=True)
class _Reader:
    """What is known of a reader.

    Attributes:
        present: Whether there is a card.
        powered: Whether it has power.
        atr: Its ATR; empty where there is none.
        events: The service's count of insertions and removals; None where it isn't known.
        cards: How many cards have come.
        resets: How often cards have lost what a reset clears.
    """

    present: bool = False
    powered: bool = False
    atr: bytes = b""
    events: int | None = None
    cards: int = 0
    resets: int = 0


@dataclass(frozen=True, slots=True)
class Mark:
    """How far things had come with a reader when a connection was made."""

    cards: int
    resets: int


class ReaderChanges:
    """Tells a hub what happens to cards, once, whichever of several contexts and connections notices it.

    What other programs of the system do is told when a connection hears of it; that a card came or went, also
    when a context looks at its reader. What nobody is told, such as that the service has switched off a card
    which nobody used, isn't told here either.

    Args:
        hub: Who is told.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._readers: dict[str, _Reader] = {}
        self._lock = threading.RLock()

    def seen(self, state: ReaderState) -> None:
        """Take note of a reader's state; one that is older than what is known says nothing."""
        with self._lock:
            known = self._of(state.name)
            new = 1 if known.events is None else (state.events - known.events) % _EVENTS

            if not 0 < new < _EVENTS // 2:
                return

            if known.present and (not state.present or new > 1):
                self._removed(state.name)

            if state.present and not known.present:
                self._inserted(state.name)

            if state.present and not known.powered and not state.mute:
                self._powered(state.name, state.atr)

            known.events = state.events

    def connected(self, reader: str, atr: bytes) -> Mark:
        """Take note that there is a card, which has power, and return how far things have come."""
        with self._lock:
            known = self._of(reader)

            if not known.present:
                self._inserted(reader)

            if not known.powered:
                self._powered(reader, atr)

            known.atr = atr
            return Mark(known.cards, known.resets)

    def disposed(
        self, reader: str, disposition: Disposition, atr: bytes | None = None, *, power_again: bool
    ) -> None:
        """Take note of what a connection has done to the card.

        Args:
            reader: The reader.
            disposition: What was done.
            atr: The card's ATR since then; the one from before if not given.
            power_again: Whether a card that was switched off has power again.
        """
        if disposition not in {Disposition.RESET, Disposition.UNPOWER}:
            return

        with self._lock:
            known = self._of(reader)
            known.resets += 1
            atr = known.atr if atr is None else atr

            if disposition is Disposition.RESET:
                known.powered, known.atr = True, atr
                self._emit(reader, PowerChange.RESET, atr)
                return

            known.powered = False
            self._emit(reader, PowerChange.POWERED_OFF, known.atr)

            if power_again:
                self._powered(reader, atr)

    def fell_mute(self, reader: str, disposition: Disposition) -> None:
        """Take note that a card doesn't answer any more after what a connection has done to it."""
        with self._lock:
            known = self._of(reader)
            known.powered = False
            known.resets += 1

            if disposition is Disposition.UNPOWER:
                self._emit(reader, PowerChange.POWERED_OFF, known.atr)

    def noticed(self, reader: str, mark: Mark, error: PcscError) -> None:
        """Take note of a connection's error: the card is gone, or another program has reset it.

        Args:
            reader: The reader.
            mark: How far things had come when the connection was made, or taken up again.
            error: CardRemovedError or CardResetError.
        """
        with self._lock:
            known = self._of(reader)

            if not known.present or mark.cards != known.cards:
                return

            if isinstance(error, CardRemovedError):
                self._removed(reader)
            elif mark.resets == known.resets:
                self.disposed(reader, Disposition.RESET, power_again=True)

    def _of(self, reader: str) -> _Reader:
        return self._readers.setdefault(reader, _Reader())

    def _inserted(self, reader: str) -> None:
        known = self._of(reader)
        known.present = True
        known.cards += 1
        self._count(known)
        self._emit(reader, PowerChange.INSERTED)

    def _removed(self, reader: str) -> None:
        known = self._of(reader)
        known.present = known.powered = False
        known.atr = b""
        self._count(known)
        self._emit(reader, PowerChange.REMOVED)

    def _powered(self, reader: str, atr: bytes) -> None:
        known = self._of(reader)
        known.powered, known.atr = True, atr
        self._emit(reader, PowerChange.POWERED_ON, atr)

    def _count(self, known: _Reader) -> None:
        """Count as the service does: a state from before says nothing new then."""
        if known.events is not None:
            known.events = (known.events + 1) % _EVENTS

    def _emit(self, reader: str, change: PowerChange, atr: bytes = b"") -> None:
        if not self._hub.silent:
            self._hub.emit(ReaderChanged(reader=reader, change=change, atr=atr))
