"""What the tests of hosted cards share: an encoding in a folder, cardtwin's command line as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import cardtwin

ROOTS: Final = os.pathsep.join(str(Path(folder).resolve().parent) for folder in cardtwin.__path__)
PROFILES: Final = Path(__file__).resolve().parents[2] / "profiles"
TIMEOUT: Final = 60

DESCRIPTION: Final = """\
[Encoding]
Type=1024,Chip
Devices=8711

[Fields]
PIN=
PUK=

[Description]
PKCS11LibraryWindows32=C:/Program Files (x86)/Personal/bin/personal.dll
InitToken=true
ChipProfile=token.cpf
PIN=PIN
InitialPUK=PUK
InitialLabel=#Made by an encoding
"""


def encoding(folder: Path, *, profile: str = "cardos-5.3-full") -> Path:
    """Write an encoding description and the profile that it names; return the description's path."""
    (folder / "token.cpf").write_bytes((PROFILES / f"{profile}.cpf").read_bytes())
    path = folder / "init.dsc"
    path.write_text(DESCRIPTION)
    return path


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a process that is to find cardtwin."""
    return {**os.environ, "PYTHONPATH": ROOTS, **more}


def command(*arguments: str | Path) -> list[str]:
    """Return the command line of cardtwin's command."""
    program = "from cardtwin.cli import main; main(prog_name='cardtwin')"
    return [sys.executable, "-W", "error", "-c", program, *map(str, arguments)]


def run(
    *arguments: str | Path, entered: str = "", folder: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run cardtwin's command to its end, with what is entered, and more environment variables."""
    return subprocess.run(
        command(*arguments),
        input=entered,
        cwd=folder,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
