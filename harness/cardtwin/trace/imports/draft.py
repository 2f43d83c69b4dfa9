"""Traces that are put together from a log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from cardtwin.events import Exchange, PowerChange, ReaderChanged

if TYPE_CHECKING:
    from cardtwin.events import Cause, Event

__all__ = ["Draft", "Exchanges", "Sink"]


class Sink(Protocol):
    """Gets the traces of a log, one after the other."""

    def begin(self, title: str) -> None:
        """Take note that what follows is the trace of that title."""

    def take(self, event: Event, at: float | None) -> None:
        """Take the trace's next event, which is not masked.

        Args:
            event: What happened.
            at: When, in seconds since the trace began; None as long as the log tells no time.
        """


class Draft:
    """Takes the events of one trace in the order of a log, and passes them on; without any, there is none.

    A log that tells no time of an event leaves it with that of the one before, and so does a command that
    began before: times never go back.

    Args:
        title: Of the trace.
        sink: Where it goes.

    Attributes:
        empty: Whether nothing has come so far.
    """

    def __init__(self, title: str, sink: Sink) -> None:
        self._title = title
        self._sink = sink
        self._began: float | None = None
        self._latest = 0.0
        self.empty = True

    def add(self, event: Event, at: float | None = None) -> None:
        """Take the next event; its time is in seconds since whenever."""
        if self.empty:
            self._sink.begin(self._title)
            self.empty = False

        if at is not None:
            self._began = at if self._began is None else self._began
            self._latest = max(self._latest, at - self._began)

        self._sink.take(event, None if self._began is None else round(self._latest, 6))


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
