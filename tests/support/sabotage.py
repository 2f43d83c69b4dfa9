"""Sabotages: a behaviour is taken away, and exactly the scenarios that prove it have to fail.

A scenario proves little if it passes without the behaviour, and tells the wrong thing if it fails without
a behaviour that it isn't about. So for each requirement something is broken on purpose, and all scenarios
run that the broken code can reach: those that name the requirement have to fail, all others to pass.

Which scenarios can is seen by running each once with nothing broken; that needs Python 3.12.

Left out are the scenarios in ``end-to-end`` and ``examples``: they go through everything, or show whole
descriptions, so anything makes them fail, and they prove no requirement.
"""

from __future__ import annotations
import __future__

import ast
import inspect
import sys
import textwrap
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

import pytest

from cardtwin import targets
from cardtwin.scenario import Instance, Verdict, load, run
from cardtwin.source import Diagnostics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from cardtwin.scenario import ScenarioResult

__all__ = [
    "SCENARIOS",
    "Patch",
    "Sabotage",
    "check",
    "check_complete",
    "claiming",
    "rewrite",
    "table",
    "unnoticed",
]

SCENARIOS: Final = Path(__file__).parents[2] / "scenarios"
_SUFFIX: Final = ".scenario.yaml"
_SEED: Final = "the same each time"
_LEFT_OUT: Final = frozenset({"end-to-end", "examples"})

Place: TypeAlias = "CodeType | tuple[CodeType, int]"
"""What a scenario runs through: some code, or one of its lines."""


class Patch(Protocol):
    """Takes something away until the sabotage is over."""

    def setattr(self, target: object, name: str, value: object) -> None:
        """Exchange an attribute."""

    def setitem(self, mapping: Any, key: object, value: object) -> None:
        """Exchange a mapping's value."""


@dataclass(frozen=True)
class Sabotage:
    """A behaviour that is taken away.

    Attributes:
        id: The requirement that is no longer met.
        name: What is missing, in a few words.
        patch: Takes it away.
        fails: The scenarios that show it, as paths below the folder of scenarios without their suffix.
        where: A part of the instances' names (a model, say). Instances that have it are taken, in
            scenarios that have such; of others, the first is.
        near: A function that every scenario runs through which what is patched can reach. It is needed
            where something else than functions is patched: without it, all scenarios have to run.
        at: A part of a line of that function: only scenarios are reached that run the line.
    """

    id: str
    name: str
    patch: Callable[[Patch], None]
    fails: frozenset[str]
    where: str = ""
    near: Callable[..., object] | None = None
    at: str = ""


def table(*sabotages: Sabotage) -> list[Any]:
    """Return sabotages as parameters of a test, each with its own name."""
    return [pytest.param(sabotage, id=f"{sabotage.id} {sabotage.name}") for sabotage in sabotages]


def check(sabotage: Sabotage) -> None:
    """Break what the sabotage names, and see that exactly its scenarios fail.

    Raises:
        AssertionError: Others fail, or some don't, or one of them breaks instead of failing.
    """
    places = _reachable(sabotage)

    with pytest.MonkeyPatch.context() as patch:
        sabotage.patch(patch)
        failing = {name for name in places if _fails(name, sabotage)}

    others, silent = sorted(failing - sabotage.fails), sorted(sabotage.fails - failing)
    assert failing == sabotage.fails, f"fail, and shall not: {others}; shall fail, and don't: {silent}"
    assert failing <= claiming(sabotage.id), "a scenario fails that doesn't say that it proves this"


