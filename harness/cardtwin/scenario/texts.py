"""The scenario's files as source texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.source import SourceText
from cardtwin.source.text import decode_text

if TYPE_CHECKING:
    from cardtwin.scenario.run import Run

__all__ = ["source_text"]


def source_text(run: Run, name: str) -> SourceText:
    """Return a file of the scenario as text, under a name that says whose file it is."""
    return SourceText(f"{run.instance.path.name}:{name}", decode_text(run.file(name)))
