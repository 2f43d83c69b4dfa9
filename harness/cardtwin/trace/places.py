"""Where in a trace something happened: the numbers of calls and APDUs, and where logins were lost."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from cardtwin.events import CardChange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.events import CallBegan, CallEnded, CardChanged, Cause, LoginEnded
    from cardtwin.trace.masking import MaskedExchange

__all__ = ["Places"]

_REFERENCE: Final = 0x7F
"""Of a PIN's reference, what names the object on the card."""


class Places:
    """The places of one trace, as far as it is written."""

    def __init__(self) -> None:
        self._calls: dict[int, tuple[int, str]] = {}
        self._exchanges: Counter[int] = Counter()
        self._lost: dict[tuple[str, int], tuple[CardChanged, str]] = {}
        self._latest: tuple[CardChanged, str] | None = None
        self._ends: dict[int, LoginEnded] = {}

    def begin(self, event: CallBegan) -> str:
        """Give a call its number; return its name."""
        self._calls[event.call.number] = (len(self._calls) + 1, event.program)
        return self.name(event.call)

    def number(self, call: Cause) -> int:
        """Return a call's number."""
        return self._calls[call.number][0]

    def name(self, cause: Cause) -> str:
        """Return what a cause is called: a call with its number and program."""
        if cause.number not in self._calls:
            return f"# {cause.what}"

        number, program = self._calls[cause.number]
        return f"[{number}] {program}: {cause.what}" if program else f"[{number}] {cause.what}"

    def of(self, cause: Cause | None) -> str:
        """Return where what has this cause stands: in a call where there is one, else in what caused it."""
        path = cause.path() if cause is not None else ()
        calls = [depth for depth, each in enumerate(path) if each.number in self._calls]
        names = [self.name(each).removeprefix("# ") for each in path[calls[-1] if calls else 0 :]]
        return " / ".join(names) or "before any step"

    def of_exchange(self, event: MaskedExchange) -> str:
        """Return where an APDU stands; each is to be asked for once, in their order."""
        number = event.cause.number if event.cause is not None else 0
        self._exchanges[number] += 1
        return f"{event.meaning}, APDU {self._exchanges[number]} of {self.of(event.cause)}"

    def keep(self, change: CardChanged, place: str) -> None:
        """Take note of where a PIN was lost, or verified again."""
        if change.reference is None:
            return

        if change.change is CardChange.STATUS_LOST:
            self._lost[change.reader, change.reference] = self._latest = (change, place)
        elif self._latest is not None and self._latest[0].subject == change.subject:
            self._latest = None

    def keep_end(self, event: LoginEnded) -> None:
        """Take note of the end of a login."""
        if event.cause is not None:
            self._ends[event.cause.number] = event

    def why_not_logged_in(self, event: CallEnded) -> Iterator[str]:
        """Yield what became of the login that a call is refused for want of."""
        end = event.login or self._ends.get(event.call.number)

        if end is None:
            # A library that isn't ours tells of no logins: what the card has forgotten last is a good guess.
            yield from self._loss(self._latest)
            return

        if end.cause is not event.call:
            yield f"the login of {end.user} to slot {end.slot} ended in {self.of(end.cause)}: {end.why.value}"

        if end.why.by_card and end.pin is not None:
            yield from self._loss(self._lost.get((end.reader, end.pin & _REFERENCE)))

    @staticmethod
    def _loss(found: tuple[CardChanged, str] | None) -> Iterator[str]:
        if found is not None:
            change, place = found
            yield f"{change.detail} was lost on {change.reader}: {place}"