def check_complete(prefixes: Iterable[str], sabotages: Iterable[Sabotage]) -> None:
    """See that each scenario that names a requirement fails under one of that requirement's sabotages.

    Args:
        prefixes: Beginnings of the requirements' ids that are looked at, such as ``DA-``.
        sabotages: All that there are.

    Raises:
        AssertionError: A scenario names a requirement, and no sabotage shows that it proves it.
    """
    shown: dict[str, set[str]] = {}

    for sabotage in sabotages:
        shown.setdefault(sabotage.id, set()).update(sabotage.fails)

    wanted = {id_ for ids in _claims().values() for id_ in ids if id_.startswith(tuple(prefixes))}
    unproved = {id_: sorted(claiming(id_) - shown.get(id_, set())) for id_ in sorted(wanted)}
    assert {id_: names for id_, names in unproved.items() if names} == {}


def claiming(id_: str) -> frozenset[str]:
    """Return the scenarios that say they prove a requirement."""
    return frozenset(name for name, ids in _claims().items() if id_ in ids)


def rewrite(patch: Patch, function: Callable[..., object], old: str, new: str) -> None:
    """Exchange a part of a function's source, wherever the function is referred to.

    Args:
        patch: Takes it back.
        function: A function or a method as it was defined; not one inside of another function.
        old: What stands in its source, exactly once.
        new: What shall stand there.
    """
    function = getattr(function, "__func__", function)
    assert isinstance(function, FunctionType)
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(old) == 1, f"{old!r} stands {source.count(old)} times in {function.__qualname__}"
    tree = ast.parse(source.replace(old, new))
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.decorator_list.clear()  # what they have done stays done
    names: dict[str, Any] = {}
    flags = __future__.annotations.compiler_flag
    exec(compile(tree, inspect.getfile(function), "exec", flags), function.__globals__, names)  # noqa: S102  # ours
    patch.setattr(function, "__code__", names[definition.name].__code__)


def unnoticed(patch: Patch, code: str, words: str = "") -> None:
    """Let a mistake pass.

    Args:
        patch: Takes it back.
        code: What the mistake is called by the diagnostics that name it.
        words: A part of its message, where only some of them shall pass.
    """
    error = Diagnostics.error

    def others(self: Diagnostics, found: str, message: str, *rest: Any, **more: Any) -> None:
        if found != code or words not in message:
            error(self, found, message, *rest, **more)

    patch.setattr(Diagnostics, "error", others)


# Scenarios


@cache
def _scenarios() -> Mapping[str, tuple[Instance, ...]]:
    """Return the instances of each scenario that the emulated target runs."""
    places = (path.relative_to(SCENARIOS) for path in sorted(SCENARIOS.rglob(f"*{_SUFFIX}")))
    return {
        place.as_posix().removesuffix(_SUFFIX): tuple(map(_seeded, load(SCENARIOS / place)))
        for place in places
        if place.parts[0] not in _LEFT_OUT
    }


def _seeded(instance: Instance) -> Instance:
    """Return an instance that is the same each time, and takes its keys from the pool."""
    setup = instance.setup
    return instance if setup.seed is not None else replace(instance, setup=replace(setup, seed=_SEED))


@cache
def _claims() -> Mapping[str, frozenset[str]]:
    return {
        name: frozenset(id_ for instance in instances for step in instance.steps for id_ in step.proves)
        for name, instances in _scenarios().items()
    }


def _chosen(name: str, where: str) -> tuple[Instance, ...]:
    instances = _scenarios()[name]
    return tuple(instance for instance in instances if where and where in instance.id) or instances[:1]


def _fails(name: str, sabotage: Sabotage) -> bool:
    """Return whether a scenario fails; of one that shall fail, any instance will do."""
    expected = name in sabotage.fails
    instances = _scenarios()[name] if expected and not sabotage.where else _chosen(name, sabotage.where)
    return any(_failed(run(instance, targets.get("emulated"))) for instance in instances)


def _failed(result: ScenarioResult) -> bool:
    step = result.failed_step

    if step is not None and step.failure is not None:
        assert "Traceback" not in step.failure.detail, f"{result.id} breaks: {step.failure.detail}"

    assert result.verdict is not Verdict.NOT_RUN, f"{result.id} cannot run: {result.message}"
    return result.verdict is Verdict.FAILED


