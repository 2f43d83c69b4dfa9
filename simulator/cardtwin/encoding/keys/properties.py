"""system.properties, and the same as JSON in the environment of a container (SYSTEM_PROPERTIES)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cardtwin.source import Diagnostic, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardtwin.source import SourceText, Span

__all__ = ["Properties", "Property", "parse_properties", "parse_system_properties_json"]

_KEY: Final = re.compile(r"((?:\\.|[^\\=: \t\f])*)[ \t\f]*[=:]?[ \t\f]*")
_XML: Final = ("<?xml", "<engineSignEncrypt")
_EXAMPLE: Final = "pinBlobDecryptor.keyDescriptorNames"
_ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")
_CONTROLS: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


@dataclass(frozen=True, slots=True)
class Property:
    """A property, and where its value begins. Others than ours hold passwords: none is shown."""

    key: str
    value: str = field(repr=False)
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

    That is ``key=value``, ``key:value`` or ``key value``, comments after ``#`` and ``!``, a backslash at a
    line's end where it goes on, and escapes: a Windows path is written with doubled backslashes.

    Raises:
        SourceError: It is XML: what belongs into engineSignEncrypt.xml.
    """
    if source.text.lstrip().startswith(_XML):
        raise SourceError(
            [
                Diagnostic(
                    "xml-as-properties",
                    "this is XML, and no list of properties",
                    source.start,
                    expected=f"{_EXAMPLE}=NAME, NAME",
                    remedy="descriptors stand in engineSignEncrypt.xml, and their names in system.properties",
                )
            ]
        )

    return Properties(source, tuple(_items(source)))


def _items(source: SourceText) -> Iterable[Property]:
    lines = iter(enumerate(source.lines, start=1))

    for number, line in lines:
        stripped = line.strip()

        if not stripped or stripped[0] in "#!":
            continue

        logical = stripped

        while _goes_on(logical):
            _, more = next(lines, (0, ""))
            logical = logical[:-1] + more.strip()

        found = _KEY.match(logical)
        assert found is not None, "any text begins with a key, be it an empty one"
        start = line.index(stripped) + 1
        column = start + found.end() if found.end() < len(stripped) else start
        value = _unescaped(logical[found.end() :])
        yield Property(
            _unescaped(found[1]), value, source.span(number, column, len(stripped) - column + start)
        )


def _goes_on(line: str) -> bool:
    """Tell whether a line ends with a backslash that isn't escaped itself."""
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: _sign(found[1]), text)


def _sign(escape: str) -> str:
    return chr(int(escape[1:], 16)) if len(escape) > 1 else _CONTROLS.get(escape, escape)


def parse_system_properties_json(source: SourceText) -> Properties:
    """Read a JSON object of texts.

    Raises:
        SourceError: It is no such object.
    """
    try:
        found = json.loads(source.text)
    except json.JSONDecodeError as error:
        place = source.span(error.lineno, error.colno)
        raise _bad_json(f"this is no JSON: {error.msg}", place) from None
    except (ValueError, RecursionError):  # a number of thousands of digits; brackets without end
        raise _bad_json("this is no JSON object of texts", source.start) from None

    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise _bad_json("this is no JSON object of texts", source.start)

    return Properties(
        source, tuple(Property(key, value, _place(key, source)) for key, value in found.items())
    )


def _bad_json(message: str, where: Span) -> SourceError:
    return SourceError([Diagnostic("bad-json", message, where, expected='{"NAME": "TEXT", ...}')])


def _place(key: str, source: SourceText) -> Span:
    """Return where a key stands, for messages; the start where it is written with escapes."""
    quoted = f'"{key}"'
    places = ((number, line.find(quoted)) for number, line in enumerate(source.lines, start=1))
    line, at = next((place for place in places if place[1] >= 0), (1, 0))
    return source.span(line, at + 1, len(source.line(line)) - at)
