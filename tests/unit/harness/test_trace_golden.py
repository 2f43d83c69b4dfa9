"""Traces of seeded scenarios are the same on every machine and every version of Python.

docs/traces.md says how they are renewed after a change that is wanted.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cardtwin.cli import main

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "golden"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.trace"))
STEPS = "- {apdu: 00 84 00 00 04}\n"
AREAS = {
    "access": "a login to Digital Access",
    "deleting": "deleting",
    "dialects": "Cosmo and IDClassic",
    "encoding": "an encoding",
    "first": "PINs in a profile that an encoding reads",
    "get": "a virtual smart card",
    "lost-login": "a lost login",
    "officers": "a token of Certificate Manager",
    "shared-reader": "programs at a reader",
    "consent": "the signature slot",
}
"""What the golden traces show; small ones, for that."""

LARGEST = 70_000
SECRETS = (
    "271828",
    "1234",
    "2718",
    "1414",
    "141421",
    "31415926",
    "16180339",
    "12345678",
    "secret 1",
    "secret 2",
)
"""The PINs and PUKs that the scenarios have."""


def cardtwin(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["run", *map(str, arguments)], env={"COLUMNS": "200"})


@pytest.fixture
def seeded(scenario: Any) -> Path:
    path: Path = scenario(STEPS, seed="golden")
    return path


def scenario_named(name: str) -> Path:
    folders = (ROOT / "scenarios", GOLDEN)
    (path,) = (path for folder in folders for path in folder.rglob(f"{name}.scenario.yaml"))
    return path


def test_each_area_has_its_golden_trace() -> None:
    assert set(NAMES) == set(AREAS)
    assert {path.name.partition(".")[0] for path in GOLDEN.glob("*.scenario.yaml")} < set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_seeded_scenario_leaves_the_same_trace_byte_for_byte(name: str) -> None:
    result = cardtwin(scenario_named(name), "--golden", GOLDEN)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_trace_is_short_and_holds_no_secret(name: str) -> None:
    text = (GOLDEN / f"{name}.trace").read_text()
    assert len(text) < LARGEST
    assert str(ROOT) not in text

    for secret in SECRETS:
        assert secret.encode().hex(" ").upper() not in text


@pytest.fixture
def refusing(tmp_path: Path) -> Path:
    """A scenario in which a burnt card refuses to create a file; what it answers can be chosen."""
    text = (GOLDEN / "deleting.scenario.yaml").read_text()
    text = text.replace("../../scenarios", str(ROOT / "scenarios")).replace(
        ": token.cpf", f": {GOLDEN}/token.cpf", 1
    )
    text = text.replace("steps:", "switches: {card.phase-refusal: '6985'}\nsteps:")
    create = "  - {apdu: 00 E0 00 00 02 62 00, expect: {sw: {match: 6985|6D00}}}\n"
    path = tmp_path / "refusing.scenario.yaml"
    path.write_text(text.replace("  - {erase: operator", f"{create}  - {{erase: operator", 1))
    return path


def test_the_diff_of_an_update_is_short_where_one_status_word_is_another(
    refusing: Path, tmp_path: Path
) -> None:
    golden = tmp_path / "refusing.trace"
    assert cardtwin(refusing, "--golden", tmp_path, "--update").exit_code == 0
    before = golden.read_text().splitlines()
    refusing.write_text(refusing.read_text().replace("refusal: '6985'", "refusal: '6D00'"))
    assert cardtwin(refusing, "--golden", tmp_path, "--update").exit_code == 0
    after = golden.read_text().splitlines()
    assert len(before) > 100
    diff = list(difflib.unified_diff(before, after, lineterm="", n=0))[3:]
    assert diff == [
        "-    < R1: 69 85  conditions of use not satisfied",
        "+    < R1: 6D 00  instruction not supported",
    ]


def test_a_difference_is_told_with_its_step_what_is_expected_and_what_came(
    refusing: Path, tmp_path: Path
) -> None:
    assert cardtwin(refusing, "--golden", tmp_path, "--update").exit_code == 0
    refusing.write_text(refusing.read_text().replace("refusal: '6985'", "refusal: '6D00'"))
    result = cardtwin(refusing, "--golden", tmp_path)
    assert result.exit_code == 1
    told = result.output[result.output.index("not the golden trace") :].splitlines()
    assert told[1:] == [
        f"{tmp_path / 'refusing.trace'}, refusing: - is expected, + came",
        "@@ step 4 (apdu), java.exe, CREATE FILE file",
        " # step 4 (apdu)",
        "   # java.exe",
        "     > R1: 00 E0 00 00 02 62 00  CREATE FILE file",
        "-    < R1: 69 85  conditions of use not satisfied",
        "+    < R1: 6D 00  instruction not supported",
        " # step 5 (erase)",
        "   # card eraser",
        "     > R1: 00 CA 01 82 00  GET DATA system version",
    ]


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
