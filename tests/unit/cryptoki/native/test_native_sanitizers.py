"""The C code under the compiler's sanitizers: the tests beside this one, and a program in C."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cardtwin.cryptoki.native.build import compiler
from support.cryptoki import Served, compiled

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[3]
FOUND = ("ERROR: AddressSanitizer", "runtime error:", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer")

ADDRESS = "-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g"
THREAD = "-fsanitize=thread -fno-omit-frame-pointer -g"


def preloaded(*names: str) -> str:
    """Return where the compiler keeps those libraries; without them the test is skipped, but never in CI."""
    command = compiler()
    assert command is not None
    paths = [
        subprocess.run(
            [*command, f"-print-file-name={name}"], capture_output=True, text=True, check=True
        ).stdout.strip()
        for name in names
    ]

    if not all(Path(path).is_absolute() for path in paths):
        assert os.environ.get("CI") != "true", f"the compiler lacks one of {', '.join(names)}"
        pytest.skip("the compiler has no sanitizers")

    return ":".join(paths)


@pytest.mark.thorough
@pytest.mark.skipif("LD_PRELOAD" in os.environ, reason="this is the inner run already")
@pytest.mark.timeout(300)
def test_the_library_does_nothing_undefined_and_keeps_to_its_memory(library: Path) -> None:
    """PYTHONMALLOC lets the sanitizer see the ends of the buffers that the tests hand over."""
    tests = [str(path) for path in sorted(HERE.glob("test_*.py")) if path != Path(__file__).resolve()]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests],
        cwd=ROOT,
        env={
            **os.environ,
            "LD_PRELOAD": preloaded("libasan.so", "libubsan.so"),
            "ASAN_OPTIONS": "detect_leaks=0",
            "PYTHONMALLOC": "malloc",
            "CARDTWIN_TEST_FLAGS": ADDRESS,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert not any(mark in run.stdout for mark in FOUND), run.stdout


@pytest.mark.thorough
@pytest.mark.skipif("LD_PRELOAD" in os.environ, reason="sanitizers don't mix")
@pytest.mark.parametrize("flags", [ADDRESS, THREAD], ids=["address", "thread"])
def test_a_program_in_c_leaks_nothing_and_has_no_races(token: Served, tmp_path: Path, flags: str) -> None:
    command = compiler()
    assert command is not None
    preloaded("libasan.so" if flags is ADDRESS else "libtsan.so")
    library = compiled(tmp_path, *flags.split())
    program = tmp_path / "program"
    sources = ["-std=c11", "-Wall", "-Wextra", "-Werror", str(HERE / "program.c"), str(library), "-pthread"]
    subprocess.run([*command, *flags.split(), *sources, "-o", str(program)], check=True)
    # Addresses in their usual places: older thread sanitizers know no others.
    steady = [shutil.which("setarch") or "env", "-R"] if shutil.which("setarch") else []
    run = subprocess.run(
        [*steady, str(program)],
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert run.returncode == 0, run.stderr
    assert not any(mark in run.stderr for mark in FOUND), run.stderr
    assert run.stdout == "done\n"
