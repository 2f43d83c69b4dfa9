"""A small XML reader that keeps positions, hides PINs, and knows no entities.

The standard library's expat is used directly: its tree builders drop positions, and a document type,
which is where entities come from, is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from cardtwin.source import Diagnostic, SourceError, SourceText

if TYPE_CHECKING:
    from cardtwin.source import Span

__all__ = ["Element", "masked", "parse_xml"]

_PIN: Final = re.compile(r"""(\b(?:pin|password)\s*=\s*)("[^"]*"?|'[^']*'?)""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Element:
    """An element; its attributes may hold a PIN and are not shown."""

    name: str
    span: Span
    attributes: dict[str, str] = field(repr=False)
    children: list[Element] = field(default_factory=list)

    def get(self, attribute: str) -> str:
        """Return an attribute's value, or an empty text."""
        return self.attributes.get(attribute, "")

    def all(self, name: str) -> tuple[Element, ...]:
        """Return the children of that name."""
        return tuple(child for child in self.children if child.name == name)


def masked(source: SourceText) -> SourceText:
    """Return the text with stars in place of PINs; lines and columns stay."""
    return SourceText(
        source.name, _PIN.sub(lambda found: found[1] + re.sub(r"[^\n]", "*", found[2]), source.text)
    )


def parse_xml(source: SourceText) -> Element:
    """Read a document and return its root. Spans are over the masked text.

    Raises:
        SourceError: It isn't well-formed, or has a document type.
    """
    shown = masked(source)
    parser = expat.ParserCreate("utf-8")
    document = Element("", shown.start, {})
    open_: list[Element] = [document]

    def here(length: int = 1) -> Span:
        return shown.span(parser.CurrentLineNumber, parser.CurrentColumnNumber + 1, length)

    def start(name: str, attributes: dict[str, str]) -> None:
        element = Element(name, here(len(name) + 1), attributes)
        open_[-1].children.append(element)
        open_.append(element)

    def end(name: str) -> None:
        assert open_[-1].name == name
        open_.pop()

    def document_type(*_: object) -> None:
        raise SourceError(
            [
                Diagnostic(
                    "document-type",
                    "a document type is not allowed here",
                    here(),
                    remedy="remove <!DOCTYPE ...>",
                )
            ]
        )

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = document_type

    try:
        parser.Parse(source.text.encode(), True)  # noqa: FBT003  # expat's own positional argument
    except expat.ExpatError as error:
        place = shown.span(error.lineno, error.offset + 1)
        message = f"this is no well-formed XML: {expat.ErrorString(error.code)}"
        remedy = "close every element and quote every attribute"
        raise SourceError([Diagnostic("bad-xml", message, place, remedy=remedy)]) from None

    return document.children[0]
