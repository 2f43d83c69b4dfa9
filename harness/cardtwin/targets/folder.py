"""The folder of a bench: the files of its scenario, and the logs that programs write."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BenchFolder"]


class BenchFolder:
    """A folder that goes when its bench is taken down.

    Attributes:
        files: The folder of the scenario's files.
        log: The folder of logs.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="cardtwin-")
        self.files = Path(self._folder.name, "files")
        self.log = Path(self._folder.name, "log")

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write files, with the folders that they are in."""
        for name, content in files.items():
            path = self.files / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def logged(self, name: str) -> str | None:
        """Return the text of a log file; None if there is none."""
        path = self.log / name
        return path.read_text(encoding="utf-8") if path.is_file() else None

    def remove(self) -> None:
        """Remove it, also where an interrupt comes in between."""
        try:
            self._folder.cleanup()
        except BaseException:
            self._folder.cleanup()
            raise
