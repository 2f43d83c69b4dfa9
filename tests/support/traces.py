"""Trace files in tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.trace import read_traces

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["text_of"]


def text_of(path: Path) -> str:
    """Return what a trace file holds, for people."""
    return "\n".join(trace.text() for trace in read_traces(path))
