"""The matrix: axes multiply, and every combination is an instance with a stable id."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardtwin.scenario.document import Entry, ListNode, MapNode, Node, TextNode
from cardtwin.scenario.includes import VALUES
from cardtwin.scenario.substitution import Names
from cardtwin.source import Diagnostics, Note

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.scenario.includes import Includes

__all__ = ["Combination", "combinations"]

_AXIS = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]*")
_ID = re.compile(r"[^\s,\[\]:/\\]+")


@dataclass(frozen=True, slots=True)
class Combination:
    """One value of every axis.

    Attributes:
        ids: The values' ids.
        values: What the names of the axes stand for.
        without: Axes that have no value, because they are wrong.
    """

    ids: tuple[str, ...]
    values: Mapping[str, Node]
    without: frozenset[str] = frozenset()

    @property
    def suffix(self) -> str:
        """What follows the file's name in the instance's id."""
        return f"[{','.join(self.ids)}]" if self.ids else ""


def combinations(node: Node | None, diagnostics: Diagnostics, includes: Includes) -> tuple[Combination, ...]:
    """Return all combinations, the last axis changing fastest; without a matrix, the one of nothing.

    Axes that are wrong are left out of them, so that the rest of the file can be looked at.
    """
    if node is None:
        return (Combination((), {}),)

    if not isinstance(node, MapNode):
        diagnostics.error("bad-matrix", "a matrix is a mapping of axes", node.span, expected="axis: [values]")
        return (Combination((), {}),)

    read = [(entry.key.text, _axis(entry, diagnostics, includes)) for entry in node]
    axes = [(name, values) for name, values in read if values]
    without = frozenset(name for name, values in read if not values)
    return tuple(
        Combination(
            tuple(name for name, _ in chosen),
            dict(zip((a for a, _ in axes), (v for _, v in chosen), strict=True)),
            without,
        )
        for chosen in itertools.product(*(values for _, values in axes))
    )


def _axis(entry: Entry, diagnostics: Diagnostics, includes: Includes) -> list[tuple[str, Node]]:
    if not _AXIS.fullmatch(entry.key.text):
        diagnostics.error("bad-matrix", f"{entry.key.text!r} is no name for an axis", entry.key.span)

    if not isinstance(entry.value, ListNode) or not entry.value.items:
        diagnostics.error("bad-matrix", "an axis is a list with values", entry.value.span, expected="[a, b]")
        return []

    values: dict[str, Node] = {}

    for item in includes.expanded(entry.value, VALUES, Names(), diagnostics):
        identity = _identity(item)

        if identity is None or not _ID.fullmatch(identity.text):
            diagnostics.error(
                "bad-matrix",
                "this value gives the instance no id",
                item.span,
                expected="a text without blanks and any of , : / [ ], or a mapping with such an 'id'",
                remedy="write {id: name, ...} and refer to its fields as $(axis.field)",
            )
        elif identity.text in values:
            first = values[identity.text].span
            diagnostics.error(
                "bad-matrix",
                f"the id {identity.text!r} stands here a second time",
                identity.span,
                notes=(Note("the first time", first),),
            )
        else:
            values[identity.text] = item

    return list(values.items())


def _identity(item: Node) -> TextNode | None:
    if isinstance(item, MapNode):
        item = item.get("id") or item

    return item if isinstance(item, TextNode) else None
