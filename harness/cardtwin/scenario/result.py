"""What came of a scenario: frozen values, fit to be shown, kept and sent to another process."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from cardtwin.trace import MaskedExchange

__all__ = ["Failure", "ScenarioResult", "StepResult", "Verdict"]


class Verdict(StrEnum):
    """How a step or a scenario ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not run"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a step failed.

    Attributes:
        message: The finding, in a sentence.
        expected: What the scenario expects; may be empty.
        actual: What was there instead; may be empty.
        detail: More about it, such as a traceback of a defect; may be empty.
    """

    message: str
    expected: str = ""
    actual: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step's outcome.

    Attributes:
        number: Its place in the scenario, from 1; 0 is the check of ``requires:``.
        verb: Its verb.
        title: The verb and its argument, as the file has it.
        place: Where it stands, as ``file:line:column``.
        id: Its id, or empty.
        proves: The ids of requirements that it proves if it passes.
        verdict: How it ended.
        seconds: How long it took.
        failure: Why it failed.
        apdus: The number of command APDUs that it caused.
        exchanges: The last of them, kept where the step failed.
    """

    number: int
    verb: str
    title: str
    place: str
    id: str = ""
    proves: tuple[str, ...] = ()
    verdict: Verdict = Verdict.NOT_RUN
    seconds: float = 0.0
    failure: Failure | None = None
    apdus: int = 0
    exchanges: tuple[MaskedExchange, ...] = ()


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """One instance's outcome.

    Attributes:
        id: The instance's id, such as ``erase[cardos-4.4,burnt]``.
        path: The file.
        title: The scenario's title.
        target: The target's name.
        verdict: How it ended.
        seconds: How long it took.
        steps: The steps, those that were not run included.
        message: Why the scenario failed as a whole, or could not run; may be empty.
    """

    id: str
    path: Path
    title: str
    target: str
    verdict: Verdict
    seconds: float
    steps: tuple[StepResult, ...] = field(default=())
    message: str = ""

    @property
    def failed_step(self) -> StepResult | None:
        """The step that failed, if one did."""
        return next((step for step in self.steps if step.verdict is Verdict.FAILED), None)
