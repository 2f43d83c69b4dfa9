"""Version numbers, compared by their parts and not as texts: 5.7.2 is before 5.17.0."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Version"]


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version: numbers between dots, such as 21.04.3.

    Attributes:
        parts: The numbers, the most significant first.
        text: As it was written.
    """

    parts: tuple[int, ...]
    text: str = field(compare=False)

    @classmethod
    def of(cls, text: str) -> Version:
        """Read a version.

        Raises:
            ValueError: It is none.
        """
        text = text.strip()
        words = text.split(".")

        if not all(word.isdecimal() for word in words):
            raise ValueError(f"{text!r} is no version: numbers between dots, such as 5.7.2")

        return cls(tuple(int(word) for word in words), text)

    def __str__(self) -> str:
        return self.text
