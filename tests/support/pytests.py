"""pytest with cardtwin's plugin, in a folder and a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import cardtwin

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def runner_in(folder: Path, **environment: str) -> Run:
    """Return what runs pytest in a folder, without cardtwin's own settings."""
    (folder / "pytest.ini").write_text("[pytest]\nstrict = true\n")
    roots = os.pathsep.join(str(Path(root).resolve().parent) for root in cardtwin.__path__)
    alone = ("-p", "no:cacheprovider", "-p", "no:randomly", "-W", "error")
    plugin = () if _loaded_by_entry_point() else ("-p", "cardtwin.plugin")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pytest", *alone, *plugin, *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": roots, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


def _loaded_by_entry_point() -> bool:
    return any(entry.value == "cardtwin.plugin" for entry in entry_points(group="pytest11"))
