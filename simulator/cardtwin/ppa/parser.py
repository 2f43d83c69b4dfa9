"""From text to syntax tree: lark reads the lines; a mistake costs its own line only."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedToken
from lark.lark import PostLex

from cardtwin.ppa.blocks import assemble
from cardtwin.ppa.mistakes import MISTAKES, unexpected
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
    Profile,
    Statement,
    String,
)
from cardtwin.source import Diagnostics, SourceText, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["parse"]

_Node = Tree[Token] | Token


def parse(source: SourceText) -> Profile:
    """Read a card profile.

    Returns:
        The syntax tree. Whether its names mean anything is for :func:`cardtwin.ppa.evaluate` to tell.

    Raises:
        SourceError: The text is no profile. Every line that cannot be read is told, or else every block that
            isn't whole.
    """
    diagnostics = Diagnostics()
    builder = _Builder(source, diagnostics)
    lines = tuple(builder.statement(tree) for tree in _trees(source, diagnostics))
    diagnostics.raise_errors()
    statements = assemble(source, lines, diagnostics)
    diagnostics.raise_errors()
    return Profile(source, statements)


class _Mistakes(PostLex):
    """Keeps the terminals that no rule of the grammar uses: they stand for mistakes."""

    always_accept = MISTAKES

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """Return the tokens as they are."""
        return stream


@cache
def _lark() -> Lark:
    return Lark.open_from_package(
        "cardtwin.ppa",
        "grammar.lark",
        parser="lalr",
        lexer="basic",
        start="profile",
        postlex=_Mistakes(),
        propagate_positions=True,
    )


def _trees(source: SourceText, diagnostics: Diagnostics) -> list[Tree[Token]]:
    """Return the trees of the lines that can be read, and report the others."""
    text = source.text if source.text.endswith("\n") else source.text + "\n"
    state = _lark().parse_interactive()

    for line in _lines(_lark().lex(text)):
        parser = state.copy(deepcopy_values=False)  # type: ignore[no-untyped-call]  # lark's

        try:
            for token in line:
                parser.feed_token(token)
        except UnexpectedToken as error:
            diagnostics.add(unexpected(_span(source, error.token), error.token, parser.accepts()))
        else:
            state = parser

    profile: Tree[Token] = state.feed_eof()  # type: ignore[no-untyped-call]  # lark's
    return [child for child in profile.children if isinstance(child, Tree)]


def _lines(tokens: Iterable[Token]) -> Iterator[list[Token]]:
    """Yield the tokens up to each end of a line, that end included."""
    line: list[Token] = []

    for token in tokens:
        line.append(token)

        if token.type == "_NL":
            yield line
            line = []


def _span(source: SourceText, node: _Node) -> Span:
    place = node if isinstance(node, Token) else node.meta
    line, column = place.line or 1, place.column or 1

    if isinstance(node, Token) and node.type == "_NL":
        return source.span(line, column)

    return Span(source, line, column, place.end_line or line, place.end_column or column + 1)


class _Builder:
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

    def _call(self, node: _Node) -> Call:
        assert isinstance(node, Tree)
        name, *arguments = node.children
        return Call(self._name(name), tuple(self._expression(value) for value in arguments), self._span(node))

    def _name(self, node: _Node) -> Name:
        return Name(str(node), self._span(node))

    def _expression(self, node: _Node) -> Expression:
        assert isinstance(node, Tree)
        span = self._span(node)

        if node.data == "call":
            return self._call(node)

        token = node.children[0]
        assert isinstance(token, Token)

        match node.data:
            case "name":
                return Name(str(token), span)
            case "string":
                return String(token[1:-1], span)
            case "number":
                return Number(int(token, 0) if token[:2].lower() == "0x" else int(token), span)
            case _:
                return ByteString(self._bytes(token), span)

    def _bytes(self, token: Token) -> bytes:
        """Return the bytes between the braces; what isn't hexadecimal there is an error at its own place."""
        inner = re.sub(r";[^\n]*", lambda comment: " " * len(comment.group()), token[3:-1])
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
        column = (
            (token.column or 1) + len(before) if "\n" not in before else len(before.rpartition("\n")[2]) + 1
        )
        odd = re.fullmatch(r"[0-9A-Fa-f]+", word.group())
        self._diagnostics.error(
            "bad-bytes",
            f"{word.group()!r} is {'an odd number of' if odd else 'not made of'} hexadecimal digits",
            self._source.span(line, column, len(word.group())),
            expected="two hexadecimal digits for each byte",
        )

    def _span(self, node: _Node) -> Span:
        return _span(self._source, node)


def _is(node: _Node, rule: str) -> bool:
    return isinstance(node, Tree) and node.data == rule
