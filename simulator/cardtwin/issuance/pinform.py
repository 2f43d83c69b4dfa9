"""What made PINs look like: a length, and the characters that they are drawn from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from cardtwin.plan import Secret

if TYPE_CHECKING:
    from cardtwin.entropy import Entropy

__all__ = ["PinForm"]

_LONGEST: Final = 64
_DIGITS: Final = "0123456789"
_UPPER: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ALPHABETS: Final = {
    "digits": _DIGITS,
    "letters": _UPPER + _UPPER.lower(),
    "alphanumeric": _DIGITS + _UPPER + _UPPER.lower(),
    "readable": "23456789ABCDEFGHJKLMNPQRSTUVWXYZ",
    "hex": _DIGITS + "ABCDEF",
}
_WRITTEN: Final = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?\s+(\w+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class PinForm:
    """The form of a PIN.

    Attributes:
        shortest: The least number of characters.
        longest: The most; what is made has so many.
        alphabet: The characters that may be in it.
    """

    shortest: int
    longest: int
    alphabet: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the form of ``6 digits`` or ``4-8 readable``.

        Raises:
            ValueError: The text is none; the message says what is one.
        """
        found = _WRITTEN.fullmatch(text.strip())

        if found is None or found[3] not in _ALPHABETS:
            raise ValueError(f"LENGTH or LEAST-MOST, then {'|'.join(_ALPHABETS)}")

        shortest, longest = int(found[1]), int(found[2] or found[1])

        if not 1 <= shortest <= longest <= _LONGEST:
            raise ValueError(f"a length of 1 to {_LONGEST}, the least first")

        return cls(shortest, longest, _ALPHABETS[found[3]])

    def make(self, entropy: Entropy) -> Secret:
        """Return a PIN of this form, each as likely as the others."""
        signs = (self.alphabet[entropy.below(len(self.alphabet))] for _ in range(self.longest))
        return Secret.of("".join(signs))
