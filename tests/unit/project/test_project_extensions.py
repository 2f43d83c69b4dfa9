"""The page about extensions shows one that works."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[3] / "docs" / "profile-extensions.md"

PROGRAM = """
import sys
from cardtwin.entropy import SeededEntropy
from cardtwin.plan.cms import CmsPinBlobCodec
from cardtwin.ppa import Environment, evaluate, parse
from cardtwin.source import SourceError, SourceText

try:
    profile = parse(SourceText("acme.cpf", sys.stdin.read()))
    plan = evaluate(profile, Environment(SeededEntropy("x"), CmsPinBlobCodec()))
except SourceError as error:
    sys.exit(str(error))

for path, file in plan.root.walk():
    print("/".join(f"{part:04X}" for part in path), file.content.literal().hex())

for pin in plan.pins:
    print(pin.role, pin.reference, pin.tries)
"""


@pytest.fixture
def blocks() -> list[str]:
    """The page's blocks of code: module, entry point, profile."""
    return re.findall(r"^```[a-z]*\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def evaluate(folder: Path, blocks: list[str], profile: str) -> subprocess.CompletedProcess[str]:
    """Install the page's distribution into a folder, and evaluate a profile with it."""
    (folder / "acme_ppa.py").write_text(blocks[0], encoding="utf-8")
    facts = folder / "acme_ppa-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-ppa\nVersion: 1.0\n", encoding="utf-8")
    points = blocks[1].replace('project.entry-points."cardtwin.ppa"', "cardtwin.ppa").replace('"', "")
    (facts / "entry_points.txt").write_text(points, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}
    command = [sys.executable, "-c", PROGRAM]
    return subprocess.run(
        command, input=profile, env=environment, capture_output=True, text=True, check=False
    )


def test_the_extension_of_the_page_works_with_the_profile_of_the_page(
    tmp_path: Path, blocks: list[str]
) -> None:
    result = evaluate(tmp_path, blocks, blocks[2])
    assert result.returncode == 0, result.stderr
    assert result.stdout == "3F00/4701 752001234f\nOP 5 5\n"


def test_the_extension_refuses_at_the_place_of_the_mistake(tmp_path: Path, blocks: list[str]) -> None:
    result = evaluate(tmp_path, blocks, blocks[2].replace("752001234", "7520O1234"))
    assert result.returncode == 1
    assert "acme.cpf:10:6: error: '7520O1234' are not digits [not-digits]" in result.stderr
