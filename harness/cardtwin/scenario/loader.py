"""From files to instances. All that is wrong in a file is told at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.scenario.binding import bound_names, check_binds
from cardtwin.scenario.document import Entry, MapNode, Node, TextNode, parse_yaml
from cardtwin.scenario.includes import STEPS, Includes
from cardtwin.scenario.instance import Instance, StepSpec
from cardtwin.scenario.matrix import Combination, combinations
from cardtwin.scenario.model import ScenarioModel
from cardtwin.scenario.setup import build_setup, check_files, check_references, declared
from cardtwin.scenario.step import COMMON, Step, all_verbs
from cardtwin.scenario.substitution import Names, references, substitute
from cardtwin.scenario.validation import validate
from cardtwin.source import Diagnostic, Diagnostics, SourceError, SourceText, closest
from cardtwin.targets import Capability

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["SUFFIX", "find", "load"]

SUFFIX = ".scenario.yaml"


def find(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield scenario files: those given, and in folders those that end in ``.scenario.yaml``, each once.

    Raises:
        FileNotFoundError: There is no such file or folder.
    """
    seen: set[Path] = set()

    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"{path}: there is no such file or folder")

        for found in sorted(path.rglob(f"*{SUFFIX}")) if path.is_dir() else [path]:
            if found not in seen:
                seen.add(found)
                yield found


def load(path: Path) -> tuple[Instance, ...]:
    """Read one scenario file.

    Raises:
        SourceError: The file is wrong; carries all findings of all instances, each once.
        OSError: The file cannot be read.
    """
    source = SourceText.read(path)
    root = parse_yaml(source)
    found = Diagnostics()

    if not isinstance(root, MapNode):
        found.error("not-a-mapping", "a scenario is a mapping", root.span, expected="format: 1")
        raise SourceError(found)

    includes = Includes(path.parent)
    reader = _Reader(path, root, includes)
    instances: list[Instance] = []

    for combination in combinations(root.get("matrix"), found, includes):
        local = Diagnostics()
        instance = reader.instance(combination, local)
        _merge(found, local)

        if instance is not None:
            instances.append(instance)

    found.raise_errors()
    return tuple(instances)


def _merge(found: Diagnostics, more: Diagnostics) -> None:
    """Add what is new: the instances of one file mostly have the same findings."""
    known = {_key(finding) for finding in found}

    for finding in more:
        if _key(finding) not in known:
            found.add(finding)


def _key(finding: Diagnostic) -> tuple[object, ...]:
    span = finding.span
    return (finding.code, finding.message, span.source.name, span.line, span.column)


class _Reader:
    """Makes the instances of one file."""

    def __init__(self, path: Path, root: MapNode, includes: Includes) -> None:
        self._path = path
        self._root = root
        self._includes = includes

    def instance(self, combination: Combination, found: Diagnostics) -> Instance | None:
        """Return the instance, or None with findings."""
        names = Names(combination.values, combination.without)
        head = substitute(self._root.without("steps", "matrix", "requires"), names, found)
        whole = MapNode((*_entries(head), *_entries(self._root, "steps")), self._root.span)
        model = validate(ScenarioModel, whole, found)
        steps = self._steps(names, found)
        sections = declared(whole)
        check_files(whole, sections, found)
        check_references(steps, sections, found)
        check_binds(steps, combination.values, found)

        if model is None or combination.without:
            return None

        setup = build_setup(self._path, model, whole, found)

        if found.errors:
            return None

        return Instance(
            id=self._path.name.removesuffix(SUFFIX).removesuffix(".yaml") + combination.suffix,
            path=self._path,
            title=model.title,
            tags=model.tags,
            target=model.target,
            needs=frozenset({Capability.OWN} if model.middleware == "cardtwin" else ()),
            values=combination.values,
            setup=setup,
            steps=steps,
            span=self._root.span,
        )

    def _steps(self, names: Names, found: Diagnostics) -> tuple[StepSpec, ...]:
        specs: list[StepSpec] = []
        later = set(names.later)
        requires = self._root.get("requires")

        if requires is not None:
            specs += _spec(0, _requirement(requires), names, found)

        for written in self._includes.expanded(self._root.get("steps"), STEPS, names, found):
            here = Names(names.values, frozenset(later))
            specs += _spec(len(specs) + (requires is None), written, here, found)
            later |= bound_names(written, here)

        return tuple(specs)


def _entries(node: Node, *keys: str) -> tuple[Entry, ...]:
    assert isinstance(node, MapNode)
    return tuple(entry for entry in node if not keys or entry.key.text in keys)


def _requirement(requires: Node) -> Node:
    """Return `requires` as the step that checks it."""
    if not isinstance(requires, MapNode):
        return requires

    outer = [entry for entry in requires if entry.key.text in {"on", "by"}]
    key = TextNode("check", requires.span)
    return MapNode((Entry(key, requires.without("on", "by")), *outer), requires.span)


def _spec(number: int, written: Node, names: Names, found: Diagnostics) -> list[StepSpec]:
    if not isinstance(written, MapNode):
        found.error("not-a-step", "a step is a mapping", written.span, expected="{verb: argument, ...}")
        return []

    kind = _kind(written, found)

    if kind is None:
        return []

    node = substitute(written, names, found)
    assert isinstance(node, MapNode), "substitution keeps a mapping a mapping"
    kind = kind.form(node)
    step = validate(kind, node, found)
    late = any(names.is_later(name) for name in references(written))
    return [StepSpec(number, kind, written, node, None if late else step)]


def _kind(node: MapNode, found: Diagnostics) -> type[Step] | None:
    known = all_verbs()
    present = [key for key in node.keys() if key in known]  # noqa: SIM118  # a MapNode iterates over entries

    if len(present) == 1:
        return known[present[0]]

    if present:
        found.error(
            "two-verbs",
            f"a step has one verb, this has {' and '.join(present)}",
            node.key_span(present[1]),
            remedy="make two steps of it",
        )
        return None

    candidates = [key for key in node.keys() if key not in COMMON]  # noqa: SIM118  # as above
    remedy = next((hint for key in candidates if (hint := closest(key, known))), "")
    place = node.key_span(candidates[0]) if candidates else node.span
    found.error(
        "no-verb", "this step has no verb", place, expected=f"one of {', '.join(known)}", remedy=remedy
    )
    return None
