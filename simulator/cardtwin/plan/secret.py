"""Secrets: bytes that don't show themselves, and the names of the eight that a profile knows."""

from __future__ import annotations

import hmac
from enum import StrEnum
from typing import NoReturn, Self

__all__ = ["Secret", "SecretName"]


class SecretName(StrEnum):
    """The secrets of the card profile language (PPA-12). A profile calls PIN1 ``SEC_PIN1``, and so on."""

    PIN1 = "PIN1"
    PIN2 = "PIN2"
    PIN3 = "PIN3"
    PUK = "PUK"
    PUK1 = "PUK1"
    PUK2 = "PUK2"
    OP = "OP"
    MAN = "MAN"

    @property
    def variable(self) -> str:
        """The name of the variable in a profile."""
        return f"SEC_{self.value}"


class Secret:
    """Bytes that are shown by :meth:`reveal` only: not in repr, str, format, pickles or messages."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = bytes(value)

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the secret whose bytes are the text in UTF-8."""
        return cls(text.encode())

    def reveal(self) -> bytes:
        """Return the bytes. Whoever calls this takes care where they go."""
        return self._value

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled")
