"""Results as JSON, for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardtwin.scenario import ScenarioResult

__all__ = ["FORMAT", "document", "write_json"]

FORMAT = 1
"""The version of the document's layout; a reader refuses one that it doesn't know."""


def document(results: Sequence[ScenarioResult], seconds: float) -> dict[str, Any]:
    """Return the results as plain values."""
    return {"format": FORMAT, "seconds": seconds, "scenarios": [asdict(result) for result in results]}


def write_json(results: Sequence[ScenarioResult], seconds: float, path: Path) -> None:
    """Write the results to a file."""
    text = json.dumps(document(results, seconds), indent=2, ensure_ascii=False, default=_plain)
    path.write_text(f"{text}\n", encoding="utf-8")


def _plain(value: object) -> str:
    if isinstance(value, Path):
        return str(value)

    raise TypeError(f"{type(value).__name__} has no place in a report")
