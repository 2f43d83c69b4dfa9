"""The APDUs of a trace as bytes, each with what is to be said of it.

A byte that a trace masks is 00 here: other programs' forms have nothing for a byte that isn't known. Which
ones these are is said beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from cardtwin.events import PowerChange, ReaderChanged
from cardtwin.trace.masking import MaskedExchange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cardtwin.events import Event
    from cardtwin.trace.recorder import Trace

__all__ = ["ExportError", "Packet", "packets_of"]

_MASKED: Final = "**"


class ExportError(ValueError):
    """A trace cannot be told in a form."""


@dataclass(frozen=True, slots=True)
class Packet:
    """A command and its response.

    Attributes:
        reader: The reader's name.
        command: The command; masked bytes are 00.
        response: The response, likewise; empty where none came.
        remarks: What it means and why it was sent, which bytes are masked, and what happened before it.
        at: Seconds since the trace began; 0 where it has no times.
    """

    reader: str
    command: bytes
    response: bytes
    remarks: tuple[str, ...]
    at: float


def packets_of(trace: Trace) -> Iterator[Packet]:
    """Yield the APDUs of a trace in their order."""
    times = trace.times or (0.0,) * len(trace.events)
    before: list[str] = []

    for event, at in zip(trace.events, times, strict=True):
        if isinstance(event, MaskedExchange):
            remarks = (*before, *_remarks(event))
            yield Packet(event.reader, _bytes(event.command), _bytes(event.response), remarks, at)
            before = []
        else:
            before += _said(event)


def _remarks(event: MaskedExchange) -> Iterator[str]:
    yield event.meaning

    if event.cause is not None:
        yield f"because of {' / '.join(event.cause.chain())}"

    for what, digits in (("command", event.command), ("response", event.response)):
        if masked := ", ".join(_runs(digits.split())):
            yield f"masked, here 00: bytes {masked} of the {what}"

    if event.unanswered:
        yield f"no answer: {event.unanswered}"


def _said(event: Event) -> Iterable[str]:
    """Return what is said of a card before its next APDU."""
    match event:
        case ReaderChanged(change=PowerChange() as change, atr=atr):
            return (f"before: {event.reader}: {change.value} {atr.hex(' ').upper()}".rstrip(),)
        case _:
            return ()


def _runs(digits: list[str]) -> Iterator[str]:
    """Yield the numbers of masked bytes, counted from 1: single ones, and first and last of several."""
    for masked, run in groupby(enumerate(digits, start=1), key=lambda each: each[1] == _MASKED):
        if masked:
            numbers = [number for number, _ in run]
            yield f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"


def _bytes(digits: str) -> bytes:
    return bytes.fromhex(digits.replace(_MASKED, "00"))
