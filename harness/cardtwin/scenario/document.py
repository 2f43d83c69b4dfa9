"""YAML as a tree of texts with places: every scalar stays the text that was written.

PyYAML's C parser makes the nodes; nothing is constructed from them, so ``0000``, ``6E00`` and ``no`` are
texts. Anchors, tags and repeated keys are refused: a file reads from top to bottom, as written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from cardtwin.scenario.quoting import masked, roughly_masked
from cardtwin.source import Diagnostics, Note, SourceText

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.source import Span

__all__ = ["Entry", "ListNode", "MapNode", "Node", "TextNode", "parse_yaml", "plain"]

_PLAIN_TAGS = "tag:yaml.org,2002:"
_DEEPEST = 60
"""Levels of mappings and lists in one another: the parser itself dies at some thousands."""


@dataclass(frozen=True, slots=True)
class TextNode:
    """A scalar, as its text."""

    text: str = field(repr=False)
    span: Span


@dataclass(frozen=True, slots=True)
class ListNode:
    """A sequence."""

    items: tuple[Node, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping and its value."""

    key: TextNode
    value: Node


@dataclass(frozen=True, slots=True)
class MapNode:
    """A mapping, in the order of the text."""

    entries: tuple[Entry, ...]
    span: Span

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def get(self, key: str) -> Node | None:
        """Return the value of a key, or None."""
        return next((entry.value for entry in self.entries if entry.key.text == key), None)

    def key_span(self, key: str) -> Span:
        """Return the place of a key; the mapping's own where there is no such key."""
        return next((entry.key.span for entry in self.entries if entry.key.text == key), self.span)

    def keys(self) -> tuple[str, ...]:
        """Return the keys in the order of the text."""
        return tuple(entry.key.text for entry in self.entries)

    def without(self, *keys: str) -> MapNode:
        """Return the mapping without these keys."""
        return MapNode(tuple(e for e in self.entries if e.key.text not in keys), self.span)


Node: TypeAlias = TextNode | ListNode | MapNode


def plain(node: Node) -> Any:
    """Return the tree as ``dict``, ``list`` and ``str``."""
    match node:
        case TextNode(text):
            return text
        case ListNode(items):
            return [plain(item) for item in items]
        case MapNode(entries):
            return {entry.key.text: plain(entry.value) for entry in entries}


def parse_yaml(source: SourceText) -> Node:
    """Read one YAML document. The lines that places quote have stars for what stands under secret keys.

    Raises:
        SourceError: The text is no YAML, or uses what is refused here; all findings at once.
    """
    diagnostics = Diagnostics()

    try:
        _check_depth(source, diagnostics)
        root = yaml.compose(source.text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        _report_yaml(error, roughly_masked(source), diagnostics)
    else:
        shown = masked(source, root)
        tree = _Reader(shown, diagnostics).read(root) if root is not None else MapNode((), shown.start)
        diagnostics.raise_errors()
        return tree

    diagnostics.raise_errors()
    raise AssertionError("unreachable: an error was added")


def _check_depth(source: SourceText, diagnostics: Diagnostics) -> None:
    """Refuse what is nested too deep, before a recursive reader sees it."""
    depth = 0

    for event in yaml.parse(source.text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1

        if depth > _DEEPEST:
            mark = event.start_mark
            assert mark is not None, "the parser marks every event"
            diagnostics.error(
                "too-deep",
                f"mappings and lists stand in one another more than {_DEEPEST} levels deep",
                roughly_masked(source).span(mark.line + 1, mark.column + 1),
            )
            diagnostics.raise_errors()


def _report_yaml(error: yaml.YAMLError, source: SourceText, diagnostics: Diagnostics) -> None:
    match error:
        case yaml.MarkedYAMLError():
            mark = error.problem_mark or error.context_mark
            span = source.span(mark.line + 1, mark.column + 1) if mark else source.start
            context = f" {error.context}" if error.context else ""
            remedy = _yaml_remedy(source, span, context)
            diagnostics.error("not-yaml", f"{error.problem}{context}", span, remedy=remedy)
        case yaml.reader.ReaderError():
            before = source.text.encode()[: error.position].decode(errors="ignore")
            span = source.span(before.count("\n") + 1, len(before) - before.rfind("\n"))
            diagnostics.error(
                "not-yaml",
                f"the character U+{error.character:04X} cannot stand in a YAML file",
                span,
                remedy="remove it; files are UTF-8 text",
            )
        case _:
            diagnostics.error("not-yaml", str(error).splitlines()[0], source.start)


def _yaml_remedy(source: SourceText, span: Span, context: str) -> str:
    line = source.line(span.line)

    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "indent with blanks, YAML takes no tabs there"

    if "block" in context:
        return "begin the keys of a mapping, or the '-' of a list, in one column; this line begins elsewhere"

    if line.lstrip()[:1] in {"{", "["} or ": " in line:
        return "a text with ': ', '{', '[' or '#' in it needs quotes; check that brackets are closed"

    return ""


class _Reader:
    """Turns PyYAML's nodes into ours, with all findings."""

    def __init__(self, source: SourceText, diagnostics: Diagnostics) -> None:
        self._source = source
        self._diagnostics = diagnostics
        self._seen: dict[int, Any] = {}

    def read(self, node: yaml.Node) -> Node:
        """Return our node."""
        span = self._span(node)

        if id(node) in self._seen:
            self._diagnostics.error(
                "alias", "an alias repeats a node", span, remedy="write it out, or use a matrix or 'use:'"
            )
            return TextNode("", span)

        self._seen[id(node)] = node

        if not node.tag.startswith(_PLAIN_TAGS):
            self._diagnostics.error("tag", f"the tag {node.tag!r} has no meaning here", span)

        match node:
            case yaml.MappingNode():
                return self._mapping(node, span)
            case yaml.SequenceNode():
                return ListNode(tuple(self.read(item) for item in node.value), span)
            case _:
                return TextNode(node.value, span)

    def _mapping(self, node: yaml.MappingNode, span: Span) -> MapNode:
        entries: dict[str, Entry] = {}

        for key_node, value_node in node.value:
            key, value = self.read(key_node), self.read(value_node)

            if not isinstance(key, TextNode):
                self._diagnostics.error("bad-key", "a key is a text", key.span)
            elif key.text in entries:
                first = entries[key.text].key.span
                self._diagnostics.error(
                    "duplicate-key",
                    f"the key {key.text!r} stands here a second time",
                    key.span,
                    notes=(Note("the first time", first),),
                )
            else:
                entries[key.text] = Entry(key, value)

        return MapNode(tuple(entries.values()), span)

    def _span(self, node: yaml.Node) -> Span:
        start, end = node.start_mark, node.end_mark
        same_line = end.line == start.line
        line = self._source.line(start.line + 1)
        length = end.column - start.column if same_line else len(line.rstrip()) - start.column
        return self._source.span(start.line + 1, start.column + 1, length)
