from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.report.coverage import count, read_requirements
from cardtwin.report.proofs import Proof, ProofsError, ProofsFile, proofs_of
from cardtwin.scenario import ScenarioResult, StepResult, Verdict
from cardtwin.source import SourceError

LIST = """\
# a comment
PPA-01: {source: 000, basis: stated, text: "Comments: yes"}
DEL-01: {basis: asked, text: x}
"""


def proofs(by: str, *steps: tuple[str, Verdict]) -> list[Proof]:
    return [Proof(id_, by, verdict, "a", f"a.yaml:{n}:1") for n, (id_, verdict) in enumerate(steps, start=1)]


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


def test_only_what_ran_and_passed_proves(requirements: Path) -> None:
    wanted = read_requirements(requirements)
    found = count(wanted, proofs("emulated", ("PPA-01", Verdict.PASSED), ("DEL-01", Verdict.NOT_RUN)))
    assert found.proved == {"emulated": {"PPA-01"}}


def test_what_failed_once_takes_the_proof_away(requirements: Path) -> None:
    wanted = read_requirements(requirements)
    verdicts = proofs("emulated", ("PPA-01", Verdict.PASSED), ("PPA-01", Verdict.FAILED))
    assert count(wanted, verdicts).proved == {"emulated": frozenset()}
    assert count(wanted, verdicts).everywhere == frozenset()


def test_targets_are_counted_apart_and_tests_stand_last(requirements: Path) -> None:
    wanted = read_requirements(requirements)
    passed, failed = Verdict.PASSED, Verdict.FAILED
    found = count(
        wanted,
        [
            *proofs("tests", ("PPA-01", failed)),
            *proofs("b", ("PPA-01", passed)),
            *proofs("a", ("DEL-01", passed)),
        ],
    )
    assert found.proved == {"tests": set(), "a": {"DEL-01"}, "b": {"PPA-01"}}
    assert found.targets == ("b", "a", "tests")
    assert found.everywhere == {"PPA-01", "DEL-01"}


def test_an_id_that_nobody_asked_for_is_told_with_its_place(requirements: Path) -> None:
    wanted, passed = read_requirements(requirements), Verdict.PASSED
    assert count(wanted, proofs("a", ("PPA-99", passed))).unknown == (("PPA-99", "a.yaml:1:1"),)
    of_a_test = Proof("PPA-99", "tests", passed, "test_a.py::test_it")
    assert count(wanted, [of_a_test]).unknown == (("PPA-99", "test_a.py::test_it"),)


def test_a_scenario_proves_what_its_steps_name() -> None:
    steps = tuple(
        StepResult(n, "apdu", "apdu", f"a.yaml:{n}:1", proves=ids, verdict=verdict)
        for n, ids, verdict in (
            (1, ("A", "B"), Verdict.PASSED),
            (2, (), Verdict.PASSED),
            (3, ("A",), Verdict.FAILED),
        )
    )
    result = ScenarioResult("a", Path("a.yaml"), "", "module", Verdict.FAILED, 0.0, steps)
    assert list(proofs_of(result, "a.yaml::a")) == [
        Proof("A", "module", Verdict.PASSED, "a.yaml::a", "a.yaml:1:1"),
        Proof("B", "module", Verdict.PASSED, "a.yaml::a", "a.yaml:1:1"),
        Proof("A", "module", Verdict.FAILED, "a.yaml::a", "a.yaml:3:1"),
    ]


names = st.text(min_size=1, max_size=8)


@given(
    st.lists(
        st.builds(Proof, names, names, st.sampled_from(Verdict), names, st.text(max_size=8)), unique=True
    ),
    st.integers(0, 255),
)
def test_a_file_of_proofs_says_what_was_written(written: list[Proof], status: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "proved.json")
        ProofsFile(status, tuple(written)).write(path)
        read = ProofsFile.read(path)
        assert [each.name for each in Path(folder).iterdir()] == ["proved.json"]

    assert read.status == status
    assert set(read.proofs) == set(written)
    assert len(read.proofs) == len(written)


def test_a_file_that_cannot_take_its_place_leaves_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "proved.json").mkdir()

    with pytest.raises(OSError, match="proved"):
        ProofsFile(0, ()).write(tmp_path / "proved.json")

    assert [each.name for each in tmp_path.iterdir()] == ["proved.json"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "Invalid JSON"),
        ('{"format": 2, "status": 0, "proofs": {}}', "format: Input should be 1"),
        ('{"format": 1, "status": 0}', "proofs: Field required"),
        (
            '{"format": 1, "status": 0, "proofs": {"tests": {"A": [{"verdict": "fine", "test": "t"}]}}}',
            "proofs.tests.A.0.verdict: Input should be",
        ),
    ],
)
def test_another_file_than_one_of_proofs_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "proved.json"
    path.write_text(text)

    with pytest.raises(ProofsError, match=f"proved.json is no file of proofs, format 1: {told}"):
        ProofsFile.read(path)
