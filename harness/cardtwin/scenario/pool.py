"""Running instances, one after the other or in several processes.

A worker gets a file's path and an instance's id, reads the file itself and sends back the result, which is
frozen and masked. A worker that dies or hangs costs its own scenario, and is replaced.
"""

from __future__ import annotations

import tempfile
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, TypeAlias

from cardtwin.scenario.loader import load
from cardtwin.scenario.overrides import Overrides
from cardtwin.scenario.personal import with_pins
from cardtwin.scenario.planning import Plan, rehearse
from cardtwin.scenario.result import ScenarioResult, Verdict
from cardtwin.scenario.runner import run, waiting
from cardtwin.targets import TargetError, is_physical
from cardtwin.targets.processes import bury, context, leave_interrupts_to_the_parent, start
from cardtwin.trace import Recorder, Trace

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess
    from pathlib import Path

    from cardtwin.events import Event
    from cardtwin.scenario.instance import Instance
    from cardtwin.scenario.result import StepResult
    from cardtwin.scenario.runner import Progress
    from cardtwin.scenario.witness import Witness, Witnesses
    from cardtwin.targets import Target

__all__ = ["Announce", "Options", "Outcome", "run_all", "run_one"]

_GRACE = 10.0
"""Seconds that a worker gets beyond a scenario's time before it is ended from outside."""


Announce: TypeAlias = "Callable[[Plan], None]"
"""Is told a plan before it is carried out."""


@dataclass(frozen=True, slots=True)
class Options:
    """How instances are run.

    Attributes:
        timeout: Seconds that each may take; None sets no limit.
        seed: Takes the place of the seed of those that have none.
        record: Whether a trace is made.
        overrides: What holds in the place of what the files say.
        witnesses: Who watches each run; None where nobody does.
    """

    timeout: float | None = None
    seed: str | None = None
    record: bool = False
    overrides: Overrides = field(default_factory=Overrides)
    witnesses: Witnesses | None = None

    def applied(self, instance: Instance) -> Instance:
        """Return an instance as it is to run."""
        instance = self.overrides.apply(instance)

        if self.seed is None or instance.setup.seed is not None:
            return instance

        return replace(instance, setup=replace(instance.setup, seed=self.seed))


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result, and the trace if one was asked for.

    Attributes:
        result: What came of it.
        trace: What happened; None where nobody asked for it, or nothing did.
        refused: Whether nothing was sent, since the plan was refused.
    """

    result: ScenarioResult
    trace: Trace | None = None
    refused: bool = False

    @property
    def text(self) -> str:
        """The trace for people; empty where none was asked for."""
        return "" if self.trace is None else self.trace.text()


def run_all(
    instances: Sequence[Instance],
    options: Options,
    *,
    processes: int = 1,
    progress: Progress | None = None,
    announce: Announce | None = None,
) -> Generator[Outcome]:
    """Run instances and yield the outcomes as they come; in several processes that may be out of order.

    Closing the generator ends what still runs.

    Args:
        instances: What to run.
        options: How.
        processes: How many of them at a time, each in a process of its own.
        progress: Told of every step's end, where there is one process.
        announce: Told each plan before it is carried out on physical cards, where there is one process.
    """
    # One folder for all that runs: an interrupt may come while a bench makes or removes its own.
    with tempfile.TemporaryDirectory(prefix="cardtwin-") as folder:
        if processes <= 1 or len(instances) <= 1:
            with _temporary_files_in(folder):
                for instance in instances:
                    yield run_one(instance, options, progress, announce)
        else:
            yield from _Pool(instances, options, min(processes, len(instances)), folder).outcomes()


@contextmanager
def _temporary_files_in(folder: str) -> Iterator[None]:
    before, tempfile.tempdir = tempfile.tempdir, folder

    try:
        yield
    finally:
        tempfile.tempdir = before


def run_one(
    instance: Instance,
    options: Options,
    progress: Progress | None = None,
    announce: Announce | None = None,
) -> Outcome:
    """Run an instance in this process; for physical cards, carry out the plan on emulated ones first.

    Args:
        instance: What to run.
        options: How.
        progress: Told of every step's end.
        announce: Told the plan before it is carried out on physical cards.
    """
    instance = options.applied(instance)

    if options.witnesses is None:
        return _outcome(instance, options, progress, announce)

    target = options.overrides.target_of(instance).name

    with options.witnesses.witness(instance, target) as witness:
        outcome = _outcome(instance, options, progress, announce, witness)

        try:
            witness.ended(outcome.result)
        except TargetError as error:
            return replace(
                outcome, result=replace(outcome.result, verdict=Verdict.FAILED, message=str(error))
            )

        return outcome


def _outcome(
    instance: Instance,
    options: Options,
    progress: Progress | None,
    announce: Announce | None,
    witness: Witness | None = None,
) -> Outcome:
    recorder = Recorder() if options.record else None
    observers: list[Callable[[Event], None]] = [recorder] if recorder is not None else []
    observers += [witness.hear] if witness is not None else []
    target = options.overrides.target_of(instance)

    if is_physical(instance.target) and (refused := _rehearsed(instance, target, options, announce)):
        return Outcome(refused, refused=refused.verdict is Verdict.FAILED)

    def done(instance: Instance, step: StepResult) -> None:
        if witness is not None:
            witness.step(step)

        if progress is not None:
            progress(instance, step)

    instance = with_pins(instance, options.overrides.pins_of(instance))
    result = run(
        instance,
        target,
        timeout=options.timeout,
        observers=observers,
        progress=done,
        begun=None if witness is None else witness.begun,
    )
    return Outcome(result, recorder.trace(instance.id) if recorder is not None else None)


def _rehearsed(
    instance: Instance, target: Target, options: Options, announce: Announce | None
) -> ScenarioResult | None:
    """Tell the plan, and return why it is not carried out on physical cards; None if it is."""
    plan = rehearse(instance, target, options.overrides.hardware)

    if announce is not None:
        announce(plan)

    if plan.not_run:
        return _not_begun(instance, target, Verdict.UNSUPPORTED, plan.not_run)

    if why := "; ".join(plan.refused):
        return _not_begun(instance, target, Verdict.FAILED, f"{why}. Nothing was sent to the card")

    return None


def _not_begun(instance: Instance, target: Target, verdict: Verdict, why: str) -> ScenarioResult:
    steps = tuple(map(waiting, instance.steps))
    return ScenarioResult(instance.id, instance.path, instance.title, target.name, verdict, 0.0, steps, why)


def _work(pipe: Connection, options: Options, folder: str) -> None:
    """Run what is asked for until the pipe is closed: a worker's main function."""
    leave_interrupts_to_the_parent()
    tempfile.tempdir = folder
    loaded: dict[Path, dict[str, Instance]] = {}

    while (job := _next_job(pipe)) is not None:
        path, id_ = job

        if path not in loaded:
            loaded[path] = {instance.id: instance for instance in load(path)}

        outcome = run_one(loaded[path][id_], options)

        try:
            pipe.send(outcome)
        except OSError:
            return  # nobody listens any more


