"""Compiles the C library.

Nothing but the standard library is needed: the package's build runs this before anything is installed.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.native.generate import stubs

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LIBRARY_NAME", "CompilerError", "build", "compiler"]

LIBRARY_NAME: Final = "libcardtwin-pkcs11.so"

_SOURCES: Final = Path(__file__).resolve().parent
_FLAGS: Final = (
    "-std=c11",
    "-O2",
    "-fPIC",
    "-fvisibility=hidden",
    "-pthread",
    "-Wall",
    "-Wextra",
    "-Wshadow",
    "-Wconversion",
    "-Wstrict-prototypes",
    "-Wmissing-prototypes",
    "-Werror",
)
_LINK: Final = ("-shared", "-Wl,-z,relro,-z,now")


class CompilerError(Exception):
    """The compiler refused the library; the message is the compiler's."""


def compiler() -> tuple[str, ...] | None:
    """Return the command of the C compiler, from the environment's CC or ``cc``; None if there is none."""
    command = tuple(shlex.split(os.environ.get("CC", ""))) or ("cc",)
    return command if shutil.which(command[0]) else None


def build(folder: Path, command: Sequence[str], flags: Sequence[str] = ()) -> Path:
    """Compile the library into a folder and return its path.

    Args:
        folder: Where the library goes; it appears there whole or not at all.
        command: The compiler.
        flags: More flags, such as those of sanitizers, after those of CFLAGS and LDFLAGS.

    Raises:
        CompilerError: The compiler failed.
    """
    library = folder / LIBRARY_NAME
    fresh = folder / f".{LIBRARY_NAME}.{os.getpid()}"
    environment = [*shlex.split(os.environ.get("CFLAGS", "")), *shlex.split(os.environ.get("LDFLAGS", ""))]
    sources = [str(source) for source in sorted(_SOURCES.glob("*.c"))]
    # The generated file comes by standard input, so that the compiler leaves nothing behind.
    options = [*_FLAGS, *environment, *flags, *_LINK, f"-I{_SOURCES}", "-o", str(fresh), *sources]
    run = subprocess.run(  # noqa: S603  # the compiler that the user's environment names
        [*command, *options, "-xc", "-"], input=stubs(), capture_output=True, text=True, check=False
    )

    if run.returncode != 0:
        fresh.unlink(missing_ok=True)
        raise CompilerError(f"{shlex.join(command)} failed to compile {LIBRARY_NAME}:\n{run.stderr}")

    fresh.replace(library)
    return library
