"""What the person at a PIN pad does when it asks for something."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Self

from cardtwin.readers.errors import EntryError

__all__ = ["EntryError", "Key", "PinEntry"]


class Key(Enum):
    """The key that is pressed in the end."""

    OK = "ok"
    CANCEL = "cancel"
    NONE = "timeout"


_WORDS: Final = {"cancel": Key.CANCEL, "timeout": Key.NONE}


@dataclass(frozen=True, slots=True)
class PinEntry:
    """What is done at one prompt. The digits show in no repr.

    Attributes:
        key: The key that is pressed in the end; none where the person does nothing at all.
        digits: The keys before it, as characters.
    """

    key: Key
    digits: bytes = field(default=b"", repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return what a text says: the digits of a PIN, ``cancel``, or ``timeout``.

        Raises:
            EntryError: It is something else; the message doesn't repeat it.
        """
        if text in _WORDS:
            return cls(_WORDS[text])

        if not text or not (text.isascii() and text.isdecimal()):
            raise EntryError("at a PIN pad are entered digits, 'cancel' or 'timeout', and nothing else")

        return cls(Key.OK, text.encode())
