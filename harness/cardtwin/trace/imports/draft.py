"""A trace that is put together from a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.events import Exchange, PowerChange, ReaderChanged
from cardtwin.trace.masking import Masker
from cardtwin.trace.recorder import Trace

if TYPE_CHECKING:
    from cardtwin.events import Cause, Event

__all__ = ["Draft", "Exchanges"]


class Draft:
    """Takes events in the order of a log; each is masked as it comes.

    A log that tells no time of an event leaves it with that of the one before, and so does a command that
    began before: times never go back.

    Args:
        title: Of the trace.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._masker = Masker()
        self._events: list[Event] = []
        self._times: list[float] = []
        self._began: float | None = None
        self._latest = 0.0

    @property
    def empty(self) -> bool:
        """Whether nothing has come so far."""
        return not self._events

    def add(self, event: Event, at: float | None = None) -> None:
        """Take the next event; its time is in seconds since whenever."""
        if at is not None:
            self._began = at if self._began is None else self._began
            self._latest = max(self._latest, at - self._began)

        self._events.append(self._masker.masked(event))
        self._times.append(round(self._latest, 6))

    def trace(self) -> Trace:
        """Return what has come; times are in it where the log has any."""
        return Trace(self._title, tuple(self._events), () if self._began is None else tuple(self._times))


class Exchanges:
    """Puts commands and responses together that a log tells of one after the other.

    Args:
        draft: Where they go.
        reader: Its name, for a log that tells none.
        cause: Of all of them.
    """

    def __init__(self, draft: Draft, reader: str, cause: Cause | None = None) -> None:
        self._draft = draft
        self.reader = reader
        self._cause = cause
        self._command: bytes | None = None
        self._at: float | None = None

    @property
    def waiting(self) -> bool:
        """Whether there is a command without its response."""
        return self._command is not None

    def command(self, command: bytes, at: float | None = None) -> None:
        """Take a command; one before that has no response gets none."""
        self.unanswered()
        self._command, self._at = command, at

    def response(self, response: bytes) -> None:
        """Take the response to the command; one of no bytes is none."""
        if not response:
            self.unanswered("the reader gave none")
        elif self._command is not None:
            self._put(response)

    def unanswered(self, why: str = "the log has no response") -> None:
        """Take note of why the command has no response; nothing where there is no command."""
        if self._command is not None:
            self._put(b"", why)

    def power(self, change: PowerChange, atr: bytes = b"", at: float | None = None) -> None:
        """Take note of what happened to the card."""
        self.unanswered()
        self._draft.add(ReaderChanged(cause=self._cause, reader=self.reader, change=change, atr=atr), at)

    def _put(self, response: bytes, why: str = "") -> None:
        command, self._command = self._command or b"", None
        self._draft.add(
            Exchange(
                cause=self._cause, reader=self.reader, command=command, response=response, unanswered=why
            ),
            self._at,
        )
