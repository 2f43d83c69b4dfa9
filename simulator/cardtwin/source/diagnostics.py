"""What is wrong with a text, where, and what to do about it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cardtwin.source.text import Span

__all__ = ["Diagnostic", "Diagnostics", "Note", "Severity", "SourceError", "closest"]


class Severity(Enum):
    """How bad it is: an error stops the work, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Note:
    """A second place that belongs to a diagnostic, such as the first of two assignments."""

    message: str
    span: Span


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    Attributes:
        code: A stable, short name of the rule, such as ``duplicate-assignment``.
        message: What is wrong, in a sentence without a full stop.
        span: Where.
        expected: What would have been right there; may be empty.
        remedy: What to do; may be empty.
        notes: Other places that belong to it.
    """

    code: str
    message: str
    span: Span
    expected: str = ""
    remedy: str = ""
    severity: Severity = Severity.ERROR
    notes: tuple[Note, ...] = ()

    def render(self) -> str:
        """Return the finding for people: place, message, the line with a caret, remedy, notes."""
        lines = [
            f"{self.span}: {self.severity.value}: {self.message} [{self.code}]",
            self.span.caret(),
        ]

        if self.expected:
            lines.append(f"  expected: {self.expected}")

        if self.remedy:
            lines.append(f"  remedy: {self.remedy}")

        for note in self.notes:
            lines += [f"{note.span}: note: {note.message}", note.span.caret()]

        return "\n".join(lines)

    def __str__(self) -> str:
        return f"{self.span}: {self.message}"


class SourceError(Exception):
    """A text was refused. Carries every finding, errors and warnings, in the order of the text."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(finding.render() for finding in self.diagnostics))


class Diagnostics:
    """A list of findings that grows while a text is read."""

    def __init__(self) -> None:
        self._found: list[Diagnostic] = []

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(sorted(self._found, key=lambda d: (d.span.source.name, d.span.line, d.span.column)))

    def __len__(self) -> int:
        return len(self._found)

    def add(self, diagnostic: Diagnostic) -> None:
        """Add one finding."""
        self._found.append(diagnostic)

    def error(
        self,
        code: str,
        message: str,
        span: Span,
        *,
        expected: str = "",
        remedy: str = "",
        notes: tuple[Note, ...] = (),
    ) -> None:
        """Add an error."""
        self.add(Diagnostic(code, message, span, expected, remedy, Severity.ERROR, notes))

    def warning(
        self,
        code: str,
        message: str,
        span: Span,
        *,
        remedy: str = "",
        notes: tuple[Note, ...] = (),
    ) -> None:
        """Add a warning."""
        self.add(Diagnostic(code, message, span, "", remedy, Severity.WARNING, notes))

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The errors only, in the order of the text."""
        return tuple(found for found in self if found.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """The warnings only, in the order of the text."""
        return tuple(found for found in self if found.severity is Severity.WARNING)

    def raise_errors(self) -> None:
        """Raise all findings if there is an error among them.

        Raises:
            SourceError: There is an error.
        """
        if self.errors:
            raise SourceError(self)


def closest(word: str, known: Iterable[str]) -> str:
    """Return a remedy that names the known word most like this one, or an empty string."""
    by_fold = {name.casefold(): name for name in known}
    match = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.6)
    return f"did you mean {by_fold[match[0]]!r}?" if match else ""
