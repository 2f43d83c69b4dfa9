"""Reads values by their form: one function per form, registered."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cardtwin.encoding.values import (
    Criterion,
    DialogAnswer,
    FieldList,
    FieldRef,
    Flag,
    Label,
    Literal,
    SecretLiteral,
    Terms,
    Text,
    Value,
    ValueForm,
)
from cardtwin.plan import Secret
from cardtwin.source import closest

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.encoding.description import Field
    from cardtwin.encoding.keywords import Keyword
    from cardtwin.source import Diagnostics, Span

__all__ = ["Cell", "read_value"]

_DIALOG: Final = re.compile(r"!FROM_USER_DIALOG_(\d+)_FIELD", re.IGNORECASE)
_LABEL_FIELD: Final = re.compile(r"!\{([^}]*)\}")
_TERM: Final = re.compile(r'\s*((?:"[^"]*"|[^,"])*)\s*(?:,|$)')


@dataclass(frozen=True, slots=True)
class Cell:
    """A value to be read, and what is needed to read it."""

    keyword: Keyword
    text: str
    span: Span
    fields: dict[str, Field]
    diagnostics: Diagnostics
    strict: bool

    def wrong(self, message: str, remedy: str = "") -> None:
        """Report that the value is not of the keyword's form."""
        self.diagnostics.error(
            "bad-value", message, self.span, expected=self.keyword.form.value, remedy=remedy
        )

    def field(self, name: str, offset: int = 0) -> FieldRef | None:
        """Return the reference to a declared field; report one that is not declared."""
        span = self.span.source.span(self.span.line, self.span.column + offset, len(name))

        if (declared := self.fields.get(name.casefold())) is not None:
            return FieldRef(declared.name, span)

        self.diagnostics.error(
            "undeclared-field",
            f"{'the value' if self.keyword.secret else repr(name)} is no field of this description",
            span,
            expected=self.keyword.form.value,
            remedy=closest(name, (field.name for field in self.fields.values())) or self._declared(name),
        )
        return None

    def _declared(self, name: str) -> str:
        """Return the remedy where nothing like the field is declared; not every form takes a literal."""
        if self.keyword.form is not ValueForm.VALUE:
            return "add it to [Fields]"

        return f"add it to [Fields], or write #{'...' if self.keyword.secret else name} for the text itself"


_readers: dict[ValueForm, Callable[[Cell], Value | None]] = {}


def _reads(form: ValueForm) -> Callable[[Callable[[Cell], Value | None]], Callable[[Cell], Value | None]]:
    def register(reader: Callable[[Cell], Value | None]) -> Callable[[Cell], Value | None]:
        _readers[form] = reader
        return reader

    return register


def read_value(cell: Cell) -> Value | None:
    """Return the value, or None if it is wrong; what is wrong is in the cell's diagnostics."""
    return _readers[cell.keyword.form](cell)


@_reads(ValueForm.FLAG)
def _flag(cell: Cell) -> Value | None:
    word = cell.text.casefold()

    if word.startswith("#") and word[1:] in {"true", "false"}:
        if cell.strict:
            cell.wrong(f"{cell.keyword.name} is a flag", f"write {word[1:]}, without the #")
            return None

        cell.diagnostics.warning(
            "flag-with-hash",
            f"{cell.keyword.name} is a flag, written bare",
            cell.span,
            remedy=f"write {word[1:]}, without the #",
        )
        word = word[1:]

    if word in {"true", "false"}:
        return Flag(word == "true")

    cell.wrong(f"{cell.keyword.name} is a flag")
    return None


@_reads(ValueForm.VALUE)
def _value(cell: Cell) -> Value | None:
    if cell.text.startswith("#"):
        text = cell.text[1:]
        return SecretLiteral(Secret.of(text)) if cell.keyword.secret else Literal(text)

    if cell.text.startswith("!"):
        if (found := _DIALOG.fullmatch(cell.text)) and found[1] in {"1", "2", "3"}:
            return DialogAnswer(int(found[1]))

        cell.wrong("the value is no dialog's answer", "dialogs are 1 (log in), 2 (new), 3 (current and new)")
        return None

    word = cell.text.casefold()

    if word in {"true", "false"} and not cell.strict and not cell.keyword.secret and word not in cell.fields:
        cell.diagnostics.warning(
            "value-without-hash",
            f"{cell.keyword.name} takes a value, and {cell.text} is no field",
            cell.span,
            remedy=f"write #{cell.text}",
        )
        return Literal(cell.text)

    return _field(cell)


@_reads(ValueForm.FIELD)
def _field(cell: Cell) -> Value | None:
    if not cell.text:
        cell.wrong(f"{cell.keyword.name} has no value")
        return None

    if cell.text.startswith(("#", "!")):
        cell.wrong(f"{cell.keyword.name} takes a field, and nothing else")
        return None

    return cell.field(cell.text)


@_reads(ValueForm.FIELD_LIST)
def _field_list(cell: Cell) -> Value | None:
    found: list[FieldRef] = []
    offset = 0

    for piece in cell.text.split(","):
        name = piece.strip()

        if not name:
            cell.wrong("a name is missing in the list")
        elif reference := cell.field(name, offset + len(piece) - len(piece.lstrip())):
            found.append(reference)

        offset += len(piece) + 1

    return FieldList(tuple(found))


@_reads(ValueForm.TEXT)
def _text(cell: Cell) -> Value | None:
    if not cell.text:
        cell.wrong(f"{cell.keyword.name} has no value")
        return None

    if cell.text.startswith("#"):
        cell.wrong(f"{cell.keyword.name} takes a bare text", "leave the # out")
        return None

    return Text(cell.text)


@_reads(ValueForm.LABEL)
def _label(cell: Cell) -> Value | None:
    parts: list[str | FieldRef] = []
    at = 0

    for found in _LABEL_FIELD.finditer(cell.text):
        parts.append(cell.text[at : found.start()])

        if reference := cell.field(found[1].strip(), found.start(1)):
            parts.append(reference)

        at = found.end()

    return Label((*parts, cell.text[at:]))


@_reads(ValueForm.CRITERIA)
def _criteria(cell: Cell) -> Value | None:
    subject, *rest = _terms(cell.text)

    if not rest or len(rest) % 3:
        cell.wrong("object criteria are a class, and attribute, type and value for each attribute")
        return None

    triples = zip(rest[::3], rest[1::3], rest[2::3], strict=True)
    return Terms(subject, tuple(Criterion(name, kind, value.strip('"')) for name, kind, value in triples))


@_reads(ValueForm.ATTRIBUTES)
def _attributes(cell: Cell) -> Value | None:
    criteria: list[Criterion] = []

    for term in _terms(cell.text):
        name, equals, value = term.partition("=")

        if not equals or not name.strip():
            cell.wrong(f"{term!r} is no attribute")
            return None

        criteria.append(Criterion(name.strip(), "", value.strip().strip('"')))

    return Terms("", tuple(criteria))


def _terms(text: str) -> list[str]:
    """Split at commas that stand outside double quotes."""
    ends = [found[1].strip() for found in _TERM.finditer(text) if found.end() > found.start()]
    return ends or [""]
