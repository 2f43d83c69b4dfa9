"""Golden traces: what scenarios are to do, byte for byte, in files that are read in review."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cardtwin.trace.recorder import Trace

__all__ = ["GoldenFile"]

_TITLE: Final = "## "
_CONTEXT: Final = 3


class GoldenFile:
    """The golden traces of one scenario file: a text for people, with a part for each instance.

    Args:
        path: The file; it need not be there yet.

    Raises:
        OSError: The file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parts = _parts(path.read_text(encoding="utf-8")) if path.exists() else {}

    def differences(self, traces: Sequence[Trace]) -> Mapping[str, str]:
        """Return how traces differ from the golden ones, by title: as unified diffs."""
        found = {}

        for trace in traces:
            text = trace.text()
            golden = self._parts.get(trace.title, "")

            if text != golden:
                found[trace.title] = self._diff(trace.title, golden, text)

        return found

    def update(self, traces: Sequence[Trace], titles: Sequence[str]) -> None:
        """Make these the golden traces.

        Args:
            traces: Of the instances that ran.
            titles: Of all instances that there are: the traces of others are dropped.

        Raises:
            OSError: The file cannot be written.
        """
        parts = self._parts | {trace.title: trace.text() for trace in traces}
        self._parts = {title: parts[title] for title in titles if title in parts}
        self._path.write_text("\n".join(self._parts.values()), encoding="utf-8")

    def _diff(self, title: str, golden: str, text: str) -> str:
        lines = difflib.unified_diff(
            golden.splitlines(), text.splitlines(), str(self._path), title, lineterm="", n=_CONTEXT
        )
        return "\n".join(lines)


def _parts(text: str) -> dict[str, str]:
    """Return the parts of a file by their titles; blank lines are between them alone."""
    parts: dict[str, str] = {}

    for part in text.split(f"\n\n{_TITLE}"):
        lines = part.removeprefix(_TITLE).rstrip("\n")
        parts[lines.partition("\n")[0]] = f"{_TITLE}{lines}\n"

    return parts
