"""Events as a trace for people: calls, the APDUs they caused, and what these changed."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Final

from cardtwin.events import (
    CallBegan,
    CallEnded,
    CardChanged,
    CommandRefused,
    Defect,
    Event,
    LoginEnded,
    PinPadUsed,
    ReaderChanged,
)
from cardtwin.trace.masking import MaskedExchange
from cardtwin.trace.places import Places

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cardtwin.events import Cause

__all__ = ["lines", "printable"]

_NOT_LOGGED_IN: Final = "CKR_USER_NOT_LOGGED_IN"
_INDENT: Final = "  "
_DONE: Final = "90 00"
_RUN: Final = re.compile(r"(?<!\S)(\S\S)(?: \1){15,}(?!\S)")


def lines(events: Sequence[Event]) -> Iterator[str]:
    """Yield a trace of masked events, in the order in which they happened.

    What has a cause stands below it, two blanks further in. Calls are numbered as they begin. What an APDU or
    a reset changed on the card stands below that. Where threads take turns, the cause is named again. Of the
    bytes, a run of 16 equal ones or more is written as one and their number, such as ``00{112}``::

        # step 2 (reset)
          * R1: reset 3B D2 18 00 81 31 FE 58 C9 03 16
            * R1: security status lost 3F00:00-01 PIN 01
        # step 3 (sign)
          [4] java.exe: C_SignInit(hSession=1, pMechanism=CKM_RSA_PKCS, hKey=4) -> CKR_OK
          [5] java.exe: C_Sign(hSession=1, pData=3 bytes, pSignature=room for 256)
            > R1: 00 A4 08 0C 02 50 15  SELECT path from the MF 5015
            < R1: 90 00
            - R1: login of CKU_USER to slot 1 ended: the card was reset
          [5] -> CKR_USER_NOT_LOGGED_IN: nobody is logged in; the login was ended: the card was reset
            ? PIN 01 was lost on R1: reset, step 2 (reset)
    """
    return _Text(events).lines()


class _Text:
    """One trace being written."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._events = events
        self._changes = _changes_by_owner(events)
        self._places = Places()
        self._chain: tuple[Cause, ...] = ()
        self._seen: set[int] = set()

    def lines(self) -> Iterator[str]:
        """Yield the lines."""
        below = {id(change) for changes in self._changes.values() for change in changes}
        joined = _ended_at_once(self._events)

        for event in self._events:
            if id(event) in below or (isinstance(event, CallEnded) and event.call.number in joined):
                continue

            yield from self._moved(event.cause)

            if isinstance(event, CallBegan) and event.call.number in joined:
                yield from self._whole_call(event, joined[event.call.number])
            else:
                yield from self._of(event)

    def _of(self, event: Event) -> Iterator[str]:
        match event:
            case MaskedExchange():
                yield from self._exchange(event)
            case ReaderChanged():
                yield from self._reader_changed(event)
            case PinPadUsed():
                yield self._line(f"= {event.reader}: PIN pad: {event.prompt.value}: {event.answer.value}")
            case CardChanged():
                yield self._line(_change(event))
                self._places.keep(event, self._places.of(event.cause))
            case LoginEnded():
                self._places.keep_end(event)
                what = f"login of {event.user} to slot {event.slot} ended"
                yield self._line(f"- {event.reader}: {what}: {event.why.value}")
            case CommandRefused():
                yield self._line(
                    f"! {event.reader}: not sent, {event.rule}: {event.command}  {event.meaning}"
                )
            case Defect():
                yield self._line(f"! defect in {event.where}")
            case CallBegan():
                yield self._line(self._call(event))
                self._enter(event.call)
            case CallEnded():
                yield self._line(f"[{self._places.number(event.call)}] -> {_result(event)}")
                yield from self._explained(event)
            case _:
                pass

    def _exchange(self, event: MaskedExchange) -> Iterator[str]:
        yield self._line(f"> {event.reader}: {_without_runs(event.command)}  {event.meaning}")
        yield self._line(f"< {event.reader}: {_without_runs(event.answer)}{_not_done(event)}")
        yield from self._changed_by(event, self._places.of_exchange(event))

    def _reader_changed(self, event: ReaderChanged) -> Iterator[str]:
        atr = event.atr.hex(" ").upper()
        yield self._line(f"* {event.reader}: {event.change.value} {atr}".rstrip())
        yield from self._changed_by(event, f"{event.change.value}, {self._places.of(event.cause)}")

    def _whole_call(self, began: CallBegan, ended: CallEnded) -> Iterator[str]:
        yield self._line(f"{self._call(began)} -> {_result(ended)}")
        yield from self._explained(ended)

    def _call(self, event: CallBegan) -> str:
        arguments = ", ".join(f"{name}={value}" for name, value in event.arguments)
        return f"{self._places.begin(event)}({arguments})"

    def _changed_by(self, owner: Event, place: str) -> Iterator[str]:
        for change in self._changes.get(id(owner), ()):
            yield self._line(_INDENT + _change(change))
            self._places.keep(change, place)

    def _explained(self, event: CallEnded) -> Iterator[str]:
        """Yield where the login got lost that a call is refused for want of."""
        if event.result == _NOT_LOGGED_IN:
            for line in self._places.why_not_logged_in(event):
                yield self._line(f"{_INDENT}? {line}")

    def _moved(self, cause: Cause | None) -> Iterator[str]:
        """Yield the causes that are new, or that go on after something else came in between."""
        chain = cause.path() if cause is not None else ()
        depth = _common(self._chain, chain)
        self._chain = chain[:depth]

        for each in chain[depth:]:
            again = " goes on" if each.number in self._seen else ""
            yield self._line(f"{self._places.name(each)}{again}")
            self._enter(each)

    def _enter(self, cause: Cause) -> None:
        self._chain = (*self._chain, cause)
        self._seen.add(cause.number)

    def _line(self, text: str) -> str:
        return _INDENT * len(self._chain) + printable(text)


