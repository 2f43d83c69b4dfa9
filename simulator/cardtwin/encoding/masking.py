"""Hides the secrets that a description holds as literals, before anything can quote its lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cardtwin.encoding.keywords import Secrecy, is_suspect, secrecy
from cardtwin.source import Diagnostics, SourceText, parse_ini

if TYPE_CHECKING:
    from cardtwin.source import IniItem

__all__ = ["LEFT_OUT", "MaskedText"]

LEFT_OUT: Final = frozenset({"...", "(...)", "\u2026", "(\u2026)"})
"""What stands in examples for a line or a value that is left out."""

_FIRST_WORD: Final = re.compile(r"\W*\w+\W?")
_HARMLESS: Final = LEFT_OUT | {"true", "false", "#true", "#false"}


class MaskedText:
    """A description's text in which secrets are stars of the same length, and the secrets beside it.

    Columns stay what they are, so that spans over the masked text are right in the file too.
    """

    def __init__(self, source: SourceText) -> None:
        self._lines = source.text.split("\n")
        self._values: dict[tuple[int, int], str] = {}
        ini = parse_ini(source, Diagnostics(), comments="#")
        fields = {item.key.casefold() for section in ini.find("Fields") for item in section.items}

        for number in range(len(self._lines)):
            self._mask(number, fields)

        self.source = SourceText(source.name, "\n".join(self._lines))

    def value(self, item: IniItem) -> str:
        """Return the true value of an item that was read from the masked text."""
        return self._values.get((item.value_span.line, item.value_span.column), item.value)

    def _mask(self, number: int, fields: set[str]) -> None:
        line = self._lines[number].rstrip()
        key, equals, value = (part.strip() for part in line.partition("="))

        if not line or line.lstrip().startswith("#"):
            return

        if not equals or not key or key.startswith("["):
            self._hide(number, _end_of_safe_part(line), line)
        elif _may_be_secret(key, value, fields):
            start = len(line) - len(value)
            self._values[number + 1, start + 1] = value
            self._hide(number, start + value.startswith("#"), line)

    def _hide(self, number: int, start: int, line: str) -> None:
        """Put stars from that column on, up to the end of the line."""
        self._lines[number] = line[:start] + "*" * len(line[start:])


def _end_of_safe_part(line: str) -> int:
    """Return how much of a line that is no assignment can be shown."""
    if (hash_ := line.find("#") + 1) or line.endswith("]"):
        return hash_ or len(line)

    first = _FIRST_WORD.match(line)
    rest = line[first.end() :].strip() if first else ""
    return first.end() if first and (is_suspect(line) or rest.isdigit()) else len(line)


def _may_be_secret(key: str, value: str, fields: set[str]) -> bool:
    folded = value.casefold()

    if not value or folded in fields or folded in _HARMLESS or folded.startswith("!from_user_dialog_"):
        return False

    match secrecy(key):
        case Secrecy.ALL:
            return True
        case Secrecy.LITERALS:
            return value.startswith("#") or value.isdigit()
        case Secrecy.NONE:
            return False
