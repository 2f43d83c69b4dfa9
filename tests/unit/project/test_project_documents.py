"""The documents say what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import generate_docs

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def test_no_generated_page_is_out_of_date() -> None:
    assert generate_docs.stale() == [], "tox -e docs writes them anew"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_link_to_a_file_leads_to_one(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text("utf-8")) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_index_leads_to_all_documents() -> None:
    found, waiting = set[Path](), [ROOT / "docs" / "index.md"]

    while waiting:
        page = waiting.pop()
        found.add(page)
        leads_to = {(page.parent / link).resolve() for link in LINK.findall(page.read_text("utf-8"))}
        waiting += {each for each in leads_to - found if each.suffix == ".md" and each.exists()}
        found |= leads_to

    documents = {path for path in (ROOT / "docs").rglob("*") if path.is_file()}
    assert {str(path.relative_to(ROOT)) for path in documents - found} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_command_of_the_checkout_that_a_page_names_is_there(page: Path) -> None:
    named = set(re.findall(r"(?<![\w.])\./([a-z]+)\b", page.read_text("utf-8")))
    assert {name for name in named if not (ROOT / name).exists()} == set()
