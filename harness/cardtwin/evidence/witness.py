"""Who watches a run, and writes down what became of it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cardtwin.evidence.commands import CommandCount
from cardtwin.evidence.masking import Mask
from cardtwin.evidence.model import EvidenceDocument, Scenario, State, StepDone
from cardtwin.evidence.versions import versions
from cardtwin.evidence.views import ReaderView, permitted
from cardtwin.scenario.runner import waiting
from cardtwin.scenario.secrets import secrets_of

if TYPE_CHECKING:
    from pathlib import Path

    from cardtwin.events import Event
    from cardtwin.evidence.store import EvidenceFile
    from cardtwin.scenario import Instance, ScenarioResult, StepResult
    from cardtwin.scenario.run import Run
    from cardtwin.targets.hardware import Permissions

__all__ = ["RunWitness"]


class RunWitness:
    """The witness of one instance's run.

    Before the first step the file is written with what is known then, so that a run which is killed has left
    it; at the end it is replaced.

    Args:
        instance: What is run.
        target: The target's name.
        asked: What is asked to be allowed on physical cards; None where the target has none.
        file: Where the evidence goes.
    """

    def __init__(
        self, instance: Instance, target: str, asked: Permissions | None, file: EvidenceFile
    ) -> None:
        self._instance = instance
        self._target = target
        self._asked = asked
        self._file = file
        self._begun = datetime.now(UTC)
        self._sha256 = _sha256(instance.path)
        self._steps = {spec.number: waiting(spec) for spec in instance.steps}
        self._count = CommandCount({spec.cause: spec.number for spec in instance.steps})
        self._views = [
            ReaderView(reader, None if card is None else instance.setup.cards[card].model)
            for reader, card in instance.setup.readers.items()
        ]
        self._run: Run | None = None

    def hear(self, event: Event) -> None:
        """Take note of an event."""
        self._count(event)

    def begun(self, run: Run) -> None:
        """Look at the cards, and write what is known: the bench stands, and no step was run.

        Raises:
            TargetError: The evidence can't be written. Then nothing is to be run.
        """
        self._run = run

        for view in self._views:
            view.look_before(run.bench)

        run.bench.at_last(self._look_after)
        self._file.write(self._document(State.RUNNING, None, None))

    def step(self, result: StepResult) -> None:
        """Take note of a step's end."""
        self._steps[result.number] = result

    def ended(self, result: ScenarioResult) -> None:
        """Write all; errors as begun()."""
        self._steps |= {step.number: step for step in result.steps}
        self._file.write(self._document(State.ENDED, result.verdict.value, result.message))

    def interrupted(self) -> None:
        """Write what is known after an interrupt; errors as begun()."""
        self._file.write(self._document(State.INTERRUPTED, None, "the run was interrupted"))

    def _look_after(self) -> None:
        assert self._run is not None, "it is asked for when the run begins"

        for view in self._views:
            view.look_after(self._run.bench)

    def _document(self, state: State, verdict: str | None, message: str | None) -> EvidenceDocument:
        bound = frozenset[bytes]() if self._run is None else self._run.secrets
        mask = Mask(secrets_of(self._instance) | bound | self._count.presented)
        instance = self._instance
        document = EvidenceDocument(
            state=state,
            scenario=Scenario(
                id=instance.id, title=instance.title, file=str(instance.path), sha256=self._sha256
            ),
            target=self._target,
            begun=self._begun,
            ended=None if state is State.RUNNING else datetime.now(UTC),
            verdict=verdict,
            message=message or "",
            steps=tuple(map(_step_done, self._steps.values())),
            versions=versions(),
            asked=None if self._asked is None else permitted(self._asked),
            readers=tuple(view.told(mask) for view in self._views),
            commands=tuple(self._count.commands()),
            changing=tuple(self._count.changing()),
            refused=self._count.refused,
        )
        return EvidenceDocument.model_validate(mask.value(document.model_dump(mode="json")))


def _step_done(step: StepResult) -> StepDone:
    failure = "" if step.failure is None else step.failure.message
    return StepDone(
        number=step.number,
        title=step.title,
        id=step.id,
        proves=step.proves,
        verdict=step.verdict.value,
        message=failure,
    )


def _sha256(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
