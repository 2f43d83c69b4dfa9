"""Answers that come from a trace: to the same commands in their order, or to a command in the same state."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from cardtwin.events import PowerChange, ReaderChanged
from cardtwin.recording.states import HIDDEN, CardState, Tracer
from cardtwin.trace import MaskedExchange

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cardtwin.events import Event
    from cardtwin.recording.states import TracedCommand

__all__ = ["Answers", "AnswersByState", "AnswersInOrder", "Found"]

_UP: Final = {PowerChange.RESET, PowerChange.POWERED_ON}
"""When a card begins anew."""

_HEADER: Final = 11


@dataclass(frozen=True, slots=True)
class Found:
    """What a trace says to a command.

    Attributes:
        exchange: The exchange of the trace; None where there is none.
        why: Why there is none, for people.
    """

    exchange: MaskedExchange | None
    why: str = ""


class Answers(ABC):
    """The answers of one card."""

    @abstractmethod
    def reset(self) -> None:
        """The card is reset, or gets power again."""

    @abstractmethod
    def find(self, command: bytes) -> Found:
        """Return the answer to the next command."""

    def missing(self) -> Iterator[str]:
        """Yield what was to come and did not, for people, at the end."""
        yield from ()


class AnswersInOrder(Answers):
    """The same commands in the same order, with the resets in between where they were.

    A command that isn't the next one has no answer; the next one stays the next.

    Args:
        events: The trace's, of one reader.
    """

    def __init__(self, events: Sequence[Event]) -> None:
        self._items = [each for each in _begun(events) if isinstance(each, MaskedExchange) or _is_reset(each)]
        self._at = self._sent = 0
        self._resets: list[str] = []

    def reset(self) -> None:
        """Go on behind the next reset, if that is what comes now."""
        if self._at < len(self._items) and _is_reset(self._items[self._at]):
            self._at += 1
        else:
            self._resets.append(f"before {self._next()}: a reset, where the trace has none")

    def find(self, command: bytes) -> Found:
        """Return the answer to the next command."""
        while self._at < len(self._items) and _is_reset(self._items[self._at]):
            self._at += 1
            self._resets.append(f"before {self._next()}: no reset, where the trace has one")

        if self._at == len(self._items):
            return Found(None, "the trace is at its end")

        expected = self._items[self._at]
        assert isinstance(expected, MaskedExchange)

        if not _matches(expected.command, command):
            return Found(None, f"the trace goes on with {self._next()}")

        self._at += 1
        self._sent += 1
        return Found(expected)

    def missing(self) -> Iterator[str]:
        """Yield resets that differ, and how many commands did not come."""
        yield from self._resets
        left = sum(isinstance(item, MaskedExchange) for item in self._items[self._at :])

        if left:
            yield f"the trace has {left} more APDUs that did not come, the first one is {self._next()}"

    def _next(self) -> str:
        for item in itertools.islice(self._items, self._at, None):
            if isinstance(item, MaskedExchange):
                return f"APDU {self._sent + 1}: {item.command[:_HEADER]} {item.meaning}".rstrip()

        return "the trace's end"


@dataclass(slots=True)
class _Turn:
    """The answers to one command in one state, in the trace's order; the last one is given ever after."""

    traced: list[TracedCommand]
    next: int = 0

    def take(self) -> TracedCommand:
        found = self.traced[min(self.next, len(self.traced) - 1)]
        self.next += 1
        return found


_Table: TypeAlias = "dict[tuple[CardState | None, str], _Turn]"
"""Answers by state and command; of what is answered in turn, whatever the state is, the state is None."""


class AnswersByState(Answers):
    """A command is answered as it was in the same state; several answers in one state come in their order.

    Args:
        events: The trace's, of one reader.
    """

    def __init__(self, events: Sequence[Event]) -> None:
        self._state = CardState()
        self._turns: _Table = {}
        self._loose: _Table = {}
        self._hidden: dict[int, set[str]] = defaultdict(set)
        self._commands: dict[str, bool] = {}
        self._learn(events)

    def _learn(self, events: Sequence[Event]) -> None:
        tracer, state = Tracer(), CardState()

        for event in _begun(events):
            if _is_reset(event):
                tracer.reset()
                state = state.reset()
            elif isinstance(event, MaskedExchange):
                traced = tracer.read(event)
                self._enter(state, traced)
                state = state.after(traced)

    def _enter(self, state: CardState, traced: TracedCommand) -> None:
        command = traced.exchange.command
        self._commands[command] = traced.anywhere

        if HIDDEN in command:
            self._hidden[len(command.split())].add(command)

        for table, key in ((self._turns, None),) if traced.in_turn else self._places(state, command):
            table.setdefault((key, command), _Turn([])).traced.append(traced)

    def _places(self, state: CardState, command: str) -> tuple[tuple[_Table, CardState], ...]:
        """Return where the answer to a command stands that comes in a state."""
        state = state.before(command)

        if self._commands[command]:
            return ((self._turns, state.anywhere),)

        return (self._turns, state), (self._loose, state.loose)

    def reset(self) -> None:
        """Forget what a reset clears."""
        self._state = self._state.reset()

    def find(self, command: bytes) -> Found:
        """Return the answer to a command in the state that the card is in."""
        patterns = self._patterns(command)

        for pattern in patterns:
            for table, state in ((self._turns, None), *self._places(self._state, pattern)):
                if (state, pattern) in table:
                    traced = table[state, pattern].take()
                    self._state = self._state.after(traced)
                    return Found(traced.exchange)

        known = "the trace has it, but in other states" if patterns else "the trace doesn't have it"
        return Found(None, known)

    def _patterns(self, command: bytes) -> list[str]:
        """Return the trace's commands that a command may be: itself, or one with hidden bytes."""
        text = command.hex(" ").upper()
        exact = [text] if text in self._commands else []
        return exact + [
            each for each in sorted(self._hidden.get(len(command), ())) if _matches(each, command)
        ]


def _begun(events: Sequence[Event]) -> Sequence[Event]:
    """Return what comes when the card has begun for the first time, which is no reset."""
    for at, event in enumerate(events):
        if isinstance(event, MaskedExchange):
            break

        if isinstance(event, ReaderChanged) and event.change is PowerChange.POWERED_ON:
            return events[at + 1 :]

    return events


def _is_reset(event: Event) -> bool:
    return isinstance(event, ReaderChanged) and event.change in _UP


def _matches(pattern: str, command: bytes) -> bool:
    """Whether a command is that of a trace; hidden bytes are any."""
    bytes_of = pattern.split()
    return len(bytes_of) == len(command) and all(
        digits in {HIDDEN, f"{byte:02X}"} for digits, byte in zip(bytes_of, command, strict=True)
    )
