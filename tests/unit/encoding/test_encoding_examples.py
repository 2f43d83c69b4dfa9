"""The documentation's examples: right ones are found right, listed and run; wrong ones are told so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from cardtwin.cli import main
from cardtwin.encoding import check, parse
from cardtwin.source import SourceText

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "scenarios" / "examples"
PRINTED = FOLDER / "as-printed"
CONFIG = ROOT / "scenarios" / "config"
PAGE = (ROOT / "docs" / "encoding-examples.md").read_text("utf-8")
EXAMPLES = sorted(FOLDER.glob("*.dsc"))
ROW = re.compile(
    r"^\| \[(?P<name>[\w-]+\.dsc)\].*\((?P<scenario>[\w./-]+\.scenario\.yaml)\) \|$", re.MULTILINE
)
FINDING = re.compile(r"^\S+?:(\d+):\d+: (error|warning): .* \[([a-z-]+)\]$", re.MULTILINE)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_has_no_findings(example: Path) -> None:
    assert list(check(parse(SourceText.read(example)))) == []


def test_each_example_is_listed_with_a_scenario_that_runs_it() -> None:
    rows = {row["name"]: ROOT / "docs" / row["scenario"] for row in ROW.finditer(PAGE)}
    assert sorted(rows) == [path.name for path in EXAMPLES]

    for name, scenario in rows.items():
        assert name in scenario.read_text("utf-8")


@dataclass(frozen=True)
class Printed:
    """An example as the documentation prints it.

    Attributes:
        file: The example.
        strict: What is found: line, severity, rule.
        lenient: What is found with --lenient; None finds the same.
        remedies: What to do, as far as it is told in words.
    """

    file: str
    strict: str
    lenient: str | None = None
    remedies: tuple[str, ...] = ()


MISTAKES = (
    Printed("library", "1 error missing-section", remedies=("add [Encoding], with its keywords below it",)),
    Printed(
        "initialise",
        "14 error left-out",
        "10 error missing-library, 11 error missing-initial-puk, 14 warning left-out",
        ("write what belongs there, or take it away: examples in the documentation leave parts out",),
    ),
    Printed(
        "operator-pin",
        "14 error left-out, 15 error undeclared-field",
        "14 warning left-out, 15 error missing-operator-pin, 15 warning value-without-hash",
        ("write what belongs there, or take it away: examples in the documentation leave parts out",),
    ),
    Printed(
        "init-token-with-hash",
        "11 error bad-value",
        "11 warning flag-with-hash",
        ("write true, without the #",),
    ),
    Printed(
        "chip-serial",
        "8 error left-out, 12 error unknown-keyword",
        "8 warning left-out, 12 warning unknown-keyword",
        ("write useChipSerialAsIccsn, with the letter i where l stands",),
    ),
    Printed("iccsn-twice", "13 error duplicate-keyword", remedies=("take one of them away",)),
    Printed("delete-profile", "1 error missing-section"),
    Printed(
        "set-pin", "10 error other-middleware", remedies=("name the library of Personal Desktop Client",)
    ),
    Printed("label-and-pin", "12 error missing-profile", remedies=("ChipProfile=NAME.cpf",)),
    Printed("block", "1 error missing-section, 1 error missing-section"),
    Printed(
        "data-object",
        "1 error missing-section, 1 error missing-section, 3 error undeclared-field, "
        "4 error undeclared-field",
        remedies=("add it to [Fields]",),
    ),
)


def checked(*arguments: str | Path) -> tuple[str, str, int]:
    """Run a command of ``cardtwin dsc`` and return its findings, its output and its exit status."""
    result = CliRunner().invoke(main, ["dsc", *map(str, arguments)])
    found = ", ".join(" ".join(each) for each in FINDING.findall(result.output))
    return found, result.output, result.exit_code


@pytest.mark.parametrize("printed", MISTAKES, ids=lambda printed: printed.file)
def test_an_example_that_is_printed_wrong_is_told_so(printed: Printed) -> None:
    found, output, status = checked("check", PRINTED / f"{printed.file}.dsc")
    assert (found, status) == (printed.strict, 1)

    for remedy in printed.remedies:
        assert remedy in output


@pytest.mark.parametrize("printed", MISTAKES, ids=lambda printed: printed.file)
def test_leniently_what_can_be_guessed_is_a_warning(printed: Printed) -> None:
    expected = printed.strict if printed.lenient is None else printed.lenient
    found, _, status = checked("check", "--lenient", PRINTED / f"{printed.file}.dsc")
    assert (found, status) == (expected, int(" error " in expected))


def test_every_example_as_printed_is_looked_at_and_listed() -> None:
    assert sorted(printed.file for printed in MISTAKES) == sorted(path.stem for path in PRINTED.glob("*.dsc"))
    assert [path.name for path in PRINTED.iterdir() if f"as-printed/{path.name})" not in PAGE] == []


# Inconsistencies of the documentation, each with the example that has it


def test_case_makes_no_difference_in_keywords_and_fields() -> None:
    text = (PRINTED / "chip-serial.dsc").read_text("utf-8").replace("...\n", "")
    right = text.replace("useChipSerialAslccsn", "USECHIPSERIALASICCSN").replace("ICCSN=n", "iccsnField=N")
    assert list(check(parse(SourceText("x.dsc", right)))) == []


def test_a_container_that_names_keys_instead_of_descriptors_is_told_both_names() -> None:
    found, output, status = checked(
        "keys", CONFIG / "engineSignEncrypt.xml", PRINTED / "SYSTEM_PROPERTIES.json"
    )
    assert (found, status) == ("2 error unknown-descriptor, 2 error unknown-descriptor", 1)
    assert "'PinKeyDescA'" in output
    assert "'PinKeyDescB'" in output


def test_the_table_of_keys_where_properties_are_meant_is_told_as_such() -> None:
    found, output, status = checked("keys", CONFIG / "engineSignEncrypt.xml", PRINTED / "system.properties")
    assert (found, status) == ("1 error xml-as-properties", 1)
    assert "pinBlobDecryptor.keyDescriptorNames=NAME, NAME" in output


@pytest.mark.parametrize("name", ["engineSignEncrypt.xml", "signencrypt.xml", "engineSignEncryptConfig.xml"])
def test_the_table_of_keys_is_read_by_each_of_its_three_names(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes((CONFIG / "engineSignEncrypt.xml").read_bytes())
    assert checked("keys", tmp_path / name, CONFIG / "system.properties")[0::2] == ("", 0)
