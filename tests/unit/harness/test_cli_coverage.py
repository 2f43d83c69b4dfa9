"""The command ``cardtwin coverage``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from cardtwin.cli import main
from cardtwin.report.proofs import Proof, ProofsFile
from cardtwin.scenario import Verdict

if TYPE_CHECKING:
    from pathlib import Path

SCENARIO = """\
format: 1
title: x
readers: {R1: cardos-4.4}
steps:
- {apdu: 00 84 00 00 08, proves: A-01}
"""


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.yaml"
    path.write_text(
        "A-01: {basis: stated, text: It answers}\nA-02: {basis: stated, text: It sings}\n"
        "B-01: {basis: stated, text: It dances}\n"
    )
    return path


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "a.scenario.yaml"
    path.write_text(SCENARIO)
    return path


def coverage(requirements: Path, *arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["coverage", "--requirements", str(requirements), *map(str, arguments)])


def by_tests(path: Path, status: int = 0, **verdicts: Verdict) -> Path:
    """Write a file of what tests prove: ids with an underscore, and verdicts."""
    proofs = (
        Proof(id_.replace("_", "-"), "tests", each, f"test_it.py::{id_}") for id_, each in verdicts.items()
    )
    ProofsFile(status, tuple(proofs)).write(path)
    return path


def test_it_counts_what_passed_and_lists_what_is_missing(
    requirements: Path, scenario: Path, tmp_path: Path
) -> None:
    result = coverage(requirements, "--missing", "--json", tmp_path / "out.json", scenario)
    assert result.exit_code == 0
    assert "emulated: 1 of 3 requirements proved" in result.output
    assert "It sings" in result.output
    assert "It answers" not in result.output
    assert json.loads((tmp_path / "out.json").read_text())["proved"] == {"emulated": ["A-01"]}


def test_a_proof_of_nothing_is_status_1(requirements: Path, scenario: Path) -> None:
    scenario.write_text(SCENARIO.replace("A-01", "A-99"))
    result = coverage(requirements, scenario)
    assert result.exit_code == 1
    assert "a.scenario.yaml:5:3: proves 'A-99'" in result.output


def test_a_scenario_that_fails_is_status_1(requirements: Path, scenario: Path) -> None:
    scenario.write_text(SCENARIO.replace("proves: A-01", "expect: {sw: 6A82}"))
    result = coverage(requirements, scenario)
    assert result.exit_code == 1
    assert "failed: a" in result.output


def test_what_tests_prove_stands_beside_what_scenarios_do(
    requirements: Path, scenario: Path, tmp_path: Path
) -> None:
    tests = by_tests(tmp_path / "tests.json", A_02=Verdict.PASSED)
    result = coverage(requirements, "--proved", tests, scenario)
    assert result.exit_code == 0
    assert "emulated: 1 of 3 requirements proved" in result.output
    assert "tests: 1 of 3 requirements proved" in result.output
    assert "together: 2 of 3 requirements proved" in result.output
    assert "A       1 of 2  1 of 2" in result.output


def test_files_alone_do_and_are_taken_together(requirements: Path, tmp_path: Path) -> None:
    first = by_tests(tmp_path / "first.json", A_01=Verdict.PASSED, A_02=Verdict.PASSED)
    second = by_tests(tmp_path / "second.json", A_02=Verdict.FAILED, B_01=Verdict.PASSED)
    result = coverage(requirements, "--proved", first, "--proved", second, "--missing")
    assert result.exit_code == 1
    assert "tests: 2 of 3 requirements proved" in result.output
    assert "It sings" in result.output
    assert "second.json: failed: test_it.py::A_02" in result.output


def test_a_run_that_failed_is_told_though_its_proofs_did_not(requirements: Path, tmp_path: Path) -> None:
    result = coverage(requirements, "--proved", by_tests(tmp_path / "tests.json", 1, A_01=Verdict.PASSED))
    assert result.exit_code == 1
    assert "tests.json: of a run of pytest that ended with status 1" in result.output


def test_a_test_that_proves_nothing_known_is_named(requirements: Path, tmp_path: Path) -> None:
    result = coverage(requirements, "--proved", by_tests(tmp_path / "tests.json", A_99=Verdict.PASSED))
    assert result.exit_code == 1
    assert "test_it.py::A_99: proves 'A-99', which the requirements don't have" in result.output


@pytest.mark.parametrize(
    ("areas", "missing", "counted"),
    [((), ["A-02", "B-01"], "2 of 3"), (("A",), ["A-02"], "1 of 2"), (("B,A",), ["A-02", "B-01"], "2 of 3")],
)
def test_what_has_to_be_complete_and_is_not_is_listed_and_is_status_1(
    requirements: Path, tmp_path: Path, areas: tuple[str, ...], missing: list[str], counted: str
) -> None:
    tests = by_tests(tmp_path / "tests.json", A_01=Verdict.PASSED)
    result = coverage(requirements, "--proved", tests, "--complete", *areas)
    assert result.exit_code == 1
    assert f"not proved: {counted} requirements" in result.output
    assert [line[:4] for line in result.output.splitlines() if line[1:2] == "-"] == missing


def test_what_is_complete_everywhere_together_is_status_0(
    requirements: Path, scenario: Path, tmp_path: Path
) -> None:
    tests = by_tests(tmp_path / "tests.json", A_02=Verdict.PASSED)
    assert coverage(requirements, scenario, "--proved", tests, "--complete", "A").exit_code == 0
    assert coverage(requirements, scenario, "--proved", tests, "--complete").exit_code == 1


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((), "what proves them?"),
        (("--proved", "none.json"), "none.json isn't there: pytest --cardtwin-proved=none.json writes it"),
        (("--proved", "requirements.yaml"), "requirements.yaml is no file of proofs"),
        (("--proved", "tests.json", "--complete", "a"), "there is no area 'a': did you mean 'A'?"),
        (("--proved", "tests.json", "--complete", "A,song"), "there is no area 'song': there are A, B"),
    ],
)
def test_what_cannot_be_counted_is_status_2(
    requirements: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    by_tests(tmp_path / "tests.json", A_01=Verdict.PASSED)
    result = coverage(requirements, *given)
    assert result.exit_code == 2
    assert told in result.output
