"""Writes the pages of docs/ that are drawn from the code's own tables; a test fails when one is out of date.

Usage: ``python tools/generate_docs.py``.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cardtwin.provenance import Basis, Rule, all_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

DOCS: Final = Path(__file__).resolve().parent.parent / "docs"

_HEAD: Final = """\
# {title}

<!-- Written by tools/generate_docs.py from the code's own tables: `tox -e docs` writes it anew. -->

{text}
"""

_PREFACE: Final = """\
cardtwin is built from public sources only, and these leave much open. Every decision that fills a gap is one
row of a table in the code. Where another choice is possible, the code reads the row's switch, whose default
is bold. Sources such as `PPA-11` are ids of [requirements.yaml](requirements.yaml).

"""

_AREAS: Final = {
    "card": "The card",
    "profile": "The card profile language",
    "middleware": "The middleware",
    "encoding": "Encoding descriptions",
    "blob": "The encrypted PINs",
}

_BASES: Final = {
    Basis.RECORDED: "seen in exchanges with a real card",
    Basis.CLIENT: "what published client programs send to real cards, or expect of them",
    Basis.STATED: "written in a standard or in the vendor's public documentation",
    Basis.INFERRED: "follows from what is public, and is not written there",
    Basis.OURS: "the public sources say nothing: a decision of this project",
}


def deviations() -> str:
    """Return the page of what is stated, inferred and ours."""
    page = [
        _HEAD.format(title="Stated, inferred, ours", text=_PREFACE + _table(("Basis", "Meaning"), _bases()))
    ]

    for area, rules in groupby(all_rules(), key=lambda entry: entry.id.partition(".")[0]):
        columns = ("Rule", "Basis", "What holds", "Source", "Switch")
        page.append(f"## {_AREAS[area]}\n\n{_table(columns, map(_rule_row, rules))}")

    return "\n".join(page)


def _bases() -> list[tuple[str, str]]:
    return [(basis.value, _BASES[basis]) for basis in Basis]


def _rule_row(entry: Rule) -> tuple[str, ...]:
    switch = ", ".join(f"**{choice}**" if choice == entry.default else choice for choice in entry.choices)
    return (f"`{entry.id}`", entry.basis.value, entry.text, entry.source, switch)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "deviations.md": deviations,
}


def stale() -> list[str]:
    """Return the names of the pages that are not what the code says."""
    return [name for name, page in PAGES.items() if _written(DOCS / name) != page()]


def _written(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def main() -> None:
    """Write what is out of date."""
    for name in stale():
        (DOCS / name).write_text(PAGES[name](), encoding="utf-8")
        print(f"docs/{name}: written")


if __name__ == "__main__":
    main()
