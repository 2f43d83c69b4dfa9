"""Values of a policy's file, each from its text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar

from cardtwin.issuance.authority import EVERY_USAGE, KEY_SIZES, LONGEST_NAME, KeyUsage
from cardtwin.issuance.manager.model import (
    ROOT_DOMAIN,
    Distribution,
    NumberRange,
    PinRule,
)
from cardtwin.issuance.pinform import PinForm

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum

__all__ = [
    "ValueRefusedError",
    "bits",
    "ca_name",
    "choice",
    "domain",
    "flag",
    "names",
    "number",
    "number_range",
    "pin_rule",
    "prefix",
    "text",
    "usages",
]

_Choice = TypeVar("_Choice", bound="StrEnum")
_FLAGS: Final = {"yes": True, "no": False}
_MOST_LETTERS: Final = 9
_RULE: Final = re.compile(r"([^,]+),\s*(?:(stored|chosen)|letter(?:\s+([1-9]))?)")


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


def bits(value: str) -> int:
    """Return the size of a key to be archived."""
    if not re.fullmatch(r"[0-9]{1,5}", value, re.ASCII) or int(value) not in KEY_SIZES:
        raise ValueRefusedError(f"the bits of an RSA key, {KEY_SIZES[0]} to {KEY_SIZES[-1]}")

    return int(value)


def ca_name(value: str) -> str:
    """Return the name of a CA, which is the common name in its certificate."""
    if len(value) > LONGEST_NAME:
        raise ValueRefusedError(f"a name of {LONGEST_NAME} characters at most")

    return value


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


def prefix(value: str) -> str:
    """Return what IDs begin with. A number follows, so that a digit at the end would make them ambiguous."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{0,15}[A-Za-z_-]", value, re.ASCII):
        raise ValueRefusedError("letters, digits, - and _, sixteen at most, and no digit at the end")

    return value


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

    if found is None:
        raise ValueRefusedError(
            f"6 digits or 4-8 readable, then ', letter N|stored|chosen', N up to {_MOST_LETTERS}"
        )

    try:
        form = PinForm.parse(found[1])
    except ValueError as error:
        raise ValueRefusedError(f"{error}; then ', letter N|stored|chosen'") from None

    kind = Distribution(found[2] or "letter")
    return PinRule(form.shortest, form.longest, form.alphabet, kind, int(found[3] or 1))
