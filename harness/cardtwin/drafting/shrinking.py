"""A scenario that fails is cut down to the fewest steps that still fail in the same way."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from cardtwin.drafting.comments import FAILS, comments_above
from cardtwin.drafting.errors import NothingFailsError
from cardtwin.drafting.layout import Entry, file_text
from cardtwin.scenario import Verdict, run
from cardtwin.scenario.binding import bound_names
from cardtwin.scenario.document import MapNode, parse_yaml, plain
from cardtwin.scenario.substitution import Names, references
from cardtwin.source import SourceText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cardtwin.drafting.layout import Tree
    from cardtwin.scenario import Instance, ScenarioResult
    from cardtwin.scenario.instance import StepSpec
    from cardtwin.targets import CardSetup, Target

__all__ = ["Shrunk", "shrink"]

_SEED: Final = "shrink"
_SHORT: Final = 120
"""Up to so many characters, what was expected and what came fit into a sentence."""

_NEIGHBOURS: Final = 3
"""Up to so many steps in a row are left out at every place: what begins, does and ends a thing."""

_Steps: TypeAlias = "tuple[StepSpec, ...]"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Shrunk:
    """What is left of a scenario.

    Attributes:
        instance: The scenario with the steps that are left.
        why: The failure that they show.
        before: How many steps there were.
        runs: How often the scenario ran to find out.
        interrupt: What has ended the search before its end, so that steps are left that could go.
    """

    instance: Instance
    why: str
    before: int
    runs: int
    interrupt: KeyboardInterrupt | None = None

    @property
    def after(self) -> int:
        """How many steps are left."""
        return len(self.instance.steps)

    def text(self, folder: Path) -> str:
        """Return the scenario as the text of a file in a folder. Its matrix has the one instance."""
        return _file(self.instance, folder, self.why)


def shrink(instance: Instance, target: Target) -> Shrunk:
    """Return the fewest steps with which an instance fails in the same way.

    The same way: at the same step, with the same finding, expectation, result and reason. No step that is
    left, and no two or three of them in a row, can be left out. Equal seeds give equal results; an instance
    without one gets one. Cards whose memory is kept begin with it each time, and leave their files as they
    are. Who is interrupted (KeyboardInterrupt) gets the fewest steps that were found so far.

    Args:
        instance: What fails.
        target: What it runs against.

    Raises:
        NothingFailsError: It passes, or the target cannot run it, or it fails whatever its steps are.
    """
    seeded = replace(instance, setup=replace(instance.setup, seed=instance.setup.seed or _SEED))

    with TemporaryDirectory(prefix="cardtwin-") as folder:
        return _shrunk(seeded, _Runs(target, Path(folder)))


def _shrunk(instance: Instance, runs: _Runs) -> Shrunk:
    result = runs(instance)

    if result.verdict is not Verdict.FAILED:
        detail = f": {result.message}" if result.message else ""
        raise NothingFailsError(f"{instance.id}: {result.verdict.value}, so there is no failure{detail}")

    search = _Search(instance, runs, result)
    interrupt = None

    try:
        search.fewest()
    except KeyboardInterrupt as error:
        interrupt = error

    if not any(step.number for step in search.left):
        raise NothingFailsError(f"{instance.id}: fails without any step: {_why(result)}")

    left = replace(instance, steps=search.left)
    return Shrunk(left, _why(result), len(instance.steps), runs.count, interrupt)


class _Runs:
    """Runs instances, with copies of the files in which cards keep their memories.

    Args:
        target: What they run against.
        folder: Where the copies go, at the same places each time: messages name them.

    Attributes:
        count: How often something ran.
    """

    def __init__(self, target: Target, folder: Path) -> None:
        self._target = target
        self._folder = folder
        self.count = 0

    def __call__(self, instance: Instance) -> ScenarioResult:
        """Run an instance."""
        self.count += 1
        setup = instance.setup
        cards = {name: self._copied(name, card) for name, card in setup.cards.items()}
        return run(replace(instance, setup=replace(setup, cards=cards)), self._target)

    def _copied(self, name: str, card: CardSetup) -> CardSetup:
        if card.keep is None:
            return card

        copy = self._folder / f"{name}.image"
        copy.unlink(missing_ok=True)

        if Path(card.keep).exists():
            shutil.copyfile(card.keep, copy)

        return replace(card, keep=str(copy))


def _why(result: ScenarioResult) -> str:
    step = result.failed_step

    if step is None or step.failure is None:
        return result.message

    failure = step.failure
    pair = f" ({failure.expected} is expected, {failure.actual} came)" if failure.expected else ""
    return f"{failure.message}{pair if len(pair) <= _SHORT else ''}"


def _signature(result: ScenarioResult) -> tuple[object, ...]:
    """Return what two failures have in common that are the same one."""
    step = result.failed_step

    if step is None or step.failure is None:
        return (result.message,)

    failure = step.failure
    return (step.number, failure.message, failure.expected, failure.actual, failure.detail)


class _Search:
    """Leaves steps out as long as the failure stays.

    Attributes:
        left: The fewest steps so far that fail so.
    """

    def __init__(self, instance: Instance, runs: _Runs, result: ScenarioResult) -> None:
        self._instance = instance
        self._runs = runs
        self._failure = _signature(result)
        self._failing = result.failed_step
        self._names = {s.number: bound_names(s.written, Names(instance.values)) for s in instance.steps}
        self._bound = frozenset[str]().union(*self._names.values())
        self._known: dict[tuple[int, ...], bool] = {}
        self.left: _Steps = instance.steps

    def fewest(self) -> None:
        """Leave out what can be left out."""
        last = None if self._failing is None else self._failing.number
        steps = [step for step in self._instance.steps if last is None or step.number <= last]
        first = tuple(step for step in steps if step.number == 0)
        end = () if last is None else tuple(steps[-1:])
        rest = tuple(step for step in steps if step not in first and step not in end)
        self.left = (*first, *rest, *end)
        _left(rest, lambda some: self._fails((*first, *some, *end)))

    def _fails(self, steps: _Steps) -> bool:
        key = tuple(step.number for step in steps)

        if key not in self._known:
            self._known[key] = self._has_names(steps) and self._fails_so(steps)

        if self._known[key]:
            self.left = steps  # only fewer ones are ever tried

        return self._known[key]

    def _fails_so(self, steps: _Steps) -> bool:
        result = self._runs(replace(self._instance, steps=steps))
        return result.verdict is Verdict.FAILED and _signature(result) == self._failure

    def _has_names(self, steps: _Steps) -> bool:
        """Whether each name that a step refers to is given by one before it: else it need not run."""
        given: set[str] = set()

        for step in steps:
            names = {name.partition(".")[0] for name in references(step.node)} if step.step is None else set()

            if (names & self._bound) - given:
                return False

            given |= self._names[step.number]

        return True


def _left(steps: tuple[_T, ...], fails: Callable[[tuple[_T, ...]], bool]) -> tuple[_T, ...]:
    """Return what is left of steps when none can be left out any more; larger parts are tried first."""
    size = len(steps)

    while size:
        shorter = next((some for some in _without(steps, size) if fails(some)), None)

        if shorter is None:
            size = size // 2 if size > _NEIGHBOURS + 1 else size - 1
        else:
            steps = shorter
            size = min(size, len(steps)) if size > _NEIGHBOURS else min(_NEIGHBOURS, len(steps))

    return steps


def _without(steps: tuple[_T, ...], size: int) -> Iterator[tuple[_T, ...]]:
    """Yield the steps without parts of a size, the last one first: a name's users go before who gives it."""
    stride = 1 if size <= _NEIGHBOURS else size

    for end in range(len(steps), 0, -stride):
        yield (*steps[: max(end - size, 0)], *steps[end:])


