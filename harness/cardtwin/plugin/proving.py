"""What a run of pytest proves: the mark of tests, and the file that is left for ``cardtwin coverage``.

Whoever runs a test adds to its reports what it is to prove, in plain values; so that travels from a worker
of pytest-xdist as well. Whoever hears the reports of all makes proofs of them when the run is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import pytest

from cardtwin.plugin.marking import IDS, STEPS

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from cardtwin.scenario import ScenarioResult

__all__ = ["MARK", "OPTION", "RESULT", "Proving", "add_marker", "check_marks"]

_Wrapper: TypeAlias = "Generator[None, pytest.TestReport, pytest.TestReport]"

MARK: Final = "cardtwin_proves"
OPTION: Final = "--cardtwin-proved"

RESULT: Final[pytest.StashKey[ScenarioResult]] = pytest.StashKey()
"""What came of the scenario that an item has run."""


def add_marker(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", f"{MARK}(*ids): the test proves these requirements if it passes.")


def check_marks(item: pytest.Item) -> None:
    """Fail a test whose mark names no requirement."""
    for mark in item.iter_markers(MARK):
        if not mark.args or mark.kwargs or not all(isinstance(each, str) for each in mark.args):
            pytest.fail(f"{MARK} takes ids of requirements, as texts", pytrace=False)


class Proving:
    """Adds what tests prove to their reports, and writes the file.

    Args:
        config: The run's.
        path: The file; its folder is made if it isn't there.

    Raises:
        pytest.UsageError: It can't be written.
    """

    def __init__(self, config: pytest.Config, path: Path) -> None:
        self._path = config.invocation_params.dir / path
        self._writes = not hasattr(config, "workerinput") and not config.getoption("--collect-only")
        self._heard: dict[tuple[str, str], list[pytest.TestReport]] = {}

        if self._writes:
            self._make_room()

    def _make_room(self) -> None:
        """Take an earlier file away: whatever ends this run, what that one says isn't this run's."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch()
            self._path.unlink()
        except OSError as error:
            raise pytest.UsageError(f"{OPTION}: {self._path} can't be written: {error.strerror}") from None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> _Wrapper:
        """Add to a report what the test proves."""
        report = yield

        if ids := [id_ for mark in item.iter_markers(MARK) for id_ in mark.args if isinstance(id_, str)]:
            setattr(report, IDS, ids)

        if report.when == "call" and (result := item.stash.get(RESULT, None)) is not None:
            from cardtwin.plugin.reports import steps_of  # noqa: PLC0415  # only runs of scenarios pay for it

            setattr(report, STEPS, steps_of(result))

        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the reports of what proves something."""
        # In several environments (pytest --dist each) each worker runs every test.
        test = report.nodeid, getattr(report, "worker_id", "")

        if report.when == "setup":
            self._heard[test] = []  # it may run once more, and then the last time counts

        if hasattr(report, IDS) or hasattr(report, STEPS):
            self._heard.setdefault(test, []).append(report)
        elif report.failed:
            self._hear_of_a_crash(report)

    def _hear_of_a_crash(self, report: pytest.TestReport) -> None:
        """Note the end of a test whose worker has died: nobody has added to that report what it is about."""
        for (nodeid, _), reports in self._heard.items():
            if nodeid == report.nodeid and reports:
                reports.append(report)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the file."""
        if not self._writes:
            return

        from cardtwin.plugin.reports import write_proofs  # noqa: PLC0415  # heavy, and few runs write it

        write_proofs(self._heard.values(), int(session.exitstatus), self._path)
