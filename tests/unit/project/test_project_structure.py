"""What holds for every module of the project."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from statistics import quantiles

import pytest

import cardtwin

ROOT = Path(__file__).resolve().parents[3]
SOURCES = sorted(path for root in ("simulator", "harness", "tools") for path in (ROOT / root).rglob("*.py"))
PACKAGES = [found.name for found in walk_packages(cardtwin.__path__, "cardtwin.") if found.ispkg]


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_exports_what_it_says(name: str) -> None:
    package = import_module(name)
    exported = getattr(package, "__all__", ())
    assert len(set(exported)) == len(exported)
    assert [missing for missing in exported if not hasattr(package, missing)] == []


@pytest.mark.thorough
def test_every_package_can_be_the_first_that_is_imported() -> None:
    program = """
import sys
from importlib import import_module

for name in sys.argv[1:]:
    for loaded in [module for module in sys.modules if module.partition(".")[0] == "cardtwin"]:
        del sys.modules[loaded]

    import_module(name)
"""
    run = subprocess.run(
        [sys.executable, "-c", program, *PACKAGES], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def test_the_two_source_roots_make_one_namespace() -> None:
    assert not list(ROOT.glob("*/cardtwin/__init__.py"))
    inside = {path.name for root in ("simulator", "harness") for path in (ROOT / root).iterdir()}
    assert inside - {"__pycache__"} == {"cardtwin"}


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_nine_functions_of_ten_fit_into_25_lines() -> None:
    lengths = [
        (node.end_lineno or node.lineno) - node.lineno + 1
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert quantiles(lengths, n=10)[-1] <= 25
