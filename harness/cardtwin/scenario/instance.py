"""What a scenario file amounts to: instances, one per combination of its matrix, with their steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cardtwin.scenario.document import ListNode, MapNode, Node, TextNode
from cardtwin.scenario.substitution import Names, substitute
from cardtwin.scenario.validation import validate
from cardtwin.source import Diagnostics

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cardtwin.decode import Effect
    from cardtwin.plan import Secret
    from cardtwin.scenario.step import Step
    from cardtwin.source import Span
    from cardtwin.targets import Capability, Setup

__all__ = ["Instance", "StepSpec"]


@dataclass(frozen=True, slots=True)
class StepSpec:
    """A step as the file has it, checked as far as is possible before the run.

    Attributes:
        number: Its place in the scenario, from 1; 0 is the check of ``requires:``.
        kind: The verb's class, in the form that the step has.
        written: The step as it is written.
        node: The same with the names of the matrix replaced; bound names are not.
        step: The step itself; None where it refers to a value that an earlier step binds.
    """

    number: int
    kind: type[Step]
    written: MapNode = field(repr=False)
    node: MapNode = field(repr=False)
    step: Step | None = field(repr=False)

    @property
    def span(self) -> Span:
        """Where it stands."""
        return self.node.span

    @property
    def title(self) -> str:
        """The step in a few words, fit to be shown."""
        argument = self.node.get(self.kind.verb)
        return self.kind.title(argument.text if isinstance(argument, TextNode) else "")

    @property
    def cause(self) -> str:
        """The cause of what happens in it, as events have it."""
        return f"step {self.number} ({self.kind.verb})"

    @property
    def id(self) -> str:
        """The id that the step has, or an empty text."""
        return self._text("id")

    @property
    def proves(self) -> tuple[str, ...]:
        """The ids of requirements that it proves."""
        if self.step is not None:
            return self.step.proves

        texts = self._texts("proves")
        return tuple(part.strip() for text in texts for part in text.split(",") if part.strip())

    @property
    def needs(self) -> frozenset[Capability]:
        """What it needs of the target."""
        return self.kind.capabilities(self.node)

    @property
    def effects(self) -> Effect:
        """What it may do to cards at worst."""
        return self.kind.effects(self.node)

    def complete(self, values: Mapping[str, Node]) -> Step:
        """Return the step with all values filled in, those of the matrix and those that were bound.

        Raises:
            SourceError: With these values it is not a step of its verb.
        """
        if self.step is not None:
            return self.step

        diagnostics = Diagnostics()
        node = substitute(self.written, Names(values), diagnostics)
        assert isinstance(node, MapNode), "substitution keeps a mapping a mapping"
        step = validate(self.kind.form(node), node, diagnostics)
        diagnostics.raise_errors()
        assert step is not None, "a step that doesn't validate has a finding"
        return step

    def _text(self, key: str) -> str:
        return next(self._texts(key), "")

    def _texts(self, key: str) -> Iterator[str]:
        node = self.node.get(key)

        for each in node.items if isinstance(node, ListNode) else (node,):
            if isinstance(each, TextNode):
                yield each.text


@dataclass(frozen=True, slots=True)
class Instance:
    """A scenario for one combination of its matrix.

    Attributes:
        id: The file's name and the combination, such as ``erase[cardos-4.4,burnt]``.
        path: The file.
        title: The scenario's title.
        tags: Its tags.
        target: The name of the target that it is for.
        needs: What it needs of a target as a whole, beside what its steps need.
        values: What the names of the matrix stand for.
        setup: What it finds on the desk.
        steps: Its steps; one of number 0 checks ``requires:``.
        span: Where the file begins.
        secrets: What no message is to show, beside the secrets of its steps.
    """

    id: str
    path: Path
    title: str
    tags: tuple[str, ...]
    target: str
    needs: frozenset[Capability]
    values: Mapping[str, Node] = field(repr=False)
    setup: Setup = field(repr=False)
    steps: tuple[StepSpec, ...] = field(repr=False)
    span: Span = field(repr=False)
    secrets: tuple[Secret, ...] = field(default=(), repr=False)