def _file(instance: Instance, folder: Path, why: str) -> str:
    root = parse_yaml(SourceText.read(instance.path))
    assert isinstance(root, MapNode), "it has been loaded"
    head: dict[str, Tree] = plain(root.without("steps", "matrix", "files"))
    files = plain(root).get("files", {})
    _move(head, files, instance.path.parent, folder)
    matrix: dict[str, Tree] = {name: [plain(value)] for name, value in instance.values.items()}
    head |= {"matrix": matrix} if matrix else {}
    left = (step.written for step in instance.steps if step.number)
    steps = [Entry(plain(written), comments_above(written.span)) for written in left]

    if steps:
        fails = f"{FAILS}{' '.join(why.split())}"
        steps[-1] = Entry(steps[-1].value, (*steps[-1].notes, fails))

    notes = {entry.key.text: comments_above(entry.key.span) for entry in root}
    tail = {"files": Entry(files, notes["files"])} if files else {}
    return file_text({key: Entry(value, notes[key]) for key, value in head.items()}, steps, tail)


def _move(head: dict[str, Tree], files: dict[str, Tree], old: Path, new: Path) -> None:
    """Let the paths in a scenario lead to the same files from another folder."""
    cards = head.get("cards", {})

    for holder, key in [
        *((file, "path") for file in files.values()),
        *((card, "keep") for card in (cards.values() if isinstance(cards, dict) else ())),
    ]:
        if isinstance(holder, dict) and isinstance(path := holder.get(key), str):
            holder[key] = os.path.relpath(os.path.join(old, path), new)  # names stay in it
