from __future__ import annotations

from pathlib import Path

import pytest

from cardtwin.report.coverage import count, read_requirements
from cardtwin.scenario import ScenarioResult, StepResult, Verdict
from cardtwin.source import SourceError

LIST = """\
# a comment
PPA-01: {source: 000, basis: stated, text: "Comments: yes"}
DEL-01: {basis: asked, text: x}
"""


def result(target: str, *steps: tuple[str, Verdict]) -> ScenarioResult:
    found = tuple(
        StepResult(number, "apdu", "apdu", f"a.yaml:{number}:1", proves=(id_,), verdict=verdict)
        for number, (id_, verdict) in enumerate(steps, start=1)
    )
    return ScenarioResult("a", Path("a.yaml"), "", target, Verdict.PASSED, 0.0, found)


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.yaml"
    path.write_text(LIST)
    return path


def test_requirements_are_read_in_their_order(requirements: Path) -> None:
    assert [(r.id, r.area, r.basis) for r in read_requirements(requirements)] == [
        ("PPA-01", "PPA", "stated"),
        ("DEL-01", "DEL", "asked"),
    ]


def test_an_incomplete_requirement_is_told_with_its_place(requirements: Path) -> None:
    requirements.write_text("PPA-01: {basis: stated}\n")

    with pytest.raises(SourceError, match=r"requirements\.yaml:1:1"):
        read_requirements(requirements)


def test_the_projects_own_requirements_can_be_read() -> None:
    path = Path(__file__).parents[3] / "docs" / "requirements.yaml"
    assert len({r.id for r in read_requirements(path)}) > 100


def test_only_a_step_that_ran_and_passed_proves(requirements: Path) -> None:
    wanted = read_requirements(requirements)
    found = count(wanted, [result("emulated", ("PPA-01", Verdict.PASSED), ("DEL-01", Verdict.NOT_RUN))])
    assert found.proved == {"emulated": {"PPA-01"}}


def test_a_step_that_failed_once_takes_the_proof_away(requirements: Path) -> None:
    wanted = read_requirements(requirements)
    results = [result("emulated", ("PPA-01", verdict)) for verdict in (Verdict.PASSED, Verdict.FAILED)]
    assert count(wanted, results).proved == {"emulated": frozenset()}


def test_targets_are_counted_apart(requirements: Path) -> None:
    wanted = read_requirements(requirements)
    found = count(wanted, [result("a", ("PPA-01", Verdict.PASSED)), result("b", ("DEL-01", Verdict.PASSED))])
    assert found.proved == {"a": {"PPA-01"}, "b": {"DEL-01"}}


def test_an_id_that_nobody_asked_for_is_told_with_its_place(requirements: Path) -> None:
    found = count(read_requirements(requirements), [result("a", ("PPA-99", Verdict.PASSED))])
    assert found.unknown == (("PPA-99", "a.yaml:1:1"),)
