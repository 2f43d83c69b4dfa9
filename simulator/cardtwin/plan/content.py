"""File contents: bytes, with gaps that only the card can fill."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from cardtwin.iso7816 import Tlv

__all__ = ["CardFacts", "ChipSerial", "Content", "Part", "PublicKeyForm", "PublicKeyOf", "Wrapped"]


class PublicKeyForm(StrEnum):
    """How a public key is written."""

    FILE = "public key"
    """As a token's file has it. RSA: RSAPublicKey (RFC 8017, A.1.1). EC: SubjectPublicKeyInfo (RFC 5480)."""

    SPKI = "SubjectPublicKeyInfo"
    """SubjectPublicKeyInfo (RFC 5280, 4.1)."""

    KEY_ID = "SHA-1 of subjectPublicKey"
    """The subject key identifier (RFC 5280, 4.2.1.2, method 1), 20 bytes."""


class CardFacts(Protocol):
    """What is asked of the card when contents are completed."""

    def chip_serial(self) -> bytes:
        """Return the chip's serial number."""

    def public_key(self, key: str, form: PublicKeyForm) -> bytes:
        """Return the public half of the key that the plan calls by that name."""


@dataclass(frozen=True, slots=True)
class ChipSerial:
    """The chip's own serial number."""


@dataclass(frozen=True, slots=True)
class PublicKeyOf:
    """The public half of a key that comes into being on the card."""

    key: str
    form: PublicKeyForm = PublicKeyForm.FILE


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A BER-TLV object around parts: its length is known when they are."""

    tag: int
    parts: tuple[Part, ...]


Part = bytes | ChipSerial | PublicKeyOf | Wrapped


@dataclass(frozen=True, slots=True)
class Content:
    """Parts, one after the other."""

    parts: tuple[Part, ...] = ()

    @classmethod
    def of(cls, *parts: Part) -> Content:
        """Return the content of these parts."""
        return cls(parts)

    @property
    def is_literal(self) -> bool:
        """Whether it needs nothing from the card."""
        return all(_is_literal(part) for part in self.parts)

    def resolve(self, facts: CardFacts) -> bytes:
        """Return the bytes, the gaps filled from the card."""
        return b"".join(_resolve(part, facts) for part in self.parts)

    def literal(self) -> bytes:
        """Return the bytes of a content that needs nothing from the card.

        Raises:
            ValueError: It does need something.
        """
        if not self.is_literal:
            raise ValueError("this content has gaps that only a card can fill")

        return self.resolve(_NoCard())


class _NoCard:
    def chip_serial(self) -> bytes:
        raise AssertionError("asked by a literal content")

    def public_key(self, key: str, form: PublicKeyForm) -> bytes:
        raise AssertionError(f"asked for {form} of {key} by a literal content")


def _is_literal(part: Part) -> bool:
    match part:
        case bytes():
            return True
        case Wrapped(parts=parts):
            return all(_is_literal(inner) for inner in parts)
        case _:
            return False


def _resolve(part: Part, facts: CardFacts) -> bytes:
    match part:
        case ChipSerial():
            return facts.chip_serial()
        case PublicKeyOf(key, form):
            return facts.public_key(key, form)
        case Wrapped(tag, parts):
            return Tlv(tag, b"".join(_resolve(inner, facts) for inner in parts)).encode()
        case _:
            return part
