"""system.properties, and the same as JSON in the environment of a container (SYSTEM_PROPERTIES)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardtwin.source import Diagnostic, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardtwin.source import SourceText, Span

__all__ = ["Properties", "Property", "parse_properties", "parse_system_properties_json"]


@dataclass(frozen=True, slots=True)
class Property:
    """A property, and where its value begins."""

    key: str
    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class Properties:
    """Properties; where a key is there twice, the later one counts, as in java.util.Properties."""

    source: SourceText
    items: tuple[Property, ...]

    def get(self, key: str) -> Property | None:
        """Return the property of that key, or None."""
        return next((item for item in reversed(self.items) if item.key == key), None)


def parse_properties(source: SourceText) -> Properties:
    """Read the format of java.util.Properties.

    That is ``key=value``, ``key:value`` or ``key value``, comments after ``#`` and ``!``, and a backslash at
    a line's end where it goes on. Other escapes stay as they are written.
    """
    return Properties(source, tuple(_items(source)))


def _items(source: SourceText) -> Iterable[Property]:
    lines = iter(enumerate(source.text.split("\n"), start=1))

    for number, line in lines:
        stripped = line.strip()

        if not stripped or stripped[0] in "#!":
            continue

        logical = stripped

        while logical.endswith("\\"):
            _, more = next(lines, (0, ""))
            logical = logical[:-1] + more.strip()

        cut = next((at for at, sign in enumerate(logical) if sign in "=: \t"), len(logical))
        value = logical[cut:].lstrip(" \t").removeprefix("=").removeprefix(":").strip()
        start = line.index(stripped)
        column = max(start, line.find(value, start + cut)) + 1
        yield Property(logical[:cut], value, source.span(number, column, len(value)))


def parse_system_properties_json(source: SourceText) -> Properties:
    """Read a JSON object of texts.

    Raises:
        SourceError: It is no such object.
    """
    try:
        found = json.loads(source.text)
    except json.JSONDecodeError as error:
        place = source.span(error.lineno, error.colno)
        raise SourceError([Diagnostic("bad-json", f"this is no JSON: {error.msg}", place)]) from None

    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise SourceError([Diagnostic("bad-json", "expected an object whose values are texts", source.start)])

    return Properties(source, tuple(Property(key, value, source.start) for key, value in found.items()))
