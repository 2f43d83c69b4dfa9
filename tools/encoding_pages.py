"""Pages about encoding descriptions, from the tables of the code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.encoding import RULES
from cardtwin.encoding.keywords import SectionKind, keywords
from pages import page, table

if TYPE_CHECKING:
    from cardtwin.encoding import CheckRule
    from cardtwin.encoding.keywords import Keyword

__all__ = ["encoding_keywords", "encoding_rules"]

_ENCODING_KEYWORDS: Final = """
The keywords of [encoding descriptions](encoding-descriptions.md) by section, compared without regard to case.
"""

_ENCODING_RULES: Final = """
The rules that [encoding descriptions](encoding-descriptions.md#checks) are checked by: which of them the
public documentation states, which follow from it, and which are cardtwin's own. `cardtwin dsc check` says it
of each finding.
"""


def encoding_keywords() -> str:
    """Return the page of the keywords of encoding descriptions."""
    parts = [_ENCODING_KEYWORDS]

    for kind in SectionKind:
        if rows := [_keyword(entry) for entry in keywords(kind)]:
            columns = ("Keyword", "Takes", "Since", "Basis", "Public page")
            parts += [f"## {kind.value}", table(columns, rows)]

    return page("Keywords of encoding descriptions", parts)


def _keyword(entry: Keyword) -> tuple[str, ...]:
    names = ", ".join(f"`{name}`" for name in (entry.name, *entry.aliases))
    return (names, entry.form.value, entry.since, entry.basis.value, entry.source)


def encoding_rules() -> str:
    """Return the page of the rules that descriptions are checked by."""
    columns = ("Rule", "Basis", "Public page", "Read leniently")
    rows = [_rule(RULES[code]) for code in sorted(RULES)]
    return page("Rules of encoding descriptions", [_ENCODING_RULES, table(columns, rows)])


def _rule(entry: CheckRule) -> tuple[str, ...]:
    return (f"`{entry.code}`", entry.basis.value, entry.source, entry.lenient or "the same")
