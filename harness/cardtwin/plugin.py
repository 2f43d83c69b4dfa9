"""The pytest plugin: scenario files as test items, and the fixture ``cardtwin``.

It looks at files that end in ``.scenario.yaml`` and touches nothing else. An instance is one item, and stops
at its first failing step; it is a :class:`pytest.Function`, so that fixtures, timeouts and parallel runs work
as with any test. Everything heavy is imported when the first such file is met.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cardtwin.fixture import cardtwin

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike
    from pathlib import Path

    from _pytest._code.code import ExceptionInfo, TerminalRepr

    from cardtwin.scenario import Instance, ScenarioResult
    from cardtwin.scenario.overrides import Overrides

__all__ = [
    "ScenarioFailedError",
    "ScenarioFile",
    "ScenarioItem",
    "cardtwin",
    "pytest_addoption",
    "pytest_collect_file",
    "pytest_configure",
]

_SUFFIX = ".scenario.yaml"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that hold for all scenarios of a run."""
    group = parser.getgroup("cardtwin", "scenario files")
    group.addoption(
        "--cardtwin-target", metavar="NAME", help="Run against this target, such as module or pcscd."
    )
    group.addoption(
        "--cardtwin-card", metavar="MODEL", help="Put this model into every reader that has a card."
    )
    group.addoption(
        "--cardtwin-quirk", metavar="Q", action="append", default=[], help="Switch a quirk on in every card."
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse options that name what there is not, before anything is collected."""
    if not any(config.getoption(f"--cardtwin-{name}") for name in ("target", "card", "quirk")):
        return

    from cardtwin.scenario.overrides import OverridesError  # noqa: PLC0415  # as in ScenarioFile.collect

    try:
        _overrides(config).check()
    except OverridesError as error:
        raise pytest.UsageError(str(error)) from None


def _overrides(config: pytest.Config) -> Overrides:
    from cardtwin.scenario.overrides import Overrides  # noqa: PLC0415  # as in ScenarioFile.collect

    return Overrides(
        config.getoption("--cardtwin-target"),
        config.getoption("--cardtwin-card"),
        tuple(config.getoption("--cardtwin-quirk")),
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect scenario files."""
    if not file_path.name.endswith(_SUFFIX):
        return None

    collector: ScenarioFile = ScenarioFile.from_parent(parent, path=file_path)
    return collector


class ScenarioFailedError(Exception):
    """A scenario failed; carries its result."""

    def __init__(self, result: ScenarioResult) -> None:
        self.result = result
        super().__init__(result.id)


class ScenarioFile(pytest.File):
    """A scenario file."""

    def collect(self) -> Iterable[pytest.Item]:
        """Yield an item per instance."""
        from cardtwin.scenario import load  # noqa: PLC0415  # a run without scenarios doesn't pay for this
        from cardtwin.source import SourceError  # noqa: PLC0415  # as above

        try:
            instances = load(self.path)
        except SourceError as error:
            raise self.CollectError(str(error)) from None

        overrides = _overrides(self.config)

        for instance in map(overrides.apply, instances):
            item: ScenarioItem = ScenarioItem.from_parent(self, name=instance.id, instance=instance)
            yield item


class ScenarioItem(pytest.Function):
    """An instance of a scenario."""

    def __init__(self, *, instance: Instance, **keywords: Any) -> None:

        def scenario() -> None:
            # A function of its own: pytest takes the owner of a bound method for a test class's instance.
            self.carry_out()

        super().__init__(callobj=scenario, **keywords)
        self.scenario = instance
        self.extra_keyword_matches.update(instance.tags)

    def carry_out(self) -> None:
        """Run the scenario; its steps become properties of the test, which JUnit XML shows.

        Raises:
            ScenarioFailedError: It failed.
        """
        from cardtwin.report.junit import step_line  # noqa: PLC0415  # as in ScenarioFile.collect
        from cardtwin.scenario import Verdict, run  # noqa: PLC0415  # as above
        from cardtwin.targets import get  # noqa: PLC0415  # as above

        result = run(self.scenario, get(self.scenario.target))
        self.user_properties += [(f"step {step.number}", step_line(step)) for step in result.steps]

        if result.verdict is Verdict.UNSUPPORTED:
            pytest.skip(result.message)

        if result.verdict is Verdict.FAILED:
            raise ScenarioFailedError(result)

    def repr_failure(  # type: ignore[override]  # the style is the collector's, and a plain text has none
        self, excinfo: ExceptionInfo[BaseException]
    ) -> str | TerminalRepr:
        """Return why the scenario failed, without a traceback of cardtwin."""
        if not isinstance(excinfo.value, ScenarioFailedError):
            return super().repr_failure(excinfo)

        from cardtwin.report.text import explain_failure  # noqa: PLC0415  # as in ScenarioFile.collect

        return explain_failure(excinfo.value.result)

    def reportinfo(self) -> tuple[PathLike[str] | str, int | None, str]:
        """Return where the scenario stands."""
        return self.path, 0, self.name
