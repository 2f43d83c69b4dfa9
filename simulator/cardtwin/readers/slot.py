"""One reader: the card in it, its power, who is connected and who is in a transaction."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cardtwin.events import PowerChange, ReaderChanged
from cardtwin.pcsc import (
    CardMuteError,
    CardRemovedError,
    CardResetError,
    Disposition,
    InvalidHandleError,
    NoSmartCardError,
    PcscError,
    Protocol,
    ProtocolMismatchError,
    ReaderState,
    ShareMode,
    SharingViolationError,
    UnknownReaderError,
)
from cardtwin.readers.errors import (
    ReaderOccupiedError,
    ReaderUnavailableError,
    UnpoweredCardError,
)
from cardtwin.readers.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.events import Hub
    from cardtwin.pcsc import Card
    from cardtwin.readers.pinpad import PinPad
    from cardtwin.readers.turns import Seat

__all__ = ["Slot"]

SHORT_DATA: Final = 255
EXTENDED_DATA: Final = 65535
SHORT_COMMAND: Final = 4 + 1 + SHORT_DATA + 1
HEADER_AND_LENGTHS: Final = 4 + 3 + 2


class Slot:
    """A reader. Everything but `state` is read and changed under `lock` only.

    `lock` can be taken again by the thread that has it, so that a wrapper around a card, or an observer, may
    remove the card in the middle of a command.

    Attributes:
        state: What programs see; an immutable value, read without the lock.
        live: The card, while it is powered and its protocol is settled: ready for commands.
        turns: Who is in a transaction, and who waits for it to end.
        max_command_data: How many bytes of data programs may count on.
        tells_length: Whether the reader says so.
        longest: The longest command that the reader carries, in bytes.
        pinpad: The reader's PIN pad; None where it has none.
        ejected: Called when the reader has thrown its card out; None where it has no motor to do so.
    """

    def __init__(
        self,
        name: str,
        *,
        hub: Hub | None,
        changed: Callable[[], None],
        max_command_data: int | None,
        pinpad: PinPad | None = None,
    ) -> None:
        self.name = name
        self.lock = threading.RLock()
        self.state = ReaderState(name)
        self.live: Card | None = None
        self.card: Card | None = None
        self.turns = Turns(name, self.lock)
        self.max_command_data = SHORT_DATA if max_command_data is None else max_command_data
        self.tells_length = max_command_data is not None
        self.pinpad = pinpad
        self.ejected: Callable[[], object] | None = None
        self.longest = _longest(EXTENDED_DATA if max_command_data is None else max_command_data)
        self._seats: list[Seat] = []
        self._hub = hub
        self._changed = changed

    # The card and its power

    def insert(self, card: Card) -> None:
        """Put a card in and power it on.

        Raises:
            UnknownReaderError: The reader was taken away meanwhile.
            ReaderOccupiedError: There is a card in it.
        """
        with self.lock:
            if self.turns.closed:
                raise UnknownReaderError(self.name)

            if self.card is not None:
                raise ReaderOccupiedError(f"there is a card in {self.name!r} already; remove it first")

            self.card = card
            self._emit(PowerChange.INSERTED)

            if self._powered_up(Protocol.ANY, events=self.state.events + 1):
                self._emit(PowerChange.POWERED_ON)

    def remove(self) -> Card:
        """Take the card out. Its connections hear of it, and a transaction is over."""
        with self.lock:
            card = self._card_there()
            card.power_off()
            self.card = self.live = None
            self._trouble_all(CardRemovedError)
            self.turns.free()
            self._publish(
                present=False,
                mute=False,
                atr=b"",
                protocol=Protocol.UNDEFINED,
                powered=False,
                events=self.state.events + 1,
            )
            self._emit(PowerChange.REMOVED)
            return card

    def close(self) -> None:
        """Take the reader away, with the card in it."""
        with self.lock:
            if self.card is not None:
                self.remove()

            self._trouble_all(ReaderUnavailableError)
            self.turns.close()

    def reset(self) -> None:
        """Reset the card, whoever is connected. Every connection hears of it."""
        with self.lock:
            self._card_there()
            self._trouble_all(CardResetError)

            if self._powered_up(Protocol.ANY):
                self._emit(PowerChange.RESET)

    def power_on(self) -> None:
        """Give the card power, if it has none.

        Raises:
            NoSmartCardError: The reader is empty.
            CardMuteError: The card does not answer.
        """
        with self.lock:
            self._card_there()

            if self.state.powered:
                return

            if not self._powered_up(Protocol.ANY):
                raise CardMuteError(self.name)

            self._emit(PowerChange.POWERED_ON)

    def power_off(self) -> None:
        """Take the power away. Every connection hears of a reset; the next connect powers the card on."""
        with self.lock:
            card = self._card_there()
            self._trouble_all(CardResetError)
            card.power_off()
            self.live = None
            self._publish(powered=False, protocol=Protocol.UNDEFINED)
            self._emit(PowerChange.POWERED_OFF)

    # Connections

    def join(self, seat: Seat, share: ShareMode, protocol: Protocol) -> None:
        """Let a connection in."""
        with self.lock:
            self._check_shared()
            self.turns.claim(seat)
            self._check_shared()
            self._settle(share, protocol)

            if share is ShareMode.EXCLUSIVE and self._seats:
                raise SharingViolationError(self.name, "others are connected")

            seat.exclusive = share is ShareMode.EXCLUSIVE
            seat.atr = self.state.atr
            self._seats.append(seat)
            self._publish_sharing()

    def rejoin(self, seat: Seat, disposition: Disposition, share: ShareMode, protocol: Protocol) -> None:
        """Take a connection up again, with whatever card is there now."""
        with self.lock:
            self._claim_seated(seat)

            if share is ShareMode.EXCLUSIVE and len(self._seats) > 1:
                raise SharingViolationError(self.name, "others are connected")

            if self.card is None and share is not ShareMode.DIRECT:
                raise CardRemovedError(self.name)

            self._dispose(disposition, power_again=True)
            self._settle(share, protocol)
            seat.exclusive = share is ShareMode.EXCLUSIVE
            seat.atr = self.state.atr
            seat.trouble = None
            self._publish_sharing()

    def leave(self, seat: Seat, disposition: Disposition) -> None:
        """Let a connection go."""
        with self.lock:
            if seat not in self._seats:
                return

            if disposition is not Disposition.LEAVE:
                self._claim_seated(seat)

            self._seats.remove(seat)
            seat.trouble = InvalidHandleError
            self.turns.end(seat, all_levels=True)
            self.turns.wake()
            self._dispose(disposition)
            self._publish_sharing()

    def abandon(self, seat: Seat) -> None:
        """Let a connection go whose program has died or forgot it.

        A card that it held for itself, by a transaction or exclusively, is reset, as pcscd does: nobody
        inherits what was half done.
        """
        with self.lock:
            held = (self.turns.holder is seat or seat.exclusive) and seat.trouble is None
            self.leave(seat, Disposition.LEAVE)

            if held and self.card is not None:
                self.reset()

    def begin(self, seat: Seat) -> None:
        """Begin a transaction; one that the seat is in already becomes one level deeper."""
        with self.lock:
            self.check(seat)
            self.turns.claim(seat)
            self.check(seat)
            self.turns.begin(seat)

    def end(self, seat: Seat, disposition: Disposition) -> None:
        """End a transaction, a level of it where it is nested."""
        with self.lock:
            try:
                self.check(seat)
                self.turns.check_end(seat)
                self._dispose(disposition, power_again=True)
            finally:
                self.turns.end(seat)

    def give_up(self, seat: Seat) -> None:
        """End a transaction, a level of it where it is nested, whatever has happened to it meanwhile."""
        with self.lock:
            self.turns.end(seat)

    def check_ready(self) -> None:
        """Raise if no card is ready for commands."""
        with self.lock:
            if self.live is None:
                raise self.unready()

    def check(self, seat: Seat) -> None:
        """Raise what the seat must hear of before it is used."""
        if seat.trouble is not None:
            raise seat.trouble(self.name)

    def admit(self, seat: Seat) -> None:
        """Let a command through: after the transactions of others, and not after a reset by others."""
        self.check(seat)
        self.turns.claim(seat)
        self.check(seat)

    def unready(self) -> PcscError:
        """Return why no card is ready for commands."""
        if self.card is None:
            return NoSmartCardError(self.name)

        if self.state.mute:
            return CardMuteError(self.name)

        if not self.state.powered:
            return UnpoweredCardError(self.name)

        return ProtocolMismatchError(self.name, "no protocol is settled; connect or reconnect for one")

    # Helpers; all with the lock held

    def _card_there(self) -> Card:
        if self.card is None:
            raise NoSmartCardError(self.name)

        return self.card

    def _claim_seated(self, seat: Seat) -> None:
        """Claim the turn of a seat that may have trouble, but must not be, or meanwhile become, closed."""
        self._check_seated(seat)
        self.turns.claim(seat)
        self._check_seated(seat)

    def _check_seated(self, seat: Seat) -> None:
        if seat not in self._seats:
            self.check(seat)

    def _check_shared(self) -> None:
        if self.state.sharing < 0:
            raise SharingViolationError(self.name, "another connection has it exclusively")

    def _powered_up(self, protocols: Protocol, **also: object) -> bool:
        card = self._card_there()
        self.live = None

        try:
            atr = card.power_on(protocols)
        except (CardMuteError, ProtocolMismatchError):
            atr = b""

        up = bool(atr)
        self._publish(present=True, mute=not up, powered=up, atr=atr, protocol=Protocol.UNDEFINED, **also)
        return up

    def _settle(self, share: ShareMode, wanted: Protocol) -> None:
        """See to power and protocol, as a connection of that mode needs them."""
        if share is ShareMode.DIRECT:
            return

        card = self._card_there()
        self.power_on()

        if self.state.protocol is Protocol.UNDEFINED:
            self._negotiate(card, wanted)

        if not self.state.protocol & wanted:
            raise ProtocolMismatchError(self.name, f"{self.state.protocol!r} is spoken already")

    def _negotiate(self, card: Card, wanted: Protocol) -> None:
        """Pick the protocol (ISO/IEC 7816-3, 6.3.1); a card that began with another is powered on for it."""
        wanted &= Protocol.ANY

        if not wanted:
            raise ProtocolMismatchError(self.name, "T=0 and T=1 are spoken here, nothing else")

        if not card.protocol & wanted and not self._powered_up(wanted):
            self._powered_up(Protocol.ANY)
            raise ProtocolMismatchError(self.name, f"the card speaks {card.protocol!r}")

        self._publish(protocol=card.protocol)
        self.live = card

    def _dispose(self, disposition: Disposition, *, power_again: bool = False) -> None:
        """Do to the card what a program asked for. Ejecting does nothing in a reader without a motor."""
        if self.card is None or disposition is Disposition.LEAVE:
            return

        if disposition is Disposition.EJECT:
            if self.ejected is not None:
                self.remove()
                self.ejected()

            return

        if disposition is Disposition.RESET:
            self.reset()
            return

        self.power_off()

        if power_again:
            self.power_on()

    def _trouble_all(self, trouble: type[PcscError]) -> None:
        for seat in self._seats:
            seat.trouble = trouble

    def _publish_sharing(self) -> None:
        exclusive = any(seat.exclusive for seat in self._seats)
        self._publish(sharing=-1 if exclusive else len(self._seats))

    def _publish(self, **changes: object) -> None:
        state = replace(self.state, **changes)  # type: ignore[arg-type]  # the names are checked by replace

        if state != self.state:
            self.state = state
            self._changed()

    def _emit(self, change: PowerChange) -> None:
        if self._hub is not None and not self._hub.silent:
            self._hub.emit(ReaderChanged(reader=self.name, change=change, atr=self.state.atr))


def _longest(data: int) -> int:
    """Return how many bytes a command has at most that holds so many bytes of data."""
    return SHORT_COMMAND if data == SHORT_DATA else HEADER_AND_LENGTHS + data
