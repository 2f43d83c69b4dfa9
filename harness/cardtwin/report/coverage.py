"""Requirements, and which of them scenarios prove."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cardtwin.scenario import Verdict
from cardtwin.scenario.document import MapNode, TextNode, parse_yaml
from cardtwin.source import Diagnostics, SourceText

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from cardtwin.scenario import ScenarioResult, StepResult

__all__ = ["Coverage", "Requirement", "count", "read_requirements"]


@dataclass(frozen=True, slots=True)
class Requirement:
    """A statement of behaviour.

    Attributes:
        id: Its name, such as ``PPA-03``.
        basis: How well founded it is.
        text: What holds.
    """

    id: str
    basis: str
    text: str

    @property
    def area(self) -> str:
        """The part of the id before the hyphen."""
        return self.id.partition("-")[0]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which requirements are proved.

    Attributes:
        targets: The targets that scenarios ran against.
        proved: The ids proved, by target: a step that proves them passed, and none failed.
        unknown: Ids that steps prove and the list doesn't have, with the step's place.
    """

    targets: tuple[str, ...]
    proved: Mapping[str, frozenset[str]]
    unknown: tuple[tuple[str, str], ...]

    def document(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "proved": {target: sorted(ids) for target, ids in self.proved.items()},
            "unknown": [list(pair) for pair in self.unknown],
        }


def read_requirements(path: Path) -> tuple[Requirement, ...]:
    """Read a list of requirements: a YAML mapping of ids to mappings with ``basis`` and ``text``.

    Raises:
        SourceError: It is something else.
        OSError: The file cannot be read.
    """
    root = parse_yaml(SourceText.read(path))
    found = Diagnostics()
    requirements: list[Requirement] = []

    if not isinstance(root, MapNode):
        found.error("not-a-mapping", "requirements are a mapping of ids", root.span)

    for entry in root if isinstance(root, MapNode) else ():
        texts = {key: _text(entry.value, key) for key in ("basis", "text")}

        if None in texts.values():
            found.error(
                "bad-requirement",
                f"{entry.key.text} needs a basis and a text",
                entry.key.span,
                expected="{basis: stated, text: ...}",
            )
        else:
            requirements.append(Requirement(entry.key.text, texts["basis"] or "", texts["text"] or ""))

    found.raise_errors()
    return tuple(requirements)


def _text(node: object, key: str) -> str | None:
    value = node.get(key) if isinstance(node, MapNode) else None
    return value.text if isinstance(value, TextNode) else None


def count(wanted: Sequence[Requirement], results: Sequence[ScenarioResult]) -> Coverage:
    """Return what is proved by results."""
    known = {requirement.id for requirement in wanted}
    targets = tuple(dict.fromkeys(result.target for result in results))
    proved = {target: frozenset(known & _proved(results, target)) for target in targets}
    unknown = {
        (id_, step.place): None for _, step in _steps(results) for id_ in step.proves if id_ not in known
    }
    return Coverage(targets, proved, tuple(unknown))


def _proved(results: Sequence[ScenarioResult], target: str) -> set[str]:
    verdicts: dict[str, set[Verdict]] = {}

    for result, step in _steps(results):
        if result.target == target:
            for id_ in step.proves:
                verdicts.setdefault(id_, set()).add(step.verdict)

    return {id_ for id_, seen in verdicts.items() if Verdict.PASSED in seen and Verdict.FAILED not in seen}


def _steps(results: Sequence[ScenarioResult]) -> Iterator[tuple[ScenarioResult, StepResult]]:
    for result in results:
        for step in result.steps:
            yield result, step
