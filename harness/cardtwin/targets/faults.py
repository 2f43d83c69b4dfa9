"""What is wrong with a card, and how slow it is: as it is written down, and as it is put around the card.

The same keys stand in scenario files and, as words ``KEY=VALUE``, on the command line.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Self

from cardtwin.readers.wrappers import (
    SPEEDS,
    Answer,
    Delay,
    Fault,
    Mute,
    Removal,
    SlowCard,
    Tear,
)
from cardtwin.source import closest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cardtwin.pcsc import Card
    from cardtwin.readers.wrappers.faults import Effect

__all__ = ["ALWAYS", "LONGEST_DELAY", "FaultSetup", "slow", "slow_models"]

ALWAYS: Final = "always"
"""The word for as many times as there are commands."""

LONGEST_DELAY: Final = 3600.0
"""Seconds: more is a mistake."""

_STATUS_BYTES: Final = 2
_EXTENDED: Final = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSetup:
    """A fault of a card.

    Attributes:
        do: What happens: `answer`, `delay`, `mute`, `remove` or `tear`.
        at: The first bytes of the commands that it is about; empty for all.
        after: How many of them pass unharmed before.
        times: How many meet it then; None for all that come.
        sw: The status word of another answer.
        data: What stands before that.
        seconds: How late an answer comes.
        writes: How many writes of a torn command reach the memory.
        dead: Whether a mute card stays mute after a reset.
        carried_out: Whether a card that is removed has carried the command out.

    Raises:
        ValueError: A key is missing, belongs to another `do`, or has no possible value.
    """

    do: str
    at: bytes = b""
    after: int = 0
    times: int | None = 1
    sw: bytes | None = None
    data: bytes | None = None
    seconds: float | None = None
    writes: int | None = None
    dead: bool | None = None
    carried_out: bool | None = None

    def __post_init__(self) -> None:
        if self.do not in _KINDS:
            hint = closest(self.do, _KINDS)
            raise ValueError(
                f"'do' is one of {', '.join(_KINDS)}, not {self.do!r}" + (f"; {hint}" if hint else "")
            )

        kind = _KINDS[self.do]

        for key in _OWN:
            given = getattr(self, key) is not None

            if given and key not in (*kind.needed, *kind.possible):
                raise ValueError(f"{key!r} does not belong to 'do: {self.do}'")

            if not given and key in kind.needed:
                raise ValueError(f"'do: {self.do}' needs {key!r}")

        self._check_values()

    def _check_values(self) -> None:
        if self.times is not None and self.times < 1:
            raise ValueError(f"'times' is 1 or more, or {ALWAYS!r}")

        if self.sw is not None and len(self.sw) != _STATUS_BYTES:
            raise ValueError("'sw' is a status word: two bytes")

        if self.data is not None and len(self.data) > _EXTENDED:
            raise ValueError(f"'data' has {_EXTENDED} bytes at most")

        if self.seconds is not None and not 0 <= self.seconds <= LONGEST_DELAY:
            raise ValueError(f"'seconds' is between 0 and {LONGEST_DELAY:g}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the fault that is written as words, such as ``do=mute at=002A after=1``.

        Raises:
            ValueError: It is none; the message says why, and quotes the text.
        """
        given: dict[str, Any] = {}

        try:
            for word in text.split():
                key, equals, value = word.partition("=")

                if not equals or key not in _CONVERTERS:
                    raise ValueError(_no_word(word, key))  # noqa: TRY301  # all are told with the text below

                if key in given:
                    raise ValueError(f"{key!r} is given twice")  # noqa: TRY301  # as above

                given[key] = _converted(key, value)

            if "do" not in given:
                raise ValueError(f"'do' is missing: one of {', '.join(_KINDS)}")  # noqa: TRY301  # as above

            return cls(**given)
        except ValueError as error:
            raise ValueError(f"fault {text!r}: {error}") from None

    def __str__(self) -> str:
        """Return the words for it."""
        given = ((key.name, getattr(self, key.name)) for key in fields(self))
        return " ".join(f"{name}={_word(value)}" for name, value in given if value != _DEFAULTS[name])

    def fault(self) -> Fault:
        """Return it as the reader's wrapper knows it."""
        return Fault(_KINDS[self.do].effect(self), self.at, self.after, self.times)


@dataclass(frozen=True, slots=True)
class _Kind:
    effect: Callable[[FaultSetup], Effect]
    needed: tuple[str, ...] = ()
    possible: tuple[str, ...] = ()


_KINDS: Final[Mapping[str, _Kind]] = {
    "answer": _Kind(lambda it: Answer((it.data or b"") + (it.sw or b"")), ("sw",), ("data",)),
    "delay": _Kind(lambda it: Delay(it.seconds or 0.0), ("seconds",)),
    "mute": _Kind(lambda it: Mute(dead=bool(it.dead)), (), ("dead",)),
    "remove": _Kind(lambda it: Removal(carried_out=bool(it.carried_out)), (), ("carried_out",)),
    "tear": _Kind(lambda it: Tear(it.writes or 0), ("writes",)),
}

_OWN: Final = ("sw", "data", "seconds", "writes", "dead", "carried_out")
"""The keys that belong to some values of `do` alone."""


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise ValueError(f"{text!r} is no number such as 12")

    return int(text)


def _times(text: str) -> int | None:
    return None if text == ALWAYS else _count(text)


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan

    if not math.isfinite(number):
        raise ValueError(f"{text!r} is no number such as 2 or 0.5")

    return number


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError(f"{text!r} is no hex: two digits for each byte, without blanks") from None


def _flag(text: str) -> bool:
    if text not in {"yes", "no"}:
        raise ValueError(f"{text!r} is neither yes nor no")

    return text == "yes"


_CONVERTERS: Final[Mapping[str, Callable[[str], object]]] = {
    "do": str,
    "at": _hex,
    "after": _count,
    "times": _times,
    "sw": _hex,
    "data": _hex,
    "seconds": _seconds,
    "writes": _count,
    "dead": _flag,
    "carried_out": _flag,
}
assert tuple(_CONVERTERS) == tuple(field.name for field in fields(FaultSetup))

_DEFAULTS: Final = {field.name: field.default for field in fields(FaultSetup)}
"""What need not be said."""


def _word(value: object) -> str:
    """Return a value as :data:`_CONVERTERS` reads it."""
    match value:
        case None:
            return ALWAYS
        case bool():
            return "yes" if value else "no"
        case bytes():
            return value.hex().upper()
        case _:
            return str(value)


def _converted(key: str, value: str) -> object:
    try:
        return _CONVERTERS[key](value)
    except ValueError as error:
        raise ValueError(f"{key!r}: {error}") from None


def _no_word(word: str, key: str) -> str:
    hint = closest(key, _CONVERTERS)
    return f"{word!r} is no KEY=VALUE; keys are {', '.join(_CONVERTERS)}" + (f"; {hint}" if hint else "")


def slow(card: Card, model: str, *, sleep: Callable[[float], object]) -> Card:
    """Return a card that takes the time that real ones of that model take.

    Raises:
        KeyError: No speed is known of that model.
    """
    return SlowCard(card, SPEEDS[model], sleep=sleep)


def slow_models() -> tuple[str, ...]:
    """Return the models whose speed is known."""
    return tuple(SPEEDS)
