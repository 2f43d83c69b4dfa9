"""The scenario's files as source texts, and what is found wrong in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.source import Severity, SourceText
from cardtwin.source.text import decode_text

if TYPE_CHECKING:
    from cardtwin.scenario.run import Run
    from cardtwin.source import Diagnostic

__all__ = ["error_codes", "source_text"]


def source_text(run: Run, name: str) -> SourceText:
    """Return a file of the scenario as text, under a name that says whose file it is."""
    return SourceText(f"{run.source}:{name}", decode_text(run.file(name)))


def error_codes(error: Exception | None) -> tuple[str, ...]:
    """Return the codes of the findings that an error carries, each once; those of warnings are left out."""
    findings: tuple[Diagnostic, ...] = getattr(error, "diagnostics", ())
    return tuple(dict.fromkeys(f.code for f in findings if f.severity is Severity.ERROR))
