"""The pytest plugin: scenario files as test items, proofs of requirements, and the fixture ``cardtwin``.

It looks at files that end in ``.scenario.yaml`` and touches no other. An instance is one item, and stops
at its first failing step; it is a :class:`pytest.Function`, so that fixtures, timeouts and parallel runs work
as with any test. Everything heavy is imported when the first such file is met.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.fixture import cardtwin
from cardtwin.plugin.items import ScenarioFailedError, ScenarioFile, ScenarioItem
from cardtwin.plugin.options import add_options, check_options
from cardtwin.plugin.proving import OPTION, Proving, add_marker, check_marks

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

__all__ = [
    "ScenarioFailedError",
    "ScenarioFile",
    "ScenarioItem",
    "cardtwin",
    "pytest_addoption",
    "pytest_collect_file",
    "pytest_configure",
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

    if (path := config.getoption(OPTION)) is not None:
        config.pluginmanager.register(Proving(config, path), "cardtwin proving")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect scenario files."""
    if not file_path.name.endswith(_SUFFIX):
        return None

    collector: ScenarioFile = ScenarioFile.from_parent(parent, path=file_path)
    return collector


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Look at the marks of a test before it runs."""
    check_marks(item)
