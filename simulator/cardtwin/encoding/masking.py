"""Hides the secrets that a description holds as literals, before anything can quote its lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cardtwin.encoding.keywords import holds_secret
from cardtwin.source import Diagnostics, SourceText, parse_ini

if TYPE_CHECKING:
    from cardtwin.source import IniItem

__all__ = ["MaskedText"]

_NO_ASSIGNMENT: Final = re.compile(r"^\s*[^\s#\[][^=#]*#(.*)$")


class MaskedText:
    """A description's text in which secrets are stars of the same length, and the secrets beside it.

    Columns stay what they are, so that spans over the masked text are right in the file too.
    """

    def __init__(self, source: SourceText) -> None:
        self._lines = source.text.split("\n")
        self._values: dict[tuple[int, int], str] = {}
        ini = parse_ini(source, Diagnostics(), comments="#")
        fields = {item.key.casefold() for section in ini.find("Fields") for item in section.items}

        for section in ini.sections:
            for item in section.items:
                if holds_secret(item.key) and _may_be_literal(item.value, fields):
                    self._hide(item)

        for number, line in enumerate(self._lines):
            if found := _NO_ASSIGNMENT.match(line):
                self._lines[number] = line[: found.start(1)] + "*" * len(found[1])

        self.source = SourceText(source.name, "\n".join(self._lines))

    def value(self, item: IniItem) -> str:
        """Return the true value of an item that was read from the masked text."""
        return self._values.get((item.value_span.line, item.value_span.column), item.value)

    def _hide(self, item: IniItem) -> None:
        span = item.value_span
        sign, body = ("#", item.value[1:]) if item.value.startswith("#") else ("", item.value)
        line = self._lines[span.line - 1]
        end = span.column - 1 + len(item.value)
        self._lines[span.line - 1] = line[: span.column - 1] + sign + "*" * len(body) + line[end:]
        self._values[span.line, span.column] = item.value


def _may_be_literal(value: str, fields: set[str]) -> bool:
    is_dialog = value.upper().startswith("!FROM_USER_DIALOG_")
    return bool(value) and not is_dialog and value.casefold() not in fields
