"""Access conditions as a profile states them, before a card system's own form."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cardtwin.plan.secret import SecretName

__all__ = ["ALWAYS", "NEVER", "Access", "Operation"]


class Operation(StrEnum):
    """What can be done to a file, spelled as a profile's attributes."""

    READ = "read"
    UPDATE = "update"
    CREATE = "create"
    DELETE = "delete"
    ACTIVATE = "activate"
    DEACTIVATE = "deactivate"


@dataclass(frozen=True, slots=True)
class Access:
    """A condition: always, never, or after verification of one credential.

    Attributes:
        allowed: Whether the operation is possible at all.
        credential: What must have been verified; None demands nothing.
    """

    allowed: bool = True
    credential: SecretName | None = None

    @classmethod
    def by(cls, credential: SecretName) -> Access:
        """Return the condition that this credential has been verified."""
        return cls(credential=credential)

    def __str__(self) -> str:
        if not self.allowed:
            return "never"

        return self.credential.value.lower() if self.credential else "always"


ALWAYS = Access()
NEVER = Access(allowed=False)
