"""How the library is built, what it shows to those who load it, and where it is."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from cardtwin.cryptoki import native
from cardtwin.cryptoki.errors import LibraryMissingError
from cardtwin.cryptoki.functions import FUNCTIONS
from cardtwin.cryptoki.native.build import LIBRARY_NAME, CompilerError, build, compiler

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif("LD_PRELOAD" in os.environ, reason="sanitizers add symbols and libraries")


def told(*command: str | Path) -> list[str]:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_the_library_shows_its_functions_and_nothing_else(library: Path) -> None:
    names = {line.split()[-1] for line in told("nm", "-D", "--defined-only", library)}
    functions = {function.name for function in FUNCTIONS}
    assert names == functions | {"C_GetInterfaceList", "C_GetInterface"}


def test_the_library_needs_libc_alone(library: Path) -> None:
    needed = [line.split("[")[1].rstrip("]") for line in told("readelf", "-d", library) if "(NEEDED)" in line]
    assert needed == ["libc.so.6"]


@pytest.mark.parametrize("language", [("-xc", "-std=c99"), ("-xc++", "-std=c++17")])
def test_our_header_can_be_used_from_c_and_cpp(library: Path, language: tuple[str, str]) -> None:
    header = native.header_path()
    command = compiler()
    assert command is not None

    if language[0] == "-xc++" and shutil.which("c++") is None:
        assert os.environ.get("CI") != "true", "there is no C++ compiler"
        pytest.skip("there is no C++ compiler")

    flags = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]
    code = (
        f'#include "{header.with_name("cryptoki.h")}"\n#include "{header}"\ncardtwin_function_list *list;\n'
    )
    subprocess.run([*command, *flags, *language, "-"], input=code, text=True, check=True)


def test_two_builds_give_the_same_library(library: Path, tmp_path: Path) -> None:
    command = compiler()
    assert command is not None
    assert build(tmp_path, command).read_bytes() == library.read_bytes()


def test_a_compiler_that_fails_leaves_nothing_behind_and_says_why(library: Path, tmp_path: Path) -> None:
    command = compiler()
    assert command is not None

    with pytest.raises(CompilerError, match=r"(?s)failed to compile libcardtwin-pkcs11\.so:.*-fnonsense"):
        build(tmp_path, command, ["-fnonsense"])

    assert list(tmp_path.iterdir()) == []


def test_the_compiler_is_the_environments(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CC", str(tmp_path / "none"))
    assert compiler() is None
    monkeypatch.setenv("CC", "sh -x")
    assert compiler() == ("sh", "-x")


def test_a_library_that_is_missing_is_told_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "_FOLDER", tmp_path)

    with pytest.raises(LibraryMissingError, match=r"(?s)is not there: no C compiler.*apt-get install gcc"):
        native.library_path()

    (tmp_path / LIBRARY_NAME).touch()
    assert native.library_path() == tmp_path / LIBRARY_NAME
