"""Pages of docs/ in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["page", "table"]

_NOTE: Final = (
    "<!-- Written by tools/generate_docs.py from the code's own tables; `tox -e docs` writes it anew. -->"
)


def page(title: str, parts: Sequence[str]) -> str:
    """Return a page of a title and its parts."""
    return "\n\n".join((f"# {title}", _NOTE, *(part.strip("\n") for part in parts))) + "\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
