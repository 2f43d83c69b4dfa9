"""What a PIN of a virtual smart card has to be like (option "Control PIN complexity")."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from cardtwin.issuance.virtualcard.errors import PinRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["LONGEST", "SHORTEST", "Characters", "PinPolicy"]

SHORTEST, LONGEST = 4, 127
"""The lengths that a virtual smart card takes."""


class Characters(StrEnum):
    """Whether characters of a kind may, must or must not be in a PIN."""

    ALLOWED = "ALLOWED"
    DISALLOWED = "DISALLOWED"
    REQUIRED = "REQUIRED"


_KINDS: Final[Mapping[str, tuple[str, Callable[[str], bool]]]] = {
    "upper_case": ("upper case letters", lambda sign: sign.isascii() and sign.isupper()),
    "lower_case": ("lower case letters", lambda sign: sign.isascii() and sign.islower()),
    "digits": ("digits", lambda sign: sign.isascii() and sign.isdigit()),
    "special": ("special characters", lambda sign: not (sign.isascii() and sign.isalnum())),
}


@dataclass(frozen=True, slots=True)
class PinPolicy:
    """The six options about the PIN, with the defaults of the process's script.

    Attributes:
        min_length: VirtualSmartCardOptionPinMinLength.
        max_length: VirtualSmartCardOptionPinMaxLength.
        upper_case: VirtualSmartCardOptionPinUpperCase.
        lower_case: VirtualSmartCardOptionPinLowerCase.
        digits: VirtualSmartCardOptionDigitsAllowed.
        special: VirtualSmartCardOptionSpecialCharactersAllowed: all that is no letter A to Z and no digit.
    """

    min_length: int = 6
    max_length: int = 15
    upper_case: Characters = Characters.ALLOWED
    lower_case: Characters = Characters.ALLOWED
    digits: Characters = Characters.ALLOWED
    special: Characters = Characters.ALLOWED

    def problems(self) -> tuple[str, ...]:
        """Return why no PIN could ever be as these options want it, or a card wouldn't take it."""
        rules = [getattr(self, kind) for kind in _KINDS]
        required = rules.count(Characters.REQUIRED)
        found = []

        if not SHORTEST <= self.min_length <= self.max_length <= LONGEST:
            found.append(
                f"a PIN of {self.min_length} to {self.max_length} characters: a virtual smart card takes "
                f"{SHORTEST} to {LONGEST}, the least length first"
            )

        if required > self.max_length:
            found.append(
                f"{required} kinds of characters are required, and a PIN has {self.max_length} at most"
            )

        if all(rule is Characters.DISALLOWED for rule in rules):
            found.append("every kind of characters is disallowed")

        return tuple(found)

    def check(self, pin: str) -> None:
        """Make sure that a PIN is as the options want it.

        Raises:
            PinRefusedError: It isn't; the message says all that is wrong, and no character of it.
        """
        wrong = []

        if not self.min_length <= len(pin) <= self.max_length:
            wrong.append(f"it has {self.min_length} to {self.max_length} characters")

        for kind, (name, belongs) in _KINDS.items():
            rule: Characters = getattr(self, kind)
            there = any(belongs(sign) for sign in pin)

            if rule is Characters.REQUIRED and not there:
                wrong.append(f"{name} are required")

            if rule is Characters.DISALLOWED and there:
                wrong.append(f"{name} are not allowed")

        if wrong:
            raise PinRefusedError(f"the PIN is refused: {', '.join(wrong)}")
