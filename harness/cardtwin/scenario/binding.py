"""Names that steps give to their results: which ones, and whether there is such a result."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, get_args

from cardtwin.scenario.document import ListNode, MapNode, Node, TextNode
from cardtwin.scenario.step import Expectation
from cardtwin.scenario.substitution import substitute
from cardtwin.source import Diagnostics, closest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from cardtwin.scenario.instance import StepSpec
    from cardtwin.scenario.step import Step
    from cardtwin.scenario.substitution import Names

__all__ = ["bound_names", "check_binds"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]*")


def bound_names(written: Node, names: Names) -> set[str]:
    """Return the names that a step binds: by ``bind``, and by ``{bind: name}`` anywhere in it."""
    node = substitute(written, names, Diagnostics())
    bound = set(_bind_matchers(node))

    if isinstance(node, MapNode):
        match node.get("bind"):
            case TextNode(text):
                bound.add(text)
            case MapNode() as names_of_results:
                bound.update(names_of_results.keys())

    return bound


def _bind_matchers(node: Node) -> Iterator[str]:
    match node:
        case ListNode(items):
            for item in items:
                yield from _bind_matchers(item)
        case MapNode(entries):
            for entry in entries:
                if entry.key.text == "bind" and len(entries) == 1 and isinstance(entry.value, TextNode):
                    yield entry.value.text
                else:
                    yield from _bind_matchers(entry.value)


def check_binds(steps: Iterable[StepSpec], axes: Collection[str], found: Diagnostics) -> None:
    """Find names that cannot be given, and results that a verb doesn't have."""
    for spec in steps:
        results = _results(spec.kind)

        for key, result in _given(spec.node.get("bind")):
            if not _NAME.fullmatch(key.text):
                found.error("bad-value", f"{key.text!r} is no name for a value", key.span)
            elif key.text in axes:
                found.error(
                    "name-taken",
                    f"{key.text!r} is an axis of the matrix: it has a value",
                    key.span,
                    remedy="take another name",
                )

            name = result.text if result is not None else spec.kind.bound_result

            if name not in results:
                _no_result(spec.kind, name, results, result or key, found)


def _given(bind: Node | None) -> Iterator[tuple[TextNode, TextNode | None]]:
    """Yield the names that ``bind`` gives, each with the result that it names, if it names one."""
    match bind:
        case TextNode(text) if text:
            yield bind, None
        case MapNode(entries):
            for entry in entries:
                if isinstance(entry.value, TextNode):
                    yield entry.key, entry.value
        case _:
            pass


def _results(kind: type[Step]) -> tuple[str, ...]:
    """Return the results of a verb: the fields of what it expects."""
    annotations = (field.annotation for field in kind.model_fields.values())
    types = (inner for annotation in annotations for inner in (annotation, *get_args(annotation)))
    return tuple(
        name
        for found in types
        if isinstance(found, type) and issubclass(found, Expectation)
        for name in found.model_fields
    )


def _no_result(
    kind: type[Step], name: str, results: Collection[str], place: TextNode, found: Diagnostics
) -> None:
    if not results:
        found.error("unknown-name", f"{kind.verb!r} has no result that could get a name", place.span)
        return

    found.error(
        "unknown-name",
        f"{kind.verb!r} has no result {name!r}" if name else f"{kind.verb!r} has several results",
        place.span,
        expected=f"one of {', '.join(results)}",
        remedy=closest(name, results) or f"write 'bind: {{{place.text}: {next(iter(results))}}}'",
    )