def _changes_by_owner(events: Sequence[Event]) -> dict[int, list[CardChanged]]:
    """Return the changes that an APDU, or a change of power, brought: they come before it, by one cause."""
    owners: dict[str, Event] = {}
    found: dict[int, list[CardChanged]] = {}

    for event in reversed(events):
        match event:
            case MaskedExchange() | ReaderChanged():
                owners[event.reader] = event
            case CardChanged():
                owner = owners.get(event.reader)

                if owner is not None and owner.cause is event.cause:
                    found.setdefault(id(owner), []).insert(0, event)
            case _:
                pass

    return found


def _ended_at_once(events: Sequence[Event]) -> dict[int, CallEnded]:
    """Return the ends of the calls during which nothing happened, by the calls' numbers."""
    return {
        first.call.number: second
        for first, second in itertools.pairwise(events)
        if isinstance(first, CallBegan) and isinstance(second, CallEnded) and first.call is second.call
    }


def _common(first: tuple[Cause, ...], second: tuple[Cause, ...]) -> int:
    """Return how many causes two chains have in common."""
    for depth, (one, other) in enumerate(zip(first, second, strict=False)):
        if one is not other:
            return depth

    return min(len(first), len(second))


def _change(event: CardChanged) -> str:
    return f"* {event.reader}: {event.change.value} {event.subject} {event.detail}".rstrip()


def _result(event: CallEnded) -> str:
    results = "".join(f", {name}={value}" for name, value in event.results)
    reason = f": {event.reason}" if event.reason else ""
    return f"{event.result}{results}{reason}"


def _not_done(event: MaskedExchange) -> str:
    """Return what a status word means that isn't that of success, to stand behind it."""
    _, _, meaning = event.status.partition(" (")
    return f"  {meaning.removesuffix(')')}" if meaning and not event.response.endswith(_DONE) else ""


def _without_runs(digits: str) -> str:
    """Return hex with a byte that comes 16 times or more in a row written once, with the number of times."""
    return _RUN.sub(lambda run: f"{run[1]}{{{len(run[0]) // 3 + 1}}}", digits)


def printable(text: str) -> str:
    """Return a text in one line, whatever a program or a file is called."""
    if text.isprintable():
        return text

    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
