"""Proofs from the reports of tests. Imported by runs that write them, and by no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.plugin.marking import IDS, STEPS
from cardtwin.report.proofs import TESTS, Proof, ProofsFile, proofs_of
from cardtwin.scenario import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import pytest

    from cardtwin.scenario import ScenarioResult

__all__ = ["steps_of", "write_proofs"]


def steps_of(result: ScenarioResult) -> list[dict[str, str]]:
    """Return what a scenario's steps prove, as values that travel from process to process."""
    return [
        {"id": proof.id, "by": proof.by, "verdict": proof.verdict.value, "place": proof.place}
        for proof in proofs_of(result, "")
    ]


def write_proofs(tests: Iterable[Sequence[pytest.TestReport]], status: int, path: Path) -> None:
    """Write the file of proofs.

    Args:
        tests: The reports of the phases of each test that proves something.
        status: The exit status of the run.
        path: The file.

    Raises:
        OSError: It can't be written.
    """
    ProofsFile(status, tuple(proof for reports in tests for proof in _proofs(reports))).write(path)


def _proofs(reports: Sequence[pytest.TestReport]) -> Iterator[Proof]:
    """Yield what one test has proved."""
    for report in reports:
        for step in getattr(report, STEPS, ()):
            verdict = Verdict(step["verdict"])
            yield Proof(step["id"], step["by"], verdict, report.nodeid, step["place"])

    for id_ in dict.fromkeys(id_ for report in reports for id_ in getattr(report, IDS, ())):
        yield Proof(id_, TESTS, _verdict(reports), reports[0].nodeid)


def _verdict(reports: Sequence[pytest.TestReport]) -> Verdict:
    """Return how a test ended. One that is known to fail has failed, whatever pytest makes of it."""
    if any(report.failed or (report.skipped and hasattr(report, "wasxfail")) for report in reports):
        return Verdict.FAILED

    ran = any(report.when == "call" for report in reports)
    return Verdict.PASSED if ran and all(report.passed for report in reports) else Verdict.NOT_RUN
