"""The errors of scenarios.

::

    ScenarioError               the base of all
    ├── TimedOutError           a scenario took longer than it was given
    └── UsageError              a step was asked for something that makes no sense here

What is wrong with a scenario file is a :class:`cardtwin.source.SourceError`. An expectation that does not
hold is no error but a :class:`cardtwin.scenario.Failure` in the result.
"""

from __future__ import annotations

__all__ = ["ScenarioError", "TimedOutError", "UsageError"]


class ScenarioError(Exception):
    """A scenario cannot go on."""


class TimedOutError(ScenarioError):
    """A scenario took longer than it was given."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"the scenario took longer than {seconds:g} s")


class UsageError(ScenarioError):
    """A step was asked for something that makes no sense here, such as a reader that does not exist."""
