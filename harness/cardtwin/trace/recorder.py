"""The recorder: keeps events, masked as they come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardtwin.trace.masking import Masker
from cardtwin.trace.text import lines, printable

if TYPE_CHECKING:
    from cardtwin.events import Event

__all__ = ["Recorder", "Trace"]


@dataclass(frozen=True, slots=True)
class Trace:
    """What happened, in its order. It holds no secrets.

    Attributes:
        title: Of what, such as a scenario's instance.
        events: Masked events: a MaskedExchange stands where an Exchange was.
        times: Of each event, the seconds since the recording began; empty where no times were asked for.
        cut_at: The limit in bytes that ended the recording before what happened did; None where none has.
    """

    title: str
    events: tuple[Event, ...]
    times: tuple[float, ...] = ()
    cut_at: int | None = None

    def text(self) -> str:
        """Return it for people: without times or anything else that differs between equal runs."""
        cut = (
            () if self.cut_at is None else (f"! cut here: the trace was to have {self.cut_at} bytes at most",)
        )
        return "".join(f"{line}\n" for line in (f"## {printable(self.title)}", *lines(self.events), *cut))


class Recorder:
    """An observer that keeps events, without their secrets."""

    def __init__(self) -> None:
        self._masker = Masker()
        self._events: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Keep an event."""
        self._events.append(self._masker.masked(event))

    def trace(self, title: str) -> Trace:
        """Return what was recorded so far, under a title."""
        return Trace(title, tuple(self._events))

    def text(self, title: str) -> str:
        """Return the same for people."""
        return self.trace(title).text()
