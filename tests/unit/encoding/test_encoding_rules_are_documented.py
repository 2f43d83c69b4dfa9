"""Every rule that a finding can have is in the table of rules, and in the documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from cardtwin.cli import main
from cardtwin.encoding import RULES
from cardtwin.provenance import Basis

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "encoding-descriptions.md").read_text("utf-8")
PACKAGE = ROOT / "simulator" / "cardtwin"
CHECKS = sorted((PACKAGE / "encoding" / "checks").glob("*.py"))
SOURCES = [*CHECKS, *sorted((PACKAGE / "encoding").glob("*.py")), PACKAGE / "source" / "ini.py"]
CODE = re.compile(
    r'(?:diagnostics\.(?:error|warning)|\breport|\b_report|self\._unknown|\bDiagnostic)\(\s*(?:\w+,\s*)*"([a-z0-9-]+)"'
)
BUILT = frozenset({"missing-initial-puk", "missing-sign-puk"})
"""Codes that are put together."""


def codes_of(source: Path) -> set[str]:
    return set(CODE.findall(source.read_text("utf-8")))


@pytest.mark.parametrize("source", CHECKS, ids=lambda source: source.stem)
def test_every_rule_of_the_checks_stands_in_the_documentation(source: Path) -> None:
    assert {code for code in codes_of(source) if f"`{code}`" not in PAGE} == set()


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: f"{source.parent.name} {source.stem}")
def test_every_rule_is_in_the_table(source: Path) -> None:
    assert codes_of(source) - set(RULES) == set()


def test_the_table_has_no_rule_that_nothing_reports() -> None:
    assert set(RULES) - set().union(*map(codes_of, SOURCES)) - BUILT == set()


def test_what_is_ours_has_no_public_page_and_all_else_has_one() -> None:
    assert all(bool(rule.source) == (rule.basis is not Basis.OURS) for rule in RULES.values())


@pytest.mark.parametrize(
    ("settings", "basis"),
    [
        ("ICCSN=F\nInitToken=true\nInitialPUK=F", "the documentation says so: Encodings using Personal"),
        ("UseSelectCriteriaIccsn=true\nICCSN=F", "follows from the documentation: Reader, card selection"),
        ("ICCSN=F\nNothing=1", "cardtwin's own rule"),
    ],
)
def test_the_command_says_whose_rule_it_is(settings: str, basis: str, tmp_path: Path) -> None:
    file = tmp_path / "t.dsc"
    library = "PKCS11LibraryWindows32=C:/Program Files (x86)/Personal/bin/personal.dll"
    file.write_text(
        f"[Encoding]\nType=1024,Chip\nDevices=8711\n[Fields]\nF=\n[Description]\n{library}\n{settings}\n"
    )
    output = CliRunner().invoke(main, ["dsc", "check", str(file)]).output
    assert f"  basis: {basis}" in output
    assert output.count("basis:") == 1
