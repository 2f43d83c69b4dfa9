"""Which instances run: ``-k EXPR`` over ids, and tags."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cardtwin.scenario.instance import Instance

__all__ = ["SelectionError", "expression", "select"]

_TOKEN = re.compile(r"\s*(\(|\)|[^\s()]+)")
_WORDS = {"and", "or", "not", "(", ")"}


class SelectionError(ValueError):
    """An expression cannot be read."""


def select(
    instances: Iterable[Instance], *, expression_text: str = "", tags: Iterable[str] = ()
) -> tuple[Instance, ...]:
    """Return the instances that an expression and at least one of the tags, if any are given, let through.

    Raises:
        SelectionError: The expression cannot be read.
    """
    fits = expression(expression_text) if expression_text.strip() else lambda _text: True
    wanted = frozenset(tags)
    return tuple(
        instance
        for instance in instances
        if fits(f"{instance.path}::{instance.id}") and (not wanted or wanted & set(instance.tags))
    )


def expression(text: str) -> Callable[[str], bool]:
    """Return a test for ids: words that must be part of the id, in any case, with and, or, not, brackets.

    Raises:
        SelectionError: It cannot be read.
    """
    parser = _Parser(text)
    test = parser.alternatives()

    if parser.peek() is not None:
        raise SelectionError(f"{text!r}: {parser.peek()!r} is not expected there")

    return test


class _Parser:
    """Recursive descent: ``or`` over ``and`` over ``not`` over words and brackets."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _TOKEN.findall(text)

    def peek(self) -> str | None:
        """Return the next token, or None."""
        return self._tokens[0] if self._tokens else None

    def alternatives(self) -> Callable[[str], bool]:
        """Read ``a or b``."""
        left = self._conjunction()

        while self.peek() == "or":
            self._tokens.pop(0)
            left = _either(left, self._conjunction())

        return left

    def _conjunction(self) -> Callable[[str], bool]:
        left = self._negation()

        while self.peek() == "and":
            self._tokens.pop(0)
            left = _both(left, self._negation())

        return left

    def _negation(self) -> Callable[[str], bool]:
        if self.peek() != "not":
            return self._word()

        self._tokens.pop(0)
        test = self._negation()
        return lambda id_: not test(id_)

    def _word(self) -> Callable[[str], bool]:
        token = self._tokens.pop(0) if self._tokens else None

        if token == "(":  # noqa: S105  # a bracket, no password
            inner = self.alternatives()

            if not self._tokens or self._tokens.pop(0) != ")":
                raise SelectionError(f"{self._text!r}: a bracket is not closed")

            return inner

        if token is None or token in _WORDS:
            raise SelectionError(f"{self._text!r}: a word is missing")

        folded = token.casefold()
        return lambda id_: folded in id_.casefold()


def _either(left: Callable[[str], bool], right: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda id_: left(id_) or right(id_)


def _both(left: Callable[[str], bool], right: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda id_: left(id_) and right(id_)
