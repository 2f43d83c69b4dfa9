"""What commands do a card system's own way, as a value that they ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from cardtwin.card.memory import CardImage, File
    from cardtwin.iso7816 import StatusWord

__all__ = ["Alternatives", "ControlInformation", "Dialect", "itself"]

Alternatives: TypeAlias = Callable[["CardImage", int], tuple[int, ...]]
"""Gives the condition bytes any one of which meets a condition byte; arguments are the memory, the byte."""

ControlInformation: TypeAlias = Callable[["CardImage", bytes, "File", int], bytes]
"""Makes the FCI or FCP of a file; arguments are the memory, the file's path, the file, the template's tag."""


def itself(_image: CardImage, condition: int) -> tuple[int, ...]:
    """Return the condition alone: a condition byte names one test object at most."""
    return (condition,)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one card system says what every card system says.

    A command that two systems have, but for a detail, asks here for the detail. Commands that differ in more
    than that are two handlers, and the system's table of forms names the one it has.

    Attributes:
        control_information: Makes the FCI or FCP of a file.
        wrong_pin: Gives the status word of a failed verification from the tries left.
        tells_pin_status: Whether VERIFY without data tells the tries left.
        chooses_algorithm: Whether the security environment chooses the algorithm, and not the key alone.
        drops_leading_zero: Whether a deciphered block comes without a zero at its beginning.
        takes_access_rules: Whether CREATE FILE takes access rules in AB, or in 8B where they are.
        alternatives: What meets a condition.
        bare_rules: Whether a file's access rules of IAS-ECC's kind stand in 8C by themselves, not within A1.
    """

    control_information: ControlInformation
    wrong_pin: Callable[[int], StatusWord]
    tells_pin_status: bool = False
    chooses_algorithm: bool = False
    drops_leading_zero: bool = False
    takes_access_rules: bool = False
    alternatives: Alternatives = itself
    bare_rules: bool = False
