"""The keys of a PIN pad, and the person at it."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from cardtwin.readers.pinpad.entries import Key, PinEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["PinPad"]

_NOTHING: Final = PinEntry(Key.NONE)
_GLANCE: Final = 0.1
"""Seconds between two looks at whether anybody still wants the answer."""


class PinPad:
    """Lists of entries, each of which a person makes one after the other, until something goes wrong.

    What a list has left when a command has failed is forgotten. Where it has nothing left, the next one is
    begun.

    Args:
        patient: Whether time passes where nothing is entered yet, so that somebody may come and enter it.
            Otherwise what isn't there is not entered in time, at once.
    """

    def __init__(self, *, patient: bool = False) -> None:
        self._patient = patient
        self._lists: deque[deque[PinEntry]] = deque()
        self._current: deque[PinEntry] = deque()
        self._changed = threading.Condition()

    @property
    def waiting(self) -> int:
        """How many lists nothing has been asked of yet."""
        with self._changed:
            return len(self._lists)

    def enter(self, entries: Iterable[PinEntry]) -> None:
        """Enter a list, after what was entered before."""
        with self._changed:
            self._lists.append(deque(entries))
            self._changed.notify_all()

    def forget(self) -> None:
        """Forget what the list that was begun has left."""
        with self._changed:
            self._current.clear()

    def ask(self, seconds: float, check: Callable[[], object]) -> PinEntry:
        """Return what is entered next.

        Args:
            seconds: How long the person has.
            check: Called now and then; raises where nobody wants the answer any more.
        """
        end = time.monotonic() + seconds

        with self._changed:
            while not self._take_list():
                check()
                left = end - time.monotonic()

                if not self._patient or left <= 0:
                    return _NOTHING

                self._changed.wait(min(left, _GLANCE))

            return self._current.popleft()

    def _take_list(self) -> bool:
        while not self._current and self._lists:
            self._current = self._lists.popleft()

        return bool(self._current)
