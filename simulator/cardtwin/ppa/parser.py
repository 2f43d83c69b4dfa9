"""From text to syntax tree: lark reads the lines; a mistake costs its own line only."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedToken
from lark.lark import PostLex

from cardtwin.ppa.blocks import assemble
from cardtwin.ppa.builder import Builder, span_of
from cardtwin.ppa.mistakes import MISTAKES, unexpected
from cardtwin.ppa.syntax import Profile
from cardtwin.source import Diagnostics, SourceText

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["parse"]

_VALUES: Final = {"STRING", "NUMBER", "BYTES", *MISTAKES}


def parse(source: SourceText) -> Profile:
    """Read a card profile.

    Returns:
        The syntax tree. Whether its names mean anything is for :func:`cardtwin.ppa.evaluate` to tell.

    Raises:
        SourceError: The text is no profile. Every line that cannot be read is told, or else every block that
            isn't whole. Values of SEC_ variables are masked in what it shows of the text.
    """
    diagnostics = Diagnostics()
    lines = _lines(source.text)
    shown = _masked(source, lines)
    builder = Builder(shown, diagnostics)
    statements = tuple(builder.statement(tree) for tree in _trees(shown, lines, diagnostics))
    diagnostics.raise_errors()
    blocks = assemble(shown, statements, diagnostics)
    diagnostics.raise_errors()
    return Profile(shown, blocks)


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


def _lines(text: str) -> list[list[Token]]:
    """Return the tokens of each line, its end included."""
    lines: list[list[Token]] = [[]]

    for token in _lark().lex(text if text.endswith("\n") else text + "\n"):
        lines[-1].append(token)

        if token.type == "_NL":
            lines.append([])

    return lines[:-1]


def _masked(source: SourceText, lines: Iterable[list[Token]]) -> SourceText:
    """Return the text as messages may show it: what is written beside a SEC_ variable is masked."""
    text = source.text

    for token in (token for line in lines if _names_a_secret(line) for token in line):
        if token.type in _VALUES:
            start, end = token.start_pos or 0, token.end_pos or 0
            text = text[:start] + re.sub(r"\S", "*", text[start:end]) + text[end:]

    return SourceText(source.name, text)


def _names_a_secret(line: list[Token]) -> bool:
    return any(token.type == "NAME" and token.casefold().startswith("sec_") for token in line)


def _trees(source: SourceText, lines: Iterable[list[Token]], diagnostics: Diagnostics) -> list[Tree[Token]]:
    """Return the trees of the lines that can be read, and report the others."""
    state = _lark().parse_interactive()

    for line in lines:
        parser = state.copy(deepcopy_values=False)  # type: ignore[no-untyped-call]  # lark's

        try:
            for token in line:
                parser.feed_token(token)
        except UnexpectedToken as error:
            token = error.token
            text = source.text[token.start_pos : token.end_pos]
            diagnostics.add(unexpected(span_of(source, token), token.type, text, parser.accepts()))
        else:
            state = parser

    profile: Tree[Token] = state.feed_eof()  # type: ignore[no-untyped-call]  # lark's
    return [child for child in profile.children if isinstance(child, Tree)]
