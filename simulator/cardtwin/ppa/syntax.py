"""The syntax tree of a card profile. Every node knows its place, which doesn't count in comparisons."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cardtwin.source import SourceText, Span

__all__ = [
    "Assignment",
    "Attribute",
    "Block",
    "ByteString",
    "Call",
    "CallStatement",
    "Directive",
    "Expression",
    "Name",
    "Number",
    "Profile",
    "Statement",
    "String",
]


@dataclass(frozen=True, slots=True)
class Name:
    """A name, as the profile writes it. `key` is the form in which names are compared."""

    text: str
    span: Span = field(compare=False, repr=False)

    @property
    def key(self) -> str:
        """The name without regard to case."""
        return self.text.casefold()


@dataclass(frozen=True, slots=True)
class String:
    """A text in single quotes. It is not shown, as it may be a PIN."""

    text: str = field(repr=False)
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Number:
    """A number, written in decimal or with 0x in hexadecimal digits."""

    value: int = field(repr=False)
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ByteString:
    """Bytes, written ``0x{3F 00}``."""

    value: bytes = field(repr=False)
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    name: Name
    arguments: tuple[Expression, ...]
    span: Span = field(compare=False, repr=False)


Expression = Name | String | Number | ByteString | Call


@dataclass(frozen=True, slots=True)
class Attribute:
    """``name=value`` or ``name=value,value`` in a directive."""

    name: Name
    values: tuple[Expression, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Assignment:
    """``name = value``."""

    name: Name
    value: Expression
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CallStatement:
    """A function called for what it does."""

    call: Call

    @property
    def span(self) -> Span:
        """The place of the call."""
        return self.call.span


@dataclass(frozen=True, slots=True)
class Directive:
    """A keyword with operands and attributes, such as ``CreateEf EFODF id=0x5031``."""

    keyword: Name
    operands: tuple[Expression, ...]
    attributes: tuple[Attribute, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Block:
    """A directive, the statements that belong to it, and the keyword that ends it."""

    opening: Directive
    body: tuple[Statement, ...]
    closing: Directive

    @property
    def span(self) -> Span:
        """From the opening to the end of the closing."""
        return self.opening.span.to(self.closing.span)


Statement = Assignment | CallStatement | Directive | Block


@dataclass(frozen=True, slots=True)
class Profile:
    """A card profile: statements in the order of the text."""

    source: SourceText = field(compare=False, repr=False)
    statements: tuple[Statement, ...]
