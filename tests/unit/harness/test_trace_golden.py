"""Traces of seeded scenarios are the same on every machine and every version of Python.

To accept a change: ``cardtwin run SCENARIO... --golden tests/golden --update``, and read the diff.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cardtwin.cli import main

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "golden"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.trace"))
STEPS = "- {apdu: 00 84 00 00 04}\n"


def cardtwin(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["run", *map(str, arguments)], env={"COLUMNS": "200"})


@pytest.fixture
def seeded(scenario: Any) -> Path:
    path: Path = scenario(STEPS, seed="golden")
    return path


def scenario_named(name: str) -> Path:
    (path,) = ROOT.joinpath("scenarios").rglob(f"{name}.scenario.yaml")
    return path


@pytest.mark.parametrize("name", NAMES)
def test_a_seeded_scenario_leaves_the_same_trace_byte_for_byte(name: str) -> None:
    result = cardtwin(scenario_named(name), "--golden", GOLDEN)
    assert result.exit_code == 0, result.output


def test_the_golden_traces_hold_no_pin() -> None:
    for golden in GOLDEN.glob("*.trace"):
        text = golden.read_text()
        assert "32 37 31 38 32 38" not in text, "the PIN of the sketch, 271828"
        assert "31 32 33 34" not in text, "the PIN of the card whose login is lost, 1234"


@pytest.mark.usefixtures("target")
def test_another_trace_than_the_golden_one_is_shown_and_fails(seeded: Path, tmp_path: Path) -> None:
    assert cardtwin(seeded, "--golden", tmp_path, "--update").exit_code == 0
    assert cardtwin(seeded, "--golden", tmp_path).exit_code == 0
    seeded.write_text(seeded.read_text().replace("00 84 00 00 04", "00 A4 00 0C 02 3F 00"))
    result = cardtwin(seeded, "--golden", tmp_path)
    assert result.exit_code == 1
    assert "-    > R1: 00 84 00 00 04" in result.output
    assert "+    > R1: 00 A4 00 0C 02 3F 00" in result.output


@pytest.mark.usefixtures("target")
def test_an_update_of_one_instance_keeps_the_others(scenario: Any, tmp_path: Path) -> None:
    path: Path = scenario(
        "- {apdu: $(command)}\n", seed="golden", matrix="{command: [0084000004, 00A4000C023F00]}"
    )
    assert cardtwin(path, "--golden", tmp_path, "--update").exit_code == 0
    golden = tmp_path / f"{path.name.partition('.')[0]}.trace"
    before = golden.read_text()
    assert before.count("## ") == 2
    assert cardtwin(path, "--golden", tmp_path, "--update", "-k", "3F00").exit_code == 0
    assert golden.read_text() == before
    golden.write_text(before.replace("> R1: 00 84 00 00 04", "> R1: 00 84 00 00 05"))
    assert cardtwin(path, "--golden", tmp_path, "-k", "3F00").exit_code == 0
    assert cardtwin(path, "--golden", tmp_path).exit_code == 1


@pytest.mark.usefixtures("target")
def test_what_has_no_seed_has_no_golden_trace(scenario: Any, tmp_path: Path) -> None:
    result = cardtwin(scenario(STEPS), "--golden", tmp_path, "--update")
    assert result.exit_code == 2
    assert "has no seed" in result.output
    assert cardtwin(scenario(STEPS), "--golden", tmp_path, "--update", "--seed", "s").exit_code == 0


@pytest.mark.usefixtures("target")
def test_the_trace_of_a_failure_is_no_golden_one(seeded: Path, tmp_path: Path) -> None:
    assert cardtwin(seeded, "--golden", tmp_path, "--update").exit_code == 0
    before = (tmp_path / "demo.trace").read_text()
    seeded.write_text(seeded.read_text().replace("04}", "04, expect: 6A82}"))
    assert cardtwin(seeded, "--golden", tmp_path, "--update").exit_code == 1
    assert (tmp_path / "demo.trace").read_text() == before


@pytest.mark.usefixtures("target")
def test_a_folder_that_holds_none_of_the_traces_is_refused(seeded: Path, tmp_path: Path) -> None:
    result = cardtwin(seeded, "--golden", tmp_path)
    assert result.exit_code == 2
    assert "none of these scenarios has a golden trace" in result.output


@pytest.mark.usefixtures("target")
def test_update_needs_to_know_where_golden_traces_are(seeded: Path) -> None:
    result = cardtwin(seeded, "--update")
    assert result.exit_code == 2
    assert "--golden FOLDER" in result.output
