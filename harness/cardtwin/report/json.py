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
    """Return the results as plain values; seconds have three decimals, as in the other reports."""
    scenarios = [_in_milliseconds(asdict(result)) for result in results]
    return {"format": FORMAT, "seconds": round(seconds, 3), "scenarios": scenarios}


def write_json(results: Sequence[ScenarioResult], seconds: float, path: Path) -> None:
    """Write the results to a file."""
    text = json.dumps(document(results, seconds), indent=2, ensure_ascii=False, default=_plain)
    path.write_text(f"{text}\n", encoding="utf-8")


def _in_milliseconds(value: Any) -> Any:
    """Round every floating number below: more digits are noise, and look like whatever one searches for."""
    match value:
        case float():
            return round(value, 3)
        case dict():
            return {name: _in_milliseconds(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_in_milliseconds(inner) for inner in value]
        case _:
            return value


def _plain(value: object) -> str:
    if isinstance(value, Path):
        return str(value)

    raise TypeError(f"{type(value).__name__} has no place in a report")