# What scenarios reach


def _reachable(sabotage: Sabotage) -> list[str]:
    """Return the scenarios that run through what is broken."""
    broken = _places(sabotage)

    if broken is None:
        return list(_scenarios())

    return [name for name in _scenarios() if name in sabotage.fails or _reaches(name, sabotage.where, broken)]


def _reaches(name: str, where: str, broken: frozenset[Place]) -> bool:
    return any(_reached(name, instance.id) & broken for instance in _chosen(name, where))


def _places(sabotage: Sabotage) -> frozenset[Place] | None:
    """Return the code that is broken, or all that reaches it; None where it is not code."""
    if sabotage.near is not None:
        return _line(sabotage.near, sabotage.at) if sabotage.at else _code(sabotage.near)

    found: frozenset[Place] = frozenset()

    with pytest.MonkeyPatch.context() as patch:
        noted = _Noted(patch)
        sabotage.patch(noted)

        for original in noted.originals:
            codes = _code(original)

            if codes is None:
                return None

            found |= codes

    return found


class _Noted:
    """Patches, and notes what was there; of what isn't an attribute it notes that it is no code."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self.originals: list[object] = []

    def setattr(self, target: object, name: str, value: object) -> None:
        self.originals.append(getattr(target, name) if name == "__code__" else vars(target).get(name))
        self._patch.setattr(target, name, value)

    def setitem(self, mapping: Any, key: object, value: object) -> None:
        self.originals.append(None)
        self._patch.setitem(mapping, key, value)


def _line(function: Callable[..., object], text: str) -> frozenset[Place]:
    """Return the line of a function that has a text in it, which no other line has."""
    function = inspect.unwrap(getattr(function, "__func__", function))
    assert isinstance(function, FunctionType)
    lines, first = inspect.getsourcelines(function)
    (number,) = (first + index for index, line in enumerate(lines) if text in line)
    assert number in {line for _, _, line in function.__code__.co_lines()}, f"nothing is run at {text!r}"
    return frozenset({(function.__code__, number)})


def _code(original: object) -> frozenset[Place] | None:
    """Return the code of a function in any of its forms, of a class's methods; None of anything else."""
    match original:
        case CodeType():
            return frozenset({original})
        case FunctionType():
            return frozenset({original.__code__}) | (
                _code(getattr(original, "__wrapped__", None)) or frozenset()
            )
        case property():
            return _code(original.fget)
        case staticmethod() | classmethod():
            return _code(original.__func__)
        case type():
            return frozenset[Place]().union(*(_code(value) or () for value in vars(original).values()))
        case _:
            return None


@cache
def _reached(name: str, id_: str) -> frozenset[Place]:
    """Return what an instance of a scenario runs through when nothing is broken."""
    (instance,) = (instance for instance in _scenarios()[name] if instance.id == id_)

    with _watched() as seen:
        result = run(instance, targets.get("emulated"))

    assert result.verdict is Verdict.PASSED, f"{result.id} doesn't pass with all behaviours there"
    return frozenset(seen)


@contextmanager
def _watched() -> Iterator[set[Place]]:
    """Note what is run meanwhile, in all threads."""
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]  # from Python 3.12 on
    tool, events = monitoring.PROFILER_ID, monitoring.events
    seen: set[Place] = set()

    def started(code: CodeType, _: int) -> object:
        seen.add(code)
        return monitoring.DISABLE  # once is enough

    def at_line(code: CodeType, line: int) -> object:
        seen.add((code, line))
        return monitoring.DISABLE

    monitoring.use_tool_id(tool, "sabotage")
    monitoring.register_callback(tool, events.PY_START, started)
    monitoring.register_callback(tool, events.LINE, at_line)
    monitoring.restart_events()
    monitoring.set_events(tool, events.PY_START | events.LINE)

    try:
        yield seen
    finally:
        monitoring.set_events(tool, 0)
        monitoring.free_tool_id(tool)
