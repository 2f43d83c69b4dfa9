"""The pytest plugin: scenario files as test items, proofs of requirements, and the fixture ``cardtwin``.

It looks at files that end in ``.scenario.yaml`` and touches no other. An instance is one item, and stops
at its first failing step; it is a :class:`pytest.Function`, so that fixtures, timeouts and parallel runs work
as with any test. Everything heavy is imported when the first such file is met.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from cardtwin.fixture import cardtwin
from cardtwin.plugin.hardware import StatesOfCards, check_hardware
from cardtwin.plugin.items import ScenarioFailedError, ScenarioFile, ScenarioItem
from cardtwin.plugin.options import add_options, check_options
from cardtwin.plugin.proving import OPTION, Proving, add_marker, check_marks

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

__all__ = [
    "ScenarioFailedError",
    "ScenarioFile",
    "ScenarioItem",
    "cardtwin",
    "pytest_addoption",
    "pytest_collect_file",
    "pytest_collection_finish",
    "pytest_configure",
    "pytest_runtest_makereport",
    "pytest_runtest_setup",
]

_SUFFIX: Final = ".scenario.yaml"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    add_options(parser.getgroup("cardtwin", "scenario files"))


def pytest_configure(config: pytest.Config) -> None:
    """Refuse options that name what there is not, before anything is collected."""
    add_marker(config)
    check_options(config)

    if hasattr(config, "workerinput"):
        config.pluginmanager.register(StatesOfCards(), "cardtwin states of cards")

    if (path := config.getoption(OPTION)) is not None:
        config.pluginmanager.register(Proving(config, path), "cardtwin proving")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect scenario files."""
    if not file_path.name.endswith(_SUFFIX):
        return None

    collector: ScenarioFile = ScenarioFile.from_parent(parent, path=file_path)
    return collector


def pytest_collection_finish(session: pytest.Session) -> None:
    """See that what is to run can have what it needs of physical cards.

    A worker of pytest-xdist has no way to refuse options: there each scenario does, by failing.
    """
    if not hasattr(session.config, "workerinput") and not session.config.getoption("--collect-only"):
        items = [item for item in session.items if isinstance(item, ScenarioItem) and item.is_physical]
        check_hardware(session.config, [item.scenario for item in items])


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Look at the marks of a test before it runs."""
    check_marks(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a failure what was to be done to physical cards."""
    report = yield

    if report.failed and isinstance(item, ScenarioItem) and item.plan:
        report.sections.append(("plan for physical cards", item.plan))

    return report
