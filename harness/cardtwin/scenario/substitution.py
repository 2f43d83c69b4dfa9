"""``$(name)``: the one thing that a scenario file substitutes.

A text that is nothing but ``$(name)`` becomes whatever the name stands for, a mapping too; inside a longer
text the name must stand for a text. A dotted name reaches into a matrix row, or by
a number from 0 into a list. ``$$(`` is a plain ``$(``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cardtwin.scenario.document import Entry, ListNode, MapNode, Node, TextNode
from cardtwin.source import Diagnostics, Note, closest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

__all__ = ["Names", "references", "substitute"]

_REFERENCE = re.compile(r"(?P<escape>\$)?\$\((?P<name>[^()\n]*)\)")
_NO_VALUES: Mapping[str, Node] = {}


@dataclass(frozen=True, slots=True)
class Names:
    """What names stand for.

    Attributes:
        values: Values that are known now.
        later: Names that get a value while the scenario runs: they are left as they are.
    """

    values: Mapping[str, Node] = field(default_factory=lambda: _NO_VALUES)
    later: AbstractSet[str] = frozenset()

    def find(self, dotted: str) -> Node | None:
        """Return what a name stands for, or None; the name of a row itself stands for its id."""
        first, *rest = dotted.split(".")
        node = self.values.get(first)

        for part in rest:
            node = _inside(node, part)

        if isinstance(node, MapNode) and not rest:
            return node.get("id") or node

        return node

    def is_later(self, dotted: str) -> bool:
        """Whether a name gets its value while the scenario runs."""
        return dotted.partition(".")[0] in self.later

    def known(self) -> tuple[str, ...]:
        """Return every name that can be written, for remedies."""
        rows = [
            f"{name}.{key}"
            for name, node in self.values.items()
            if isinstance(node, MapNode)
            for key in node.keys()  # noqa: SIM118  # a MapNode iterates over entries
        ]
        return (*self.values, *rows, *self.later)


def _inside(node: Node | None, part: str) -> Node | None:
    """Return a value of a mapping, or an item of a list by its number from 0."""
    match node:
        case MapNode():
            return node.get(part)
        case ListNode(items) if part.isdecimal() and int(part) < len(items):
            return items[int(part)]
        case _:
            return None


def references(node: Node) -> frozenset[str]:
    """Return the names that a tree refers to."""
    match node:
        case TextNode(text):
            return frozenset(m["name"] for m in _REFERENCE.finditer(text) if not m["escape"])
        case ListNode(items):
            return frozenset().union(*(references(item) for item in items))
        case MapNode(entries):
            return frozenset().union(*(references(entry.value) for entry in entries))


def substitute(node: Node, names: Names, diagnostics: Diagnostics) -> Node:
    """Return the tree with known names replaced; unknown ones become errors in `diagnostics`.

    Places stay those of the text that held the name.
    """
    match node:
        case TextNode():
            return _text(node, names, diagnostics)
        case ListNode(items, span):
            return ListNode(tuple(substitute(item, names, diagnostics) for item in items), span)
        case MapNode(entries, span):
            return MapNode(tuple(_entry(entry, names, diagnostics) for entry in entries), span)


def _entry(entry: Entry, names: Names, diagnostics: Diagnostics) -> Entry:
    if "$(" in entry.key.text:
        diagnostics.error(
            "name-in-key",
            f"the key {entry.key.text!r} holds a name: names are replaced in values only",
            entry.key.span,
        )

    return Entry(entry.key, substitute(entry.value, names, diagnostics))


def _text(node: TextNode, names: Names, diagnostics: Diagnostics) -> Node:
    if "$(" not in node.text:
        return node

    whole = _REFERENCE.fullmatch(node.text)

    if whole and not whole["escape"]:
        return _whole(node, whole["name"], names, diagnostics)

    if any(names.is_later(name) for name in references(node)):
        # The rest is filled in when the late names have values: all in one go, so that no value is
        # taken for a reference.
        _check_names(node, names, diagnostics)
        return node

    return TextNode(_REFERENCE.sub(lambda m: _part(m, node, names, diagnostics), node.text), node.span)


def _whole(node: TextNode, name: str, names: Names, diagnostics: Diagnostics) -> Node:
    found = names.find(name)

    if found is not None:
        return _moved(found, node)

    if not names.is_later(name):
        _unknown(node, name, names, diagnostics)

    return node


def _moved(found: Node, node: TextNode) -> Node:
    return replace(found, span=node.span)


def _part(found: re.Match[str], node: TextNode, names: Names, diagnostics: Diagnostics) -> str:
    if found["escape"]:
        return found[0][1:]

    value = names.find(found["name"])

    if isinstance(value, TextNode):
        return value.text

    if value is None:
        _unknown(node, found["name"], names, diagnostics)
    else:
        diagnostics.error(
            "not-a-text",
            f"$({found['name']}) stands for more than a text, and cannot stand inside one",
            node.span,
            notes=(Note("it stands for this", value.span),),
        )

    return found[0]


def _check_names(node: TextNode, names: Names, diagnostics: Diagnostics) -> None:
    for name in sorted(references(node)):
        if names.find(name) is None and not names.is_later(name):
            _unknown(node, name, names, diagnostics)


def _unknown(node: TextNode, name: str, names: Names, diagnostics: Diagnostics) -> None:
    outer, _, part = name.rpartition(".")
    held = names.find(outer)

    if isinstance(held, ListNode) and part.isdecimal():
        diagnostics.error(
            "no-such-item",
            f"{outer!r} has no item {part}",
            node.span,
            expected=f"one of {len(held.items)} items, counted from 0"
            if held.items
            else "no item: it is empty",
        )
        return

    diagnostics.error(
        "unknown-name",
        f"nothing is called {name!r} here",
        node.span,
        expected="an axis of the matrix, a field of its row, or a name that an earlier step binds",
        remedy=closest(name, names.known()),
    )
