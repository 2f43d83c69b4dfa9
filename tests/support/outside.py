"""Scenarios done by programs of their own, above the PC/SC service and the library that they are led to.

What makes the card is left out: it is there. Run as ``python -m support.outside FOLDER``, it does one task
after the other: a line of JSON each, and one for what came of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from cardtwin.events import CallBegan, CallEnded, Event, Hub, SharedCause
from cardtwin.readers.physical import PhysicalContext
from cardtwin.scenario import load, run
from cardtwin.targets.emulated import EmulatedBench, EmulatedTarget
from cardtwin.targets.remote import RemoteProgram
from cardtwin.targets.told import ToldProgram
from support.drafts import PREPARATION
from support.hosted import ROOTS, TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardtwin.pcsc import Context
    from cardtwin.scenario import Instance
    from cardtwin.targets import Program, Setup

__all__ = ["Done", "Outside", "Task"]

_CHECKS: Final = {"check"}
"""Steps that look at what only the bench has that the card is on."""

_SERVICE: Final = "PCSCLITE_CSOCK_NAME"


@dataclass(frozen=True)
class Task:
    """A scenario to be done.

    Attributes:
        path: Its file.
        id: Of the instance.
        library: What its programs load: pkcs11-spy.
        environment: What leads them to the readers, and the spy to the library that it watches.
        folder: Where each program's log goes.
        only: The one program whose steps are done; empty for all.
    """

    path: str
    id: str
    library: str
    environment: Mapping[str, str]
    folder: str
    only: str = ""


@dataclass(frozen=True)
class Done:
    """What came of it.

    Attributes:
        failure: What failed; empty where all was as the scenario expects.
        calls: Each program's calls, with what they returned.
    """

    failure: str
    calls: Mapping[str, list[list[str]]]


class Outside:
    """The process that does the tasks."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "support.outside", str(folder)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join((ROOTS, str(Path(__file__).parents[1])))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(TIMEOUT)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def do(self, task: Task) -> Done:
        """Do a task."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(task)) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the process that does the scenarios has ended"
        return Done(**json.loads(line))


class _Bench(EmulatedBench):
    def __init__(self, setup: Setup, hub: Hub, task: Task) -> None:
        self._task = task
        super().__init__(replace(setup, cards={}, readers={}), hub)

    def new_program(self, process: str) -> Program:
        log = {"PKCS11SPY_OUTPUT": str(Path(self._task.folder, f"{process}.spy"))}
        environment = {**self._task.environment, **log}
        program = RemoteProgram.start(process, self._task.library, environment, cause=SharedCause(process))
        return ToldProgram(program, process, self.hub)

    def make_context(self) -> Context:
        return PhysicalContext(self.hub)


class _Target(EmulatedTarget):
    name = "outside"

    def __init__(self, task: Task) -> None:
        self._task = task

    def open(self, setup: Setup, hub: Hub) -> _Bench:
        return _Bench(setup, hub, self._task)


class _Calls:
    """Keeps what programs call."""

    def __init__(self) -> None:
        self.found: dict[str, list[list[str]]] = {}
        self._programs: dict[int, str] = {}

    def __call__(self, event: Event) -> None:
        match event:
            case CallBegan():
                self._programs[event.call.number] = event.program
            case CallEnded():
                calls = self.found.setdefault(self._programs[event.call.number], [])
                calls.append([event.call.what, event.result])
            case _:
                pass


def _done(task: Task) -> Done:
    (instance,) = (each for each in load(Path(task.path)) if each.id == task.id)
    calls = _Calls()
    result = run(_without_preparation(instance, task.only), _Target(task), observers=[calls])
    step = result.failed_step
    return Done(result.message if step is None else f"{step.title}: {step.failure}", calls.found)


def _without_preparation(instance: Instance, only: str) -> Instance:
    left_out = PREPARATION | _CHECKS
    steps = tuple(
        spec
        for spec in instance.steps
        if spec.kind.verb not in left_out and only in {"", str(getattr(spec.node.get("by"), "text", ""))}
    )
    return replace(instance, steps=steps)


def main(arguments: Sequence[str]) -> None:
    """Do tasks until there are no more."""
    # libpcsclite looks once where the service is: a link leads it on to each task's.
    link = Path(arguments[0], "pcscd.comm")
    os.environ[_SERVICE] = str(link)

    for line in sys.stdin:
        task = Task(**json.loads(line))
        link.unlink(missing_ok=True)
        link.symlink_to(task.environment[_SERVICE])
        sys.stdout.write(json.dumps(asdict(_done(task))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
