"""Requirements, and which of them are proved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cardtwin.report.proofs import TESTS
from cardtwin.scenario import Verdict
from cardtwin.scenario.document import MapNode, TextNode, parse_yaml
from cardtwin.source import Diagnostics, SourceText

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cardtwin.report.proofs import Proof

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
        targets: The targets that scenarios ran against, and ``tests`` where tests prove something.
        proved: The ids proved, by target: something that proves them passed, and nothing failed.
        unknown: Ids that something proves and the list doesn't have, with its place.
    """

    targets: tuple[str, ...]
    proved: Mapping[str, frozenset[str]]
    unknown: tuple[tuple[str, str], ...]

    @property
    def everywhere(self) -> frozenset[str]:
        """The ids proved, on whichever target."""
        return frozenset().union(*self.proved.values())

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


def count(wanted: Sequence[Requirement], proofs: Sequence[Proof]) -> Coverage:
    """Return what is proved."""
    known = {requirement.id for requirement in wanted}
    targets = tuple(sorted(dict.fromkeys(proof.by for proof in proofs), key=lambda by: by == TESTS))
    proved = {target: frozenset(known & _proved(proofs, target)) for target in targets}
    unknown = {(proof.id, proof.where): None for proof in proofs if proof.id not in known}
    return Coverage(targets, proved, tuple(unknown))


def _proved(proofs: Sequence[Proof], target: str) -> set[str]:
    verdicts: dict[str, set[Verdict]] = {}

    for proof in proofs:
        if proof.by == target:
            verdicts.setdefault(proof.id, set()).add(proof.verdict)

    return {id_ for id_, seen in verdicts.items() if Verdict.PASSED in seen and Verdict.FAILED not in seen}
