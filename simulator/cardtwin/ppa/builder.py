"""Makes the nodes of the syntax tree out of lark's trees."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lark import Token, Tree

from cardtwin.ppa.syntax import (
    Assignment,
    Attribute,
    ByteString,
    Call,
    CallStatement,
    Directive,
    Expression,
    Name,
    Number,
    Statement,
    String,
)
from cardtwin.source import Span

if TYPE_CHECKING:
    from cardtwin.source import Diagnostics, SourceText

__all__ = ["DEEPEST", "Builder", "span_of"]

_Node = Tree[Token] | Token

_MOST_DIGITS: Final = 20
DEEPEST: Final = 16
"""How deep calls and directories may be nested."""


def span_of(source: SourceText, node: _Node) -> Span:
    """Return the place of a tree or token."""
    place = node if isinstance(node, Token) else node.meta
    line, column = place.line or 1, place.column or 1

    if isinstance(node, Token) and node.type == "_NL":
        return source.span(line, column)

    return Span(source, line, column, place.end_line or line, place.end_column or column + 1)


class Builder:
    """Makes nodes of lark's trees."""

    def __init__(self, source: SourceText, diagnostics: Diagnostics) -> None:
        self._source = source
        self._diagnostics = diagnostics

    def statement(self, tree: Tree[Token]) -> Statement:
        """Return the node of one line."""
        match tree.data:
            case "assignment":
                name, value = tree.children
                return Assignment(self._name(name), self._expression(value), self._span(tree))
            case "call_statement":
                return CallStatement(self._call(tree.children[0]))
            case _:
                return self._directive(tree)

    def _directive(self, tree: Tree[Token]) -> Directive:
        keyword, *rest = tree.children
        operands = [node for node in rest if not _is(node, "attribute")]
        attributes = [node for node in rest if _is(node, "attribute")]
        return Directive(
            self._name(keyword),
            tuple(self._expression(node) for node in operands),
            tuple(self._attribute(node) for node in attributes),
            self._span(tree),
        )

    def _attribute(self, node: _Node) -> Attribute:
        assert isinstance(node, Tree)
        name, *values = node.children
        return Attribute(
            self._name(name), tuple(self._expression(value) for value in values), self._span(node)
        )

    def _call(self, node: _Node, depth: int = 0) -> Call:
        assert isinstance(node, Tree)
        name, *arguments = node.children
        span = self._span(node)

        if depth == DEEPEST:
            self._diagnostics.error(
                "too-deep",
                "calls are nested too deeply",
                span,
                remedy="assign the inner value to a variable first",
            )
            return Call(self._name(name), (), span)

        values = tuple(self._expression(value, depth + 1) for value in arguments)
        return Call(self._name(name), values, span)

    def _name(self, node: _Node) -> Name:
        return Name(str(node), self._span(node))

    def _expression(self, node: _Node, depth: int = 0) -> Expression:
        assert isinstance(node, Tree)
        span = self._span(node)

        if node.data == "call":
            return self._call(node, depth)

        token = node.children[0]
        assert isinstance(token, Token)

        match node.data:
            case "name":
                return Name(str(token), span)
            case "string":
                return String(token[1:-1], span)
            case "number":
                return Number(self._number(token, span), span)
            case _:
                return ByteString(self._bytes(token), span)

    def _number(self, token: Token, span: Span) -> int:
        if len(token) > _MOST_DIGITS:
            self._diagnostics.error(
                "bad-number",
                "this number is too large",
                span,
                remedy="for bytes, write 0x{ } around them",
            )
            return 0

        return int(token, 16 if token[:2].lower() == "0x" else 10)

    def _bytes(self, token: Token) -> bytes:
        """Return the bytes between the braces; what isn't hexadecimal there is an error at its own place."""
        inner = re.sub(r";[^\n]*|\\(?=[ \t\r]*\n)", lambda found: " " * len(found.group()), token[3:-1])
        digits: list[str] = []

        for word in re.finditer(r"\S+", inner):
            if re.fullmatch(r"([0-9A-Fa-f]{2})+", word.group()):
                digits.append(word.group())
            else:
                self._bad_bytes(token, word)

        return bytes.fromhex("".join(digits))

    def _bad_bytes(self, token: Token, word: re.Match[str]) -> None:
        before = token[: word.start() + 3]
        line = (token.line or 1) + before.count("\n")
        first = 1 if "\n" in before else token.column or 1
        column = first + len(before.rpartition("\n")[2])
        odd = re.fullmatch(r"[0-9A-Fa-f]+", word.group())
        self._diagnostics.error(
            "bad-bytes",
            "an odd number of hexadecimal digits" if odd else "this is not hexadecimal",
            self._source.span(line, column, len(word.group())),
            expected="two hexadecimal digits for each byte",
        )

    def _span(self, node: _Node) -> Span:
        return span_of(self._source, node)


def _is(node: _Node, rule: str) -> bool:
    return isinstance(node, Tree) and node.data == rule
