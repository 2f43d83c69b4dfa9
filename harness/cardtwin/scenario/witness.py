"""Who may watch a run from its beginning to its end, whatever that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from cardtwin.events import Event
    from cardtwin.scenario.instance import Instance
    from cardtwin.scenario.result import ScenarioResult, StepResult
    from cardtwin.scenario.run import Run

__all__ = ["Witness", "Witnesses"]


class Witness(Protocol):
    """Watches one run."""

    def hear(self, event: Event) -> None:
        """Something has happened on the bench."""

    def begun(self, run: Run) -> None:
        """The bench stands, and no step was run.

        Raises:
            TargetError: Then none is run.
        """

    def step(self, result: StepResult) -> None:
        """A step has ended."""

    def ended(self, result: ScenarioResult) -> None:
        """The run is over, and so is the bench.

        Raises:
            TargetError: What was watched can't be kept.
        """


class Witnesses(Protocol):
    """Has witnesses for runs; other processes get copies of it."""

    def witness(self, instance: Instance, target: str) -> AbstractContextManager[Witness]:
        """Have a witness in the block; what interrupts that is told to it."""
