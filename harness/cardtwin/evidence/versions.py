"""With what a run was made: versions, as far as they can be known."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from cardtwin.evidence.model import Versions

__all__ = ["versions"]

_PATIENCE = 5.0


@cache
def versions() -> Versions:
    """Return the versions of what takes part."""
    return Versions(
        cardtwin=_package("cardtwin"),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        system=f"{platform.system()} {platform.machine()}",
        pyscard=_package("pyscard"),
        pcsc_lite=_pcscd(),
    )


def _package(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _pcscd() -> str | None:
    """Return what the pcscd that is installed tells of itself; the library doesn't tell its version."""
    # System programs stand where not everybody's PATH leads.
    places = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))

    if (program := shutil.which("pcscd", path=places)) is None:
        return None

    try:
        done = subprocess.run(  # noqa: S603  # the system's own program, found by its name
            [program, "--version"], capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None

    return next(iter(done.stdout.splitlines()), "").strip() or None
