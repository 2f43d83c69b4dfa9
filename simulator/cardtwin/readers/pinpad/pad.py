"""The keys of a PIN pad, and the person at it."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from cardtwin.readers.pinpad.entries import Key, PinEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["PinPad"]

_NOTHING: Final = PinEntry(Key.NONE)
_GLANCE: Final = 0.1
"""Seconds between two looks at whether anybody still wants the answer."""


class PinPad:
    """Lists of entries, one for each command that wants a PIN.

    What a command leaves of its list is forgotten. A command that asks for more than its list has goes on
    with the next one.

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
        """How many lists no command has asked for yet."""
        with self._changed:
            return len(self._lists)

    def enter(self, entries: Iterable[PinEntry]) -> None:
        """Enter something for the next command that wants a PIN, after what was entered for others."""
        with self._changed:
            self._lists.append(deque(entries))
            self._changed.notify_all()

    @contextmanager
    def command(self) -> Iterator[None]:
        """Serve one command in the block."""
        try:
            yield
        finally:
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
