"""What stands behind the name of a statement or function; a reader reads each piece."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from cardtwin.ppa.readers import Reader
    from cardtwin.ppa.run import Run
    from cardtwin.ppa.syntax import Attribute, Call, Directive, Expression, Statement
    from cardtwin.source import Span

__all__ = ["Arguments", "Line"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Line:
    """A directive that is carried out.

    Attributes:
        run: The evaluation.
        directive: The directive; its operands have been counted, its attributes are known ones, none twice.
        body: The statements of the block that it opens.
    """

    run: Run
    directive: Directive
    body: tuple[Statement, ...] = ()

    @property
    def span(self) -> Span:
        """The place of the directive."""
        return self.directive.span

    def operand(self, index: int, read: Reader[_T]) -> _T:
        """Return an operand.

        Raises:
            RejectedError: It isn't what the reader reads.
        """
        return read(self.run, self.directive.operands[index])

    def attribute(self, name: str) -> Attribute | None:
        """Return an attribute, or None."""
        key = name.casefold()
        return next((each for each in self.directive.attributes if each.name.key == key), None)

    def span_of(self, name: str) -> Span:
        """Return the place of an attribute's value, or of the directive where it isn't there."""
        found = self.attribute(name)
        return found.values[0].span if found else self.span

    def required(self, name: str, read: Reader[_T]) -> _T:
        """Return the value of an attribute that has to be there.

        Raises:
            RejectedError: It isn't there, has several values, or isn't what the reader reads.
        """
        if (found := self.attribute(name)) is None:
            keyword = self.directive.keyword
            self.run.reject(
                "missing-attribute",
                f"{keyword.text} has no {name}",
                keyword.span,
                expected=f"{name}=...",
            )

        return read(self.run, self._single(found))

    def optional(self, name: str, read: Reader[_T], default: _T) -> _T:
        """Return the value of an attribute, or the default.

        Raises:
            RejectedError: It has several values, or isn't what the reader reads.
        """
        found = self.attribute(name)
        return default if found is None else read(self.run, self._single(found))

    def several(self, name: str, read: Reader[_T], default: tuple[_T, ...] = ()) -> tuple[_T, ...]:
        """Return the values of an attribute that takes a list.

        Raises:
            RejectedError: One of them isn't what the reader reads.
        """
        found = self.attribute(name)
        return default if found is None else tuple(read(self.run, value) for value in found.values)

    def _single(self, attribute: Attribute) -> Expression:
        if len(attribute.values) > 1:
            self.run.reject(
                "wrong-value",
                f"{attribute.name.text} takes one value",
                attribute.values[1].span,
                remedy="leave the others out",
            )

        return attribute.values[0]


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of a call; they have been counted.

    Attributes:
        run: The evaluation.
        call: The call.
    """

    run: Run
    call: Call

    @property
    def span(self) -> Span:
        """The place of the call."""
        return self.call.span

    def required(self, index: int, read: Reader[_T]) -> _T:
        """Return an argument.

        Raises:
            RejectedError: It isn't what the reader reads.
        """
        return read(self.run, self.call.arguments[index])

    def optional(self, index: int, read: Reader[_T], default: _T) -> _T:
        """Return an argument, or the default.

        Raises:
            RejectedError: It isn't what the reader reads.
        """
        return self.required(index, read) if index < len(self.call.arguments) else default
