"""A reader of INI-like files that keeps positions, repeated keys and comments apart.

configparser drops positions and iniconfig refuses repeated keys, which the vendor's files have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cardtwin.source.diagnostics import Diagnostics
    from cardtwin.source.text import SourceText, Span

__all__ = ["IniFile", "IniItem", "IniSection", "parse_ini"]

_MOST_ERRORS: Final = 100
_QUOTED: Final = 40


@dataclass(frozen=True, slots=True)
class IniItem:
    """One line ``key=value``; both without surrounding blanks, each with its place."""

    key: str
    value: str
    key_span: Span
    value_span: Span


@dataclass(frozen=True, slots=True)
class IniSection:
    """A section and its items, in the order of the text."""

    name: str
    span: Span
    items: tuple[IniItem, ...]

    def find(self, key: str) -> tuple[IniItem, ...]:
        """Return all items of that key, compared without regard to case."""
        folded = key.casefold()
        return tuple(item for item in self.items if item.key.casefold() == folded)


@dataclass(frozen=True, slots=True)
class IniFile:
    """The sections, in the order of the text. A name may occur twice; nothing is merged here."""

    source: SourceText
    sections: tuple[IniSection, ...]

    def find(self, name: str) -> tuple[IniSection, ...]:
        """Return all sections of that name, compared without regard to case."""
        folded = name.casefold()
        return tuple(section for section in self.sections if section.name.casefold() == folded)


def parse_ini(source: SourceText, diagnostics: Diagnostics, *, comments: str = "#;") -> IniFile:
    """Read an INI file. Broken lines become errors in `diagnostics`, and reading goes on.

    After a hundred of them it ends, with an error that says so: the file is something else.

    Args:
        source: The text.
        diagnostics: Where findings go.
        comments: The characters that make a line a comment if it begins with one of them.
    """
    sections: list[IniSection] = []
    name, span = "", source.start
    items: list[IniItem] = []

    def close() -> None:
        if name or items:
            sections.append(IniSection(name, span, tuple(items)))

    before = len(diagnostics)

    for number, line in enumerate(source.lines, start=1):
        if len(diagnostics) - before >= _MOST_ERRORS:
            _give_up(source.span(number, 1), diagnostics)
            break

        stripped = line.strip()

        if not stripped or stripped[0] in comments:
            continue

        here = source.span(number, line.index(stripped) + 1, len(stripped))

        if stripped.startswith("["):
            close()
            name, span, items = _section_name(stripped, here, diagnostics), here, []
        elif (item := _item(source, number, line, here, diagnostics)) is not None:
            if not sections and not name:
                diagnostics.error(
                    "outside-section",
                    f"{_quoted(item.key)} stands before the first section",
                    item.key_span,
                    expected="a section such as [Description]",
                )
            else:
                items.append(item)

    close()
    return IniFile(source, tuple(sections))


def _give_up(where: Span, diagnostics: Diagnostics) -> None:
    diagnostics.error(
        "too-many-errors",
        f"reading ends here, after {_MOST_ERRORS} broken lines",
        where,
        expected="a text file of [sections] and lines with key=value",
    )


def _section_name(stripped: str, span: Span, diagnostics: Diagnostics) -> str:
    if not stripped.endswith("]") or not stripped[1:-1].strip():
        diagnostics.error("bad-section", f"{_quoted(stripped)} is not a section", span, expected="[name]")

    return stripped.strip("[]").strip()


def _item(source: SourceText, number: int, line: str, here: Span, diagnostics: Diagnostics) -> IniItem | None:
    key, equals, value = line.partition("=")

    if not equals or not key.strip():
        diagnostics.error("bad-line", f"{_quoted(line.strip())} is no assignment", here, expected="key=value")
        return None

    key_column = len(key) - len(key.lstrip()) + 1
    value_column = len(key) + 1 + len(value) - len(value.lstrip()) + 1
    return IniItem(
        key.strip(),
        value.strip(),
        source.span(number, key_column, len(key.strip())),
        source.span(number, value_column, len(value.strip())),
    )


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _QUOTED else f"{text[:_QUOTED]}...")
