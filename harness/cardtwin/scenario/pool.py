"""Running instances, one after the other or in several processes.

A worker gets a file's path and an instance's id, reads the file itself and sends back the result, which is
frozen and masked. A worker that dies or hangs costs its own scenario, and is replaced.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

from cardtwin.scenario.loader import load
from cardtwin.scenario.overrides import Overrides
from cardtwin.scenario.result import ScenarioResult, Verdict
from cardtwin.scenario.runner import run
from cardtwin.targets import get as get_target
from cardtwin.trace import Recorder, Trace

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext
    from multiprocessing.process import BaseProcess
    from pathlib import Path

    from cardtwin.scenario.instance import Instance
    from cardtwin.scenario.runner import Progress

__all__ = ["Options", "Outcome", "run_all"]

_GRACE = 10.0
"""Seconds that a worker gets beyond a scenario's time before it is ended from outside."""

_SOCKET_ROOM = 70
"""How long the temporary folder's path may be for a fork server: its socket's path holds 107 bytes."""

_FAREWELL = 10.0
"""Seconds that a worker gets to end before it is killed."""


@dataclass(frozen=True, slots=True)
class Options:
    """How instances are run.

    Attributes:
        timeout: Seconds that each may take; None sets no limit.
        seed: Takes the place of the seed of those that have none.
        record: Whether a trace is made.
        overrides: What holds in the place of what the files say.
    """

    timeout: float | None = None
    seed: str | None = None
    record: bool = False
    overrides: Overrides = field(default_factory=Overrides)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result, and the trace if one was asked for."""

    result: ScenarioResult
    trace: Trace | None = None

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
) -> Generator[Outcome]:
    """Run instances and yield the outcomes as they come; in several processes that may be out of order.

    Closing the generator ends what still runs.

    Args:
        instances: What to run.
        options: How.
        processes: How many of them at a time, each in a process of its own.
        progress: Told of every step's end, where there is one process.
    """
    # One folder for all that runs: an interrupt may come while a bench makes or removes its own.
    with tempfile.TemporaryDirectory(prefix="cardtwin-") as folder:
        if processes <= 1 or len(instances) <= 1:
            with _temporary_files_in(folder):
                for instance in instances:
                    yield _run(instance, options, progress)
        else:
            yield from _Pool(instances, options, min(processes, len(instances)), folder).outcomes()


@contextmanager
def _temporary_files_in(folder: str) -> Iterator[None]:
    before, tempfile.tempdir = tempfile.tempdir, folder

    try:
        yield
    finally:
        tempfile.tempdir = before


def _run(instance: Instance, options: Options, progress: Progress | None = None) -> Outcome:
    instance = options.overrides.apply(instance)

    if options.seed is not None and instance.setup.seed is None:
        instance = replace(instance, setup=replace(instance.setup, seed=options.seed))

    recorder = Recorder() if options.record else None
    observers = [recorder] if recorder is not None else []
    target = get_target(instance.target)
    result = run(instance, target, timeout=options.timeout, observers=observers, progress=progress)
    return Outcome(result, recorder.trace(instance.id) if recorder is not None else None)


def _context() -> BaseContext:
    """Return a way to start processes that copies no threads."""
    has_room = len(os.fsencode(tempfile.gettempdir())) <= _SOCKET_ROOM

    if not has_room or "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["cardtwin.scenario.pool"])
    return context


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Hold interrupts back: what starts in the block never gets one, not even before it can ignore them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})

    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(pipe: Connection, options: Options, folder: str) -> None:
    """Run what is asked for until the pipe is closed: a worker's main function."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the parent's business
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # what a worker leaves behind, the parent takes away
    tempfile.tempdir = folder
    loaded: dict[Path, dict[str, Instance]] = {}

    while (job := _next_job(pipe)) is not None:
        path, id_ = job

        if path not in loaded:
            loaded[path] = {instance.id: instance for instance in load(path)}

        outcome = _run(loaded[path][id_], options)

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
        self._context = _context()
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
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(theirs, self._options, self._folder), daemon=True)  # type: ignore[attr-defined]  # BaseContext's stub lacks it

        with _no_interrupt():
            process.start()

        theirs.close()
        return _Worker(process, ours)

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
        _bury(worker)
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
            _bury(worker)


def _bury(worker: _Worker) -> None:
    worker.process.join(_FAREWELL)

    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()
