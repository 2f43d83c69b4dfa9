from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cardtwin import ppa
from cardtwin.ppa import vocabulary
from cardtwin.ppa.vocabulary import FUNCTIONS, STATEMENTS, load_vocabulary
from cardtwin.source import SourceError
from support.mistakes import MISTAKES
from support.profiles import evaluate, profile

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = Path(__file__).parents[3] / "docs" / "profile-language.md"


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Install a distribution with an entry point, for this test alone."""
    for table in (STATEMENTS, FUNCTIONS):
        monkeypatch.setattr(table, "_entries", dict(table._entries))

    monkeypatch.setattr(vocabulary, "_loaded", set(vocabulary._loaded))

    def install(code: str) -> None:
        (tmp_path / "acme_profiles.py").write_text(code, "utf-8")
        info = tmp_path / "acme_profiles-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-profiles\nVersion: 1.0\n", "utf-8")
        (info / "entry_points.txt").write_text("[cardtwin.ppa]\nacme = acme_profiles\n", "utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "acme_profiles", raising=False)

    return install


ADDED = """
from cardtwin import ppa
from cardtwin.ppa import readers


@ppa.function("Acme_Name", "number")
def name(run, arguments):
    return f"acme {arguments.required(0, readers.number(1, 9))}"


@ppa.statement("Acme_Profile", operands=("name",), attributes=("version",))
def profile(run, line):
    version = line.optional("version", readers.number(1, 99), 1)
    run.persinfo.profile_name = f"{line.operand(0, readers.text)} {version}"


@ppa.procedure("Acme_Finish")
def finish(run, arguments):
    run.persinfo.profile_name += " done"
"""


def test_an_entry_point_adds_statements_functions_and_procedures(
    distribution: Callable[[str], None],
) -> None:
    distribution(ADDED)
    text = profile("NAME = ACME_NAME(3)\nacme_profile NAME version=7\nAcme_Finish()")
    assert evaluate(text).profile_name == "acme 3 7 done"


def test_what_an_entry_point_adds_is_checked_like_the_rest(distribution: Callable[[str], None]) -> None:
    distribution(ADDED)

    with pytest.raises(SourceError) as caught:
        evaluate(profile("Acme_Profile 'x' versin=1\nA = Acme_Name(0)\nAcme_Finnish()"))

    told = [(each.code, each.remedy or each.expected) for each in caught.value.diagnostics]
    assert told == [
        ("unknown-attribute", "did you mean 'version'?"),
        ("out-of-range", "a number from 1 to 9"),
        ("unknown-function", "did you mean 'Acme_Finish'?"),
    ]


def test_what_is_not_installed_is_not_known() -> None:
    with pytest.raises(SourceError) as caught:
        evaluate(profile("Acme_Version 1"))

    assert [each.code for each in caught.value.diagnostics] == ["unknown-statement"]


def test_a_name_cannot_be_taken_twice(distribution: Callable[[str], None]) -> None:
    distribution("from cardtwin import ppa\n\n@ppa.statement('cardmodel')\ndef f(run, line): ...\n")

    with pytest.raises(ppa.RegistrationError, match="statement cardmodel is registered already"):
        evaluate(profile())


def test_an_entry_point_that_cannot_be_loaded_is_named(distribution: Callable[[str], None]) -> None:
    distribution("import acme_is_not_installed\n")

    with pytest.raises(ppa.RegistrationError, match=r"entry point 'acme' of cardtwin\.ppa"):
        evaluate(profile())


def test_the_manual_names_all_there_is() -> None:
    load_vocabulary()
    page = PAGE.read_text("utf-8")
    forms = [form for name in STATEMENTS.names() if (form := STATEMENTS.get(name))]
    attributes = {attribute for form in forms for attribute in form.attributes}
    words = {*STATEMENTS.names(), *FUNCTIONS.names(), *attributes, *(mistake.code for mistake in MISTAKES)}
    assert [word for word in sorted(words) if not re.search(rf"\b{re.escape(word)}\b", page)] == []


def test_the_example_of_the_manual_is_a_whole_profile() -> None:
    (example,) = (
        text
        for text in re.findall(r"```text\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
        if "CreateFiles()" in text
    )
    plan = evaluate(example)
    assert [pin.name for pin in plan.pins] == ["PUK", "PIN1"]
    assert (plan.eraseable, plan.burn_fuse) == (True, True)
