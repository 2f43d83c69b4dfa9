"""Hides the secrets that a description holds as literals, before anything can quote its lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.encoding.keywords import holds_secret
from cardtwin.source import Diagnostics, SourceText, parse_ini

if TYPE_CHECKING:
    from cardtwin.source import IniItem

__all__ = ["MaskedText"]


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
        line = self._lines[number]
        key, equals, value = line.partition("=")

        if line.strip()[:1] in {"", "#"}:
            return

        if not equals or not key.strip() or key.strip().startswith("["):
            self._hide(number, line.find("#") + 1 or len(line), line.rstrip())
        elif holds_secret(key.strip()) and _may_be_literal(value.strip(), fields):
            start = len(line) - len(value.lstrip())
            self._values[number + 1, start + 1] = value.strip()
            self._hide(number, start + value.strip().startswith("#"), line.rstrip())

    def _hide(self, number: int, start: int, line: str) -> None:
        """Put stars from that column on, up to the end of the line."""
        self._lines[number] = line[:start] + "*" * len(line[start:])


def _may_be_literal(value: str, fields: set[str]) -> bool:
    is_dialog = value.upper().startswith("!FROM_USER_DIALOG_")
    return bool(value) and not is_dialog and value.casefold() not in fields
