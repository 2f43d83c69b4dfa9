"""What the guard of a physical card refuses, and by which of its rules."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from cardtwin.pcsc import PcscError

__all__ = ["CommandRefusedError", "Refusal", "Rule"]


class Rule(Enum):
    """The guard's rules."""

    WRONG_CARD = "wrong card"
    UNKNOWN = "unknown command"
    UNVERIFIED = "unverified command form"
    UNDECLARED = "effect not declared by the step"
    DESTRUCTIVE = "destructive"
    IRREVERSIBLE = "irreversible"
    TRIES_UNKNOWN = "number of tries unknown"
    LAST_TRY = "last try"
    READER_COMMAND = "unknown control code"
    AFTER_REFUSAL = "after a refusal"
    ENDED = "after the end"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is not sent.

    Attributes:
        rule: By which rule.
        reason: Why, in a sentence; holds no secret.
        remedy: What to do about it, in a sentence.
    """

    rule: Rule
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.reason}; {self.remedy}"


class CommandRefusedError(PcscError):
    """The guard has refused to send something to a physical card.

    Attributes:
        refusal: Why.
    """

    code = 0x8010006A
    name: ClassVar[str] = "SCARD_W_SECURITY_VIOLATION"

    def __init__(self, reader: str, refusal: Refusal) -> None:
        super().__init__(reader, str(refusal))
        self.refusal = refusal
