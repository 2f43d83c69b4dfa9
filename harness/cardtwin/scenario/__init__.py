"""Scenario files: format 1, loader, matrix, steps, matchers, runner."""

from cardtwin.scenario.errors import ScenarioError, TimedOutError, UsageError
from cardtwin.scenario.instance import Instance, StepSpec
from cardtwin.scenario.loader import SUFFIX, find, load
from cardtwin.scenario.result import Failure, ScenarioResult, StepResult, Verdict
from cardtwin.scenario.run import Run
from cardtwin.scenario.runner import run
from cardtwin.scenario.step import Expectation, Observed, Refers, Step, all_verbs, verb

__all__ = [
    "SUFFIX",
    "Expectation",
    "Failure",
    "Instance",
    "Observed",
    "Refers",
    "Run",
    "ScenarioError",
    "ScenarioResult",
    "Step",
    "StepResult",
    "StepSpec",
    "TimedOutError",
    "UsageError",
    "Verdict",
    "all_verbs",
    "find",
    "load",
    "run",
    "verb",
]
