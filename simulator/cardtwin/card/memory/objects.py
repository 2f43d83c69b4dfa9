"""PINs, keys and security environments as values."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from cardtwin.card.memory.files import path_text

__all__ = ["PIN", "TEST_CLASS", "ObjectKey", "SecurityEnvironment", "SecurityObject", "StartKey"]

TEST_CLASS: Final = 0x00
"""The class of test objects: PINs, and keys that somebody outside proves to have."""

PIN: Final = 0x87
"""The algorithm byte of a test object that is a PIN."""

_OBJECT_HEADER = 24


class ObjectKey(NamedTuple):
    """Where an object is: its DF's path, its class (00 test, 20.. key component), its id."""

    df: bytes
    class_: int
    id: int

    def __str__(self) -> str:
        return f"{path_text(self.df)}:{self.class_:02X}-{self.id:02X}"


@dataclass(frozen=True, slots=True)
class SecurityObject:
    """A PIN, PUK, key or key component, as PUT DATA OCI stores it.

    Attributes:
        option: The low nibble says what it is for, bit 20 that another component follows.
        flags: The low nibble is the number of tries; 0 counts none.
        algorithm: What can be done with it; 87 is a PIN.
        tries_left: The error counter.
        uses_left: The use counter; FF is unlimited.
        dek: A byte of unknown meaning, kept.
        consent: How often a condition may rest on one verification; 00 is unlimited.
        min_length: The least number of bytes of a new PIN, without filling.
        access: The condition bytes USE, CHANGE, UNBLOCK and what follows.
        body: The PIN or key itself; empty where it isn't known, and then nothing can be done with it.
        tells_tries: Whether a failed verification tells the tries left (second option byte, bit 2).
    """

    option: int
    flags: int
    algorithm: int
    tries_left: int
    uses_left: int
    dek: int
    consent: int
    min_length: int
    access: bytes
    body: bytes = field(repr=False)
    tells_tries: bool = False

    @property
    def is_pin(self) -> bool:
        """Whether it is a PIN: other test objects are keys."""
        return self.algorithm == PIN

    @property
    def max_tries(self) -> int:
        """The number of tries; 0 counts none."""
        return self.flags & 0x0F

    @property
    def is_blocked(self) -> bool:
        """Whether tries are counted and none is left."""
        return bool(self.max_tries) and not self.tries_left

    @property
    def continues(self) -> bool:
        """Whether the next class holds a further component of the same key."""
        return bool(self.option & 0x20)

    @property
    def footprint(self) -> int:
        """What the object takes of the memory, in bytes."""
        return _OBJECT_HEADER + len(self.body)

    def with_tries(self, tries: int) -> SecurityObject:
        """Return the object with another error counter."""
        return replace(self, tries_left=tries)

    def condition(self, operation: int) -> int:
        """Return the condition byte for an operation (0 USE, 1 CHANGE, 2 UNBLOCK); a missing one is FF."""
        return self.access[operation] if operation < len(self.access) else 0xFF


@dataclass(frozen=True, slots=True)
class SecurityEnvironment:
    """A stored security environment: condition bytes USE and CHANGE, and six component bytes."""

    access: bytes
    components: bytes

    @property
    def footprint(self) -> int:
        """What the environment takes of the memory, in bytes."""
        return _OBJECT_HEADER + len(self.components)


@dataclass(frozen=True, slots=True)
class StartKey:
    """The key for ERASE FILES and FORMAT: 16 bytes, a version (FF: the public default key) and tries left.

    The key is empty where it isn't known, and then nothing can be done with it.
    """

    key: bytes = field(default=b"\xff" * 16, repr=False)
    version: int = 0xFF
    tries_left: int = 10
