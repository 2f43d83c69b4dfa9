"""C_WaitForSlotEvent: cards that come and go, told once for each slot."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.middleware import Ckr, MiddlewareError
from cardtwin.middleware.channel import lost
from cardtwin.pcsc import (
    CancelledError,
    InvalidHandleError,
    PcscError,
    TimeoutExpiredError,
    UnknownReaderError,
)

if TYPE_CHECKING:
    from cardtwin.cryptoki.slots import SlotTable
    from cardtwin.pcsc import Context, ReaderState

__all__ = ["SlotEvents"]

_LOOK_AGAIN: Final = 0.5  # seconds, for readers that come while nothing else happens


class SlotEvents:
    """The events that one application hasn't heard of yet. Any thread may ask, beside other calls."""

    def __init__(self, context: Context, slots: SlotTable, closed: threading.Event) -> None:
        self._context = context
        self._slots = slots
        self._closed = closed
        self._turn = threading.Lock()  # several threads may ask at once, each for events of its own
        self._pending: deque[int] = deque()
        self._heard = {slot.bay.reader: self._state(slot.bay.reader) for slot in slots.known()}

    def poll(self) -> int:
        """Return the slot of an event.

        Raises:
            CryptokiError: CKR_NO_EVENT.
        """
        with self._turn:
            self._collect()

            if not self._pending:
                raise CryptokiError(Ckr.CKR_NO_EVENT)

            return self._pending.popleft()

    def wait(self) -> int:
        """Return the slot of an event, as soon as there is one.

        Raises:
            CryptokiError: CKR_CRYPTOKI_NOT_INITIALIZED: the application was closed meanwhile.
        """
        while True:
            if self._closed.is_set():
                raise CryptokiError(Ckr.CKR_CRYPTOKI_NOT_INITIALIZED, "the program has finished")

            try:
                return self.poll()
            except CryptokiError as error:
                if error.rv is not Ckr.CKR_NO_EVENT:
                    raise

            self._sleep()

    def close(self) -> None:
        """End the waits, those that begin a moment later included."""
        self._closed.set()
        self._context.cancel()

    def _sleep(self) -> None:
        with self._turn:
            states = [state for state in self._heard.values() if state is not None]

        if not states:
            self._closed.wait(_LOOK_AGAIN)
            return

        try:
            self._context.wait(states, _LOOK_AGAIN)
        except (TimeoutExpiredError, CancelledError, UnknownReaderError, InvalidHandleError):
            return  # the next look tells
        except PcscError as error:
            raise lost(error) from error

    def _collect(self) -> None:
        try:
            slots = self._slots.known()
        except MiddlewareError:
            return  # the context was released: whoever waits is told so

        for reader in dict.fromkeys(slot.bay.reader for slot in slots):
            now, heard = self._state(reader), self._heard.get(reader)

            if _moved(heard, now):
                self._pending.extend(slot.slot_id for slot in slots if slot.bay.reader == reader)

            self._heard[reader] = now

    def _state(self, reader: str) -> ReaderState | None:
        try:
            return self._context.state(reader)
        except PcscError:
            return None


def _moved(heard: ReaderState | None, now: ReaderState | None) -> bool:
    """Whether a card has come or gone."""
    if heard is None or now is None:
        return any(state.present for state in (heard, now) if state is not None)

    return (heard.events, heard.present) != (now.events, now.present)
