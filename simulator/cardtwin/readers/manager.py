"""The resource manager: readers, and the contexts through which programs use them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from cardtwin.pcsc import ReaderState, UnknownReaderError
from cardtwin.readers.context import ManagedContext
from cardtwin.readers.errors import NoPinPadError, ReaderError, ReaderNameError
from cardtwin.readers.slot import Slot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cardtwin.events import Hub
    from cardtwin.pcsc import Card
    from cardtwin.readers.pinpad import PinEntry, PinPad

__all__ = ["ReaderManager"]

_NAME_BYTES: Final = 127
_SHORT: Final = 255
_EXTENDED: Final = 65535


class ReaderManager:
    """Readers in this process: the only home of sharing, transactions, resets and events.

    Semantics are those of pcsc-lite 1.9.9, with these differences: an unused card is never powered off by the
    passing of time; who waits longest for a transaction's end goes first; and the end of a transaction that
    is met by a reset is an end all the same.

    A card is called under its reader's lock, in the thread of the caller; so are the hub's observers, which
    see what happens at one reader in its order. An observer may use the manager, in its own thread.

    Attributes:
        changed: Told of every change of a state or of the list of readers.
        reader_events: How often a reader was attached or taken away.

    Args:
        hub: Told of every APDU at the contacts (events.Exchange) and every change (events.ReaderChanged).
    """

    def __init__(self, hub: Hub | None = None) -> None:
        self.hub = hub
        self.changed = threading.Condition()
        self.reader_events = 0
        self._slots: dict[str, Slot] = {}
        self._watchers: tuple[Callable[[], object], ...] = ()

    # The desk: what a person does

    def add_reader(
        self, name: str, *, max_command_data: int | None = _EXTENDED, pinpad: PinPad | None = None
    ) -> None:
        """Attach an empty reader.

        Args:
            name: At most 127 bytes of UTF-8, no control characters.
            max_command_data: How many bytes of data its commands may hold: 255 (short APDUs only) or more;
                None for one that carries all, and doesn't say so: its programs have to make do with 255.
            pinpad: Its PIN pad; None gives it none.

        Raises:
            ReaderNameError: The name is empty, too long or taken.
            ReaderError: Such a reader cannot be.
        """
        if not name or not name.isprintable() or len(name.encode()) > _NAME_BYTES:
            raise ReaderNameError(f"{name!r}: a reader's name has 1 to {_NAME_BYTES} bytes, all printable")

        if max_command_data is not None and not _SHORT <= max_command_data <= _EXTENDED:
            raise ReaderError(f"{max_command_data} is not between {_SHORT} and {_EXTENDED}")

        slot = Slot(name, hub=self.hub, changed=self._tell, max_command_data=max_command_data, pinpad=pinpad)

        with self.changed:
            if name in self._slots:
                raise ReaderNameError(f"there is a reader {name!r} already")

            self._slots = {**self._slots, name: slot}
            self.reader_events += 1

        self._tell()

    def remove_reader(self, name: str) -> None:
        """Take a reader away, with the card in it. Its connections are dead.

        Raises:
            UnknownReaderError: There is none of that name.
        """
        with self.changed:
            slot = self.slot(name)
            self._slots = {other: kept for other, kept in self._slots.items() if other != name}
            self.reader_events += 1

        slot.close()
        self._tell()

    def insert(self, name: str, card: Card) -> None:
        """Put a card into a reader; it is powered on at once. A mute one stays in, mute.

        Raises:
            UnknownReaderError: There is no such reader.
            ReaderOccupiedError: There is a card in it.
        """
        self.slot(name).insert(card)

    def remove(self, name: str) -> Card:
        """Take the card out, whoever uses it, and return it.

        Raises:
            UnknownReaderError: There is no such reader.
            NoSmartCardError: It is empty.
        """
        return self.slot(name).remove()

    def card(self, name: str) -> Card | None:
        """Return the card in a reader, or None.

        Raises:
            UnknownReaderError: There is no such reader.
        """
        return self.slot(name).card

    def let_eject(self, name: str, ejected: Callable[[], object]) -> None:
        """Give a reader a motor: it throws its card out when a program wants that (SCARD_EJECT_CARD).

        Args:
            name: The reader.
            ejected: Called each time, when the card is out.

        Raises:
            UnknownReaderError: There is no such reader.
        """
        self.slot(name).ejected = ejected

    def enter(self, name: str, entries: Iterable[PinEntry]) -> None:
        """Enter something at a reader's PIN pad, one thing for each prompt; see :class:`PinPad`.

        Raises:
            UnknownReaderError: There is no such reader.
            NoPinPadError: It has no PIN pad.
        """
        pad = self.slot(name).pinpad

        if pad is None:
            raise NoPinPadError(f"{name!r} has no PIN pad")

        pad.enter(entries)

    def reset(self, name: str) -> None:
        """Reset the card, whoever uses it; every connection hears of it, also inside a transaction.

        Raises:
            UnknownReaderError: There is no such reader.
            NoSmartCardError: It is empty.
        """
        self.slot(name).reset()

    def power(self, name: str, on: bool) -> None:  # noqa: FBT001  # power(reader, True) says what it does
        """Switch the card's power. Off is a reset for every connection; connecting switches it on again.

        Raises:
            UnknownReaderError: There is no such reader.
            NoSmartCardError: It is empty.
            CardMuteError: The card does not answer.
        """
        slot = self.slot(name)

        if on:
            slot.power_on()
        else:
            slot.power_off()

    # Programs

    def context(
        self, *, patience: float | None = None, check: Callable[[], object] | None = None
    ) -> ManagedContext:
        """Return a new program's view.

        Args:
            patience: Seconds that its connections wait for the transactions of others; None waits for ever.
            check: Called now and then while a person is at a PIN pad; raises if the program has gone. If not
                given, the context itself must not be released meanwhile.
        """
        return ManagedContext(self, patience, check)

    def readers(self) -> tuple[str, ...]:
        """Return the readers' names, in the order in which they were added."""
        return tuple(self._slots)

    def state(self, name: str) -> ReaderState:
        """Return the state of one reader, without waiting for anything.

        Raises:
            UnknownReaderError: There is none of that name.
        """
        return self.slot(name).state

    def states(self) -> tuple[ReaderState, ...]:
        """Return the states of all readers, in their order."""
        return tuple(slot.state for slot in self._slots.values())

    def slot(self, name: str) -> Slot:
        """Return the reader itself; for this package.

        Raises:
            UnknownReaderError: There is none of that name.
        """
        try:
            return self._slots[name]
        except KeyError:
            raise UnknownReaderError(name) from None

    def watch(self, watcher: Callable[[], object]) -> Callable[[], None]:
        """Call a function at each change of a state or of the list of readers, in the causing thread.

        It must be quick, raise nothing and wait for nobody. The function returned ends it; it may be called
        twice.
        """
        with self.changed:
            self._watchers = (*self._watchers, watcher)

        def unwatch() -> None:
            with self.changed:
                self._watchers = tuple(one for one in self._watchers if one is not watcher)

        return unwatch

    def _tell(self) -> None:
        with self.changed:
            self.changed.notify_all()

        for watcher in self._watchers:
            watcher()
