"""Programs that load the C library, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from support.cryptoki import BOUND

TESTS = Path(__file__).resolve().parents[1]

PRELUDE = """
import ctypes, os, sys, threading
from support.pkcs11_module import Module, room, ulong
module = Module(sys.argv[1])

def sign(data=b"abc"):
    buffer, length = room(len(data)), ulong(len(data))
    rv = module.C_Sign(1, data, len(data), buffer, ctypes.byref(length))
    return rv if rv else buffer.raw == data[::-1]
"""


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a program that imports what the tests do."""
    paths = [str(TESTS), *(path for path in sys.path if path)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **more}


def start(library: Path, program: str, **more: str) -> subprocess.Popen[str]:
    """Start a program that has loaded the library."""
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(program), str(library)],
        env=environment(**more),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Return what a program printed, which has to end well."""
    with process:
        output, errors = process.communicate(timeout=BOUND * 3)

    assert process.returncode == 0, errors
    return output, errors


def ran(library: Path, program: str, **more: str) -> str:
    """Run a program to its end; return what it printed."""
    return finished(start(library, program, **more))[0]


def line(process: subprocess.Popen[str]) -> str:
    """Return the next line that a program prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str]) -> None:
    """Let a program go on that waits for a line."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
