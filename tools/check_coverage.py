"""Sees to it that every requirement is proved, by what runs of the tests have left behind.

Usage: ``python tools/check_coverage.py FOLDER``, with the files that pytest's ``--cardtwin-proved`` has
written there, one for each tox environment. Nothing is run again. Exit status: 0 all is proved, 1 something
isn't, 2 a run is missing.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT: Final = Path(__file__).resolve().parent.parent
NEEDED: Final = {
    "scenarios": "scenarios",
    "py3*": f"py{sys.version_info.major}{sys.version_info.minor}",
    "interop": "interop",
}
"""The environments whose tests prove requirements, as names of files, and which to run for each."""


def missing(folder: Path) -> Iterator[str]:
    """Yield the environments that have left nothing."""
    for pattern, environment in NEEDED.items():
        if not any(folder.glob(f"{pattern}.json")):
            yield environment


def found(folder: Path) -> Iterator[Path]:
    """Yield the files that are counted."""
    for pattern in NEEDED:
        yield from sorted(folder.glob(f"{pattern}.json"))


def main(arguments: Sequence[str]) -> int:
    """Count the requirements."""
    folder = Path(arguments[0])

    if absent := list(missing(folder)):
        names = ",".join(absent)
        print(f"coverage: nothing in {folder} says what {' and '.join(absent)} proved", file=sys.stderr)
        print(f"coverage: run them first: tox -e {names}, or ./check for everything", file=sys.stderr)
        return 2

    command = ["cardtwin", "coverage", "--requirements", str(ROOT / "docs" / "requirements.yaml")]
    proved = [word for path in found(folder) for word in ("--proved", str(path))]
    return subprocess.run([*command, *proved, "--complete"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
