"""What an encoding came to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.encoding.process import Process
    from cardtwin.plan import Secret
    from cardtwin.source import Diagnostic

__all__ = ["ERROR_MESSAGE", "RESULT", "Outcome"]

RESULT: Final = "Meta_ProductionResult"
"""The process variable that says ``success`` or ``error``."""

ERROR_MESSAGE: Final = "ProductionResultErrorMsg"
"""The process variable that says what failed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an encoding came to. The process can react to :data:`RESULT` and :data:`ERROR_MESSAGE`.

    Attributes:
        process: The process afterwards: result variables set, outputs stored, fields cleared.
        fields: What was read from the card, by the description's fields; empty after an error.
        error: What failed, as it was raised; None after success.
        reader: The reader that was used; empty where none was found.
        warnings: What was noticed beforehand and stopped nothing.
    """

    process: Process
    fields: Mapping[str, str | Secret] = field(default_factory=dict)
    error: Exception | None = None
    reader: str = ""
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def succeeded(self) -> bool:
        """Whether nothing failed."""
        return self.error is None

    @property
    def variables(self) -> Mapping[str, str]:
        """The process variables afterwards."""
        return self.process.variables
