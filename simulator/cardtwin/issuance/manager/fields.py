"""Values of a policy's file, each from its text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar

from cardtwin.issuance.manager.model import (
    EVERY_USAGE,
    ROOT_DOMAIN,
    Distribution,
    KeyUsage,
    NumberRange,
    PinRule,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum

__all__ = [
    "ValueRefusedError",
    "choice",
    "domain",
    "flag",
    "names",
    "number",
    "number_range",
    "pin_rule",
    "text",
    "usages",
]

_Choice = TypeVar("_Choice", bound="StrEnum")
_FLAGS: Final = {"yes": True, "no": False}
_LONGEST_PIN: Final = 64
_MOST_LETTERS: Final = 9
_DIGITS: Final = "0123456789"
_UPPER: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ALPHABETS: Final = {
    "digits": _DIGITS,
    "letters": _UPPER + _UPPER.lower(),
    "alphanumeric": _DIGITS + _UPPER + _UPPER.lower(),
    "readable": "23456789ABCDEFGHJKLMNPQRSTUVWXYZ",
    "hex": _DIGITS + "ABCDEF",
}
_RULE: Final = re.compile(r"(\d+)(?:-(\d+))?\s+(\w+)\s*,\s*(?:(stored|chosen)|letter(?:\s+(\d))?)")


class ValueRefusedError(ValueError):
    """A text is no value; the message says what would be one."""


def text(value: str) -> str:
    """Return the text as it is."""
    return value


def flag(value: str) -> bool:
    """Return the flag of Yes or No."""
    if value.casefold() not in _FLAGS:
        raise ValueRefusedError("Yes or No")

    return _FLAGS[value.casefold()]


def number(value: str) -> int:
    """Return a number of at least 1."""
    if not re.fullmatch(r"[1-9][0-9]{0,5}", value, re.ASCII):
        raise ValueRefusedError("a number from 1 on, of six digits at most")

    return int(value)


def names(value: str) -> tuple[str, ...]:
    """Return names with commas between them, in their order."""
    return tuple(part.strip() for part in value.split(",") if part.strip())


def domain(value: str) -> str:
    """Return a domain's path."""
    if value != ROOT_DOMAIN and not re.fullmatch(r"(/[^/\s][^/]*)+", value):
        raise ValueRefusedError("a domain is / or a path such as /sales/north")

    return value


def choice(kind: type[_Choice]) -> Callable[[str], _Choice]:
    """Return the reader of an enumeration's values."""

    def read(value: str) -> _Choice:
        for known in kind:
            if known.value.casefold() == value.casefold():
                return known

        raise ValueRefusedError(f"one of: {', '.join(kind)}")

    return read


def usages(value: str) -> frozenset[KeyUsage]:
    """Return key usages with commas between them; ``every`` is all nine."""
    if value.casefold() == "every":
        return EVERY_USAGE

    read = choice(KeyUsage)
    return frozenset(read(name) for name in names(value))


def number_range(value: str) -> NumberRange:
    """Return the range of ``From-To``."""
    first, _, last = value.partition("-")
    found = NumberRange(first.strip(), last.strip())

    if wrong := found.problem():
        raise ValueRefusedError(f"From-To, such as 1000-1999: {wrong}")

    return found


def pin_rule(value: str) -> PinRule:
    """Return the rule of ``6 digits, letter 1``, ``4-8 digits, chosen`` or ``8 readable, stored``."""
    found = _RULE.fullmatch(value)

    if found is None or found[3] not in _ALPHABETS:
        alphabets = "|".join(_ALPHABETS)
        raise ValueRefusedError(f"LENGTH or LEAST-MOST, then {alphabets}, then ', letter N|stored|chosen'")

    shortest, longest = int(found[1]), int(found[2] or found[1])
    letter = int(found[5] or 1)

    if not 1 <= shortest <= longest <= _LONGEST_PIN or not 1 <= letter <= _MOST_LETTERS:
        raise ValueRefusedError(
            f"a length of 1 to {_LONGEST_PIN}, the least first, and a letter of 1 to {_MOST_LETTERS}"
        )

    kind = Distribution(found[4] or "letter")
    return PinRule(shortest, longest, _ALPHABETS[found[3]], kind, letter)
