"""Scenario files as test items."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from cardtwin.interrupts import terminable
from cardtwin.plugin.hardware import in_options_of_pytest, known_hardware
from cardtwin.plugin.options import overrides_of
from cardtwin.plugin.proving import RESULT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from _pytest._code.code import ExceptionInfo, TerminalRepr

    from cardtwin.scenario import Instance, ScenarioResult
    from cardtwin.scenario.planning import Plan

__all__ = ["ScenarioFailedError", "ScenarioFile", "ScenarioItem"]


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

        overrides = overrides_of(self.config)

        for instance in map(overrides.apply, instances):
            item: ScenarioItem = ScenarioItem.from_parent(self, name=instance.id, instance=instance)
            yield item


class ScenarioItem(pytest.Function):
    """An instance of a scenario.

    Attributes:
        scenario: The instance, as it is to run.
        plan: What is to be done to physical cards, when that has been found out; empty for other cards.
    """

    def __init__(self, *, instance: Instance, **keywords: Any) -> None:

        def scenario() -> None:
            # A function of its own: pytest takes the owner of a bound method for a test class's instance.
            self.carry_out()

        super().__init__(callobj=scenario, **keywords)
        self.scenario = instance
        self.plan = ""
        self.extra_keyword_matches.update(instance.tags)

    @property
    def is_physical(self) -> bool:
        """Whether it works on physical cards."""
        from cardtwin.targets import is_physical  # noqa: PLC0415  # as in ScenarioFile.collect

        return is_physical(self.scenario.target)

    def carry_out(self) -> None:
        """Run the scenario; its steps become properties of the test, which JUnit XML shows.

        Raises:
            ScenarioFailedError: It failed.
            SourceError: A PIN of a physical card isn't where the hardware file says.
        """
        from cardtwin.report.junit import step_line  # noqa: PLC0415  # as in ScenarioFile.collect
        from cardtwin.scenario import Verdict  # noqa: PLC0415  # as above
        from cardtwin.scenario.overrides import Overrides  # noqa: PLC0415  # as above
        from cardtwin.scenario.pool import Options, run_one  # noqa: PLC0415  # as above

        if RESULT in self.stash:
            del self.stash[RESULT]  # it has run before

        hardware = known_hardware(self.config, [self.scenario]) if self.is_physical else None
        options = Options(overrides=Overrides(hardware=hardware))

        # pytest itself ends at SIGTERM, and a card would keep its login.
        with terminable() if self.is_physical else nullcontext():
            result = self.stash[RESULT] = run_one(self.scenario, options, announce=self._announce).result

        self.user_properties += [
            (f"step {step.number}", self._told(step_line(step))) for step in result.steps
        ]

        if result.verdict is Verdict.UNSUPPORTED:
            pytest.skip(self._told(result.message))

        if result.verdict is Verdict.FAILED:
            raise ScenarioFailedError(result)

    def _announce(self, plan: Plan) -> None:
        self.plan = self._told("\n".join(plan.lines()))

    def _told(self, text: str) -> str:
        """Return what a run has told; on physical cards, it names options."""
        return in_options_of_pytest(text) if self.is_physical else text

    def repr_failure(  # type: ignore[override]  # the style is the collector's, and a plain text has none
        self, excinfo: ExceptionInfo[BaseException]
    ) -> str | TerminalRepr:
        """Return why the scenario failed, without a traceback of cardtwin."""
        from cardtwin.report.text import explain_failure  # noqa: PLC0415  # as in ScenarioFile.collect
        from cardtwin.source import SourceError  # noqa: PLC0415  # as above

        if isinstance(excinfo.value, SourceError):
            return str(excinfo.value)

        if isinstance(excinfo.value, ScenarioFailedError):
            return self._told(explain_failure(excinfo.value.result))

        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[PathLike[str] | str, int | None, str]:
        """Return where the scenario stands."""
        return self.path, 0, self.name
