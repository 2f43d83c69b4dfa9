"""The recorder: events as text, without secrets, times or anything else that differs between runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.events import Call, CardChanged, Defect, Event, Exchange, ReaderChanged
from cardtwin.trace.masking import Masker

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Recorder"]


class Recorder:
    """An observer that keeps events and writes them as a trace.

    The text has one line per event, the cause above the first event that has it::

        ## erase[cardos-4.4]
        # step 1 (apdu)
        > R1: 00 A4 00 0C 02 3F 00  SELECT file 3F00
        < R1: 90 00
        * R1: file created 3F00/5015
    """

    def __init__(self) -> None:
        self._events: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Keep an event."""
        self._events.append(event)

    def text(self, title: str) -> str:
        """Return the trace under a title."""
        return "".join(f"{line}\n" for line in (f"## {title}", *self._lines()))

    def _lines(self) -> Iterator[str]:
        masker = Masker()
        cause: tuple[str, ...] = ()

        for event in self._events:
            chain = event.cause.chain() if event.cause else ()

            if chain != cause:
                cause = chain
                yield f"# {' / '.join(chain)}"

            yield from _lines_of(event, masker)


def _lines_of(event: Event, masker: Masker) -> Iterator[str]:
    match event:
        case Exchange():
            masked = masker.exchange(event)
            yield f"> {masked.reader}: {masked.command}  {masked.meaning}"
            yield f"< {masked.reader}: {masked.response}"
        case Call():
            arguments = ", ".join(f"{name}={value}" for name, value in event.arguments)
            yield f"= {event.interface} {event.name}({arguments}) -> {event.result}"
        case CardChanged():
            yield f"* {event.reader}: {event.change.value} {event.subject} {event.detail}".rstrip()
        case ReaderChanged():
            masker.changed(event)
            yield f"* {event.reader}: {event.change.value} {event.atr.hex(' ').upper()}".rstrip()
        case Defect():
            yield f"! defect in {event.where}"
        case _:
            pass