def _next_job(pipe: Connection) -> tuple[Path, str] | None:
    try:
        job: tuple[Path, str] = pipe.recv()
    except (EOFError, OSError):
        return None  # a parent that is interrupted may leave a result unread: then it isn't a plain end

    return job


@dataclass(slots=True)
class _Worker:
    """A process, its pipe and what it does."""

    process: BaseProcess
    pipe: Connection
    instance: Instance | None = None
    began: float = 0.0


class _Pool:
    """Workers, and the instances that wait for one."""

    def __init__(self, instances: Sequence[Instance], options: Options, processes: int, folder: str) -> None:
        self._waiting = deque(instances)
        self._options = options
        self._folder = folder
        self._context = context("cardtwin.scenario.pool")
        self._workers = [self._start() for _ in range(processes)]

    def outcomes(self) -> Iterator[Outcome]:
        """Yield the outcomes as they come."""
        try:
            for worker in self._workers:
                self._give(worker)

            while busy := [worker for worker in self._workers if worker.instance is not None]:
                ready = wait([worker.pipe for worker in busy], self._patience(busy))

                for worker in busy:
                    outcome = self._collect(worker, arrived=worker.pipe in ready)

                    if outcome is not None:
                        yield outcome
                        self._give(worker)
        finally:
            self._end()

    def _start(self) -> _Worker:
        return _Worker(*start(self._context, _work, self._options, self._folder))

    def _give(self, worker: _Worker) -> None:
        worker.instance = self._waiting.popleft() if self._waiting else None
        worker.began = time.monotonic()

        if worker.instance is None:
            return

        job = (worker.instance.path, worker.instance.id)

        try:
            worker.pipe.send(job)
        except OSError:
            # It died between two scenarios: this one has not suffered.
            self._restart(worker)
            worker.pipe.send(job)

    def _patience(self, busy: Sequence[_Worker]) -> float | None:
        if self._options.timeout is None:
            return None

        oldest = min(worker.began for worker in busy)
        return max(0.05, oldest + self._options.timeout + _GRACE - time.monotonic())

    def _collect(self, worker: _Worker, *, arrived: bool) -> Outcome | None:
        if arrived:
            try:
                outcome: Outcome = worker.pipe.recv()
            except (EOFError, OSError):
                worker.process.join()
                return self._replace(
                    worker, f"the worker process ended with status {worker.process.exitcode}"
                )

            return outcome

        limit = self._options.timeout

        if limit is not None and time.monotonic() - worker.began > limit + _GRACE:
            return self._replace(worker, f"the scenario took longer than {limit:g} s and had to be ended")

        return None

    def _replace(self, worker: _Worker, message: str) -> Outcome:
        instance = worker.instance
        assert instance is not None, "only a busy worker is replaced"
        seconds = time.monotonic() - worker.began
        self._restart(worker)
        return Outcome(
            ScenarioResult(
                instance.id,
                instance.path,
                instance.title,
                self._options.overrides.target or instance.target,
                Verdict.FAILED,
                seconds,
                message=message,
            )
        )

    def _restart(self, worker: _Worker) -> None:
        worker.process.terminate()
        bury(worker.process)
        worker.pipe.close()
        fresh = self._start()
        worker.process, worker.pipe = fresh.process, fresh.pipe

    def _end(self) -> None:
        for worker in self._workers:
            # A closed pipe ends a worker that waits; one that works is ended from outside.
            worker.pipe.close()

            if worker.instance is not None:
                worker.process.terminate()

        for worker in self._workers:
            bury(worker.process)
