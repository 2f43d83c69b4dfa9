"""Blocks out of lines: what is opened must be ended, in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cardtwin.ppa.builder import DEEPEST
from cardtwin.ppa.syntax import Block, Directive, Statement
from cardtwin.source import Note

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardtwin.source import Diagnostics, SourceText, Span

__all__ = ["BLOCKS", "assemble"]

BLOCKS: Final = {"MasterFile": "Endfile", "CreateDf": "EndDF", "File": "Endfile"}
"""Keywords that open a block, each with the one that ends it."""

_END_OF: Final = {opening.casefold(): end for opening, end in BLOCKS.items()}
_ENDS: Final = {end.casefold(): end for end in BLOCKS.values()}


@dataclass(slots=True)
class _Open:
    """A block that has begun."""

    opening: Directive
    body: list[Statement] = field(default_factory=list)

    @property
    def end(self) -> str:
        return _END_OF[self.opening.keyword.key]


def assemble(
    source: SourceText, lines: Iterable[Statement], diagnostics: Diagnostics
) -> tuple[Statement, ...]:
    """Put the lines of each block together.

    Args:
        source: The text, for an error at its end.
        lines: Statements without blocks.
        diagnostics: Where findings go.
    """
    top: list[Statement] = []
    stack: list[_Open] = []

    for line in lines:
        keyword = line.keyword.key if isinstance(line, Directive) else ""

        if isinstance(line, Directive) and keyword in _END_OF:
            _begin(line, stack, diagnostics)
        elif isinstance(line, Directive) and keyword in _ENDS:
            _end(line, stack, top, diagnostics)
        else:
            (stack[-1].body if stack else top).append(line)

    end = _last(source)

    for block in reversed(stack):
        _missing_end(block, end, "the profile ends", diagnostics)

    return tuple(top)


def _begin(line: Directive, stack: list[_Open], diagnostics: Diagnostics) -> None:
    # A File or MasterFile never stands in another block: the end of that one was forgotten.
    while stack and line.keyword.key in {"file", "masterfile"}:
        _missing_end(stack.pop(), line.keyword.span, f"{line.keyword.text} begins", diagnostics)

    if len(stack) == DEEPEST:
        diagnostics.error(
            "too-deep",
            "directories are nested too deeply",
            line.span,
            remedy="no card takes so many levels: put the directory further up",
        )

    stack.append(_Open(line))


def _end(line: Directive, stack: list[_Open], top: list[Statement], diagnostics: Diagnostics) -> None:
    key = line.keyword.key

    if line.operands or line.attributes:
        diagnostics.error(
            "unexpected", f"{line.keyword.text} takes nothing", line.span, expected="the end of the line"
        )

    if not any(block.end.casefold() == key for block in stack):
        openings = " or ".join(opening for opening, end in BLOCKS.items() if end.casefold() == key)
        diagnostics.error(
            "unexpected-end",
            f"{line.keyword.text} ends nothing",
            line.keyword.span,
            expected=f"{openings} before it",
        )
        return

    while stack[-1].end.casefold() != key:
        _missing_end(stack.pop(), line.keyword.span, f"{line.keyword.text} stands", diagnostics)

    block = stack.pop()
    (stack[-1].body if stack else top).append(Block(block.opening, tuple(block.body), line))


def _missing_end(block: _Open, span: Span, where: str, diagnostics: Diagnostics) -> None:
    opening = block.opening
    diagnostics.error(
        "missing-end",
        f"{where} before {opening.keyword.text} has ended",
        span,
        expected=block.end,
        remedy=f"put {block.end} where its last line is",
        notes=(Note(f"{opening.keyword.text} begins here", opening.span),),
    )


def _last(source: SourceText) -> Span:
    lines = source.text.rstrip().split("\n")
    return source.span(len(lines), len(lines[-1]) or 1)
