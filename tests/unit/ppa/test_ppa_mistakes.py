from __future__ import annotations

import ast
from pathlib import Path

import pytest

from cardtwin import ppa
from cardtwin.plan import Secret, SecretName
from cardtwin.provenance import Switches
from cardtwin.source import Diagnostics, Severity, SourceError, SourceText
from support.mistakes import KEY, KEYED, MISTAKES, Mistake, ef, static
from support.profiles import SKETCH, environment, evaluate, profile

SOURCES = sorted(Path(ppa.__file__).parent.rglob("*.py"))
FROM_OUTSIDE = {"reserved-parameter", "duplicate-parameter", "unused-parameter"}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda each: f"{each.code}-{MISTAKES.index(each)}")
def test_a_mistake_is_told_with_its_place_and_the_way_out(mistake: Mistake) -> None:
    with pytest.raises(SourceError) as caught:
        evaluate(mistake.text.replace("»", ""), **mistake.given)

    found = [
        each
        for each in caught.value.diagnostics
        if each.code == mistake.code and mistake.message in each.message
    ]
    assert [str(each.span) for each in found] == [mistake.place], str(caught.value)
    (finding,) = found
    assert mistake.remedy in finding.remedy
    assert mistake.expected in finding.expected
    assert tuple(str(note.span) for note in finding.notes) == mistake.notes
    assert finding.remedy or finding.expected or "UTF-8" in finding.message or "3F00" in finding.message


def codes() -> set[str]:
    """Return every code that the package reports, from its sources."""
    found = set()

    for node in (node for path in SOURCES for node in ast.walk(ast.parse(path.read_text("utf-8")))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            first = node.args[0]

            if node.func.attr in {"reject", "error", "warning"} and isinstance(first, ast.Constant):
                found.add(str(first.value))

    return found


def test_every_code_of_the_package_is_proved_here() -> None:
    assert codes() - {mistake.code for mistake in MISTAKES} - FROM_OUTSIDE == set()


def test_what_lies_in_a_wrong_directory_is_looked_at_all_the_same() -> None:
    layout = "CreateDf DFX id=0x5016 maxsize=auto updat=always create=always\n"
    layout += f"{ef('EF2')} bar=1\n{ef('EF3').replace('always', 'alwys', 1)}\n{ef('EF4', '0x3F00')}\nEndDF"

    with pytest.raises(SourceError) as caught:
        evaluate(profile(layout=layout))

    assert [each.code for each in caught.value.diagnostics] == [
        "unknown-attribute",
        "unknown-attribute",
        "unknown-access",
        "reserved-file-id",
    ]


def test_several_mistakes_are_told_in_one_run() -> None:
    text = profile("A = B\nSEC_X = 1\nFoo 1", layout=f"{ef()} bar=1\n{ef('EF3')}\n{ef('EF4')}")

    with pytest.raises(SourceError) as caught:
        evaluate(text)

    told = [(each.code, each.span.line) for each in caught.value.diagnostics]
    assert told == [
        ("unassigned", 2),
        ("unknown-secret", 3),
        ("unknown-statement", 4),
        ("unknown-attribute", 6),
        ("duplicate-file-id", 8),
    ]


def test_broken_lines_do_not_hide_one_another() -> None:
    with pytest.raises(SourceError) as caught:
        ppa.parse(SourceText("x.cpf", "A = ...\nB = 'x\nC = 1\nD = 0x{1}\n(\n"))

    assert [each.span.line for each in caught.value.diagnostics] == [1, 2, 4, 5]


@pytest.mark.parametrize(
    "text",
    [
        profile("A = NOTHING\nPERSINFO_PUT_PROFILENAME(A)"),
        profile(start="CardModel"),
        profile(start="CardModel 'SIEMENS99'"),
        profile(end="CreateFiles(1)"),
        profile(layout="CreateEf EF1 id=0", files=static()),
        profile(layout=f"CreateDf D id=0\n{ef('EF1')}\nEndDF", files=static()),
        profile(
            "SEC_OP = NOTHING\nPERSINFO_PUT_SEC(SEC_OP)\nPERSINFO_ENCRYPT_SEC()",
            files=static(data="PERSINFO_SEC()", kind="Dynamic"),
        ),
        profile("SEC_OP = '1'\nX_Pin OP reference=1 label='x'", layout=f"{ef()[:-6]}op"),
        profile("SEC_OP = '1'\nX_Pin OP reference=1 lable='x'", layout=f"{ef()[:-6]}op"),
        profile(layout="CreateEf EF1 id=1 maxsze=2", files="X_Data EF1 label='x'"),
        profile(layout=KEYED, files=f"{KEY} id=1\nX_Certificate EF1 key=KEY label='x'"),
        profile(layout=ef("EF1", size="auto"), files="File Static EF1\ndata=A\nEndfile"),
        profile(layout=ef("EF1", size="auto"), files=static(data="NOTHING", kind="Dynamic")),
    ],
)
def test_what_follows_from_a_mistake_is_not_told_as_another(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        evaluate(text)

    assert len(caught.value.diagnostics) == 1, str(caught.value)


def test_a_variable_of_the_name_of_a_statement_does_not_stand_for_it() -> None:
    with pytest.raises(SourceError) as caught:
        evaluate(profile("CreateFiles = 1\nCardModel = 2", start="", end=""))

    assert [each.code for each in caught.value.diagnostics] == ["missing-statement", "missing-statement"]


@pytest.mark.parametrize("name", ["SEC_PIN1", "sec_pin2", "SEC_PUK", "SEC_OP"])
def test_a_reserved_secret_is_no_profile_parameter(name: str) -> None:
    with pytest.raises(SourceError) as caught:
        evaluate(profile(), parameters={name: b"1234"})

    (finding,) = caught.value.diagnostics
    assert (finding.code, str(finding.span)) == ("reserved-parameter", "<from outside>:1:1")
    assert name in finding.message
    assert "keyword" in finding.remedy


def test_a_parameter_given_in_two_spellings_is_refused() -> None:
    with pytest.raises(SourceError) as caught:
        evaluate(profile("PERSINFO_PUT_PROFILENAME(A)"), parameters={"A": b"1", "a": b"2"})

    (finding,) = caught.value.diagnostics
    assert (finding.code, finding.span.caret()) == ("duplicate-parameter", "    a\n    ^")


def test_a_parameter_that_the_profile_does_not_use_is_a_warning() -> None:
    report = Diagnostics()
    evaluate(profile(), report, parameters={"unused": b"1"}, secrets={SecretName.PIN1: Secret.of("1234")})
    told = [(each.code, each.severity, each.message) for each in report]
    assert [code for code, _, _ in told] == ["unused-parameter", "unused-parameter"]
    assert {severity for _, severity, _ in told} == {Severity.WARNING}
    assert any("the encoding keyword PIN" in message for _, _, message in told)


def test_the_order_of_fuse_and_erasing_can_be_left_to_a_warning() -> None:
    report = Diagnostics()
    plan = evaluate(
        profile(files="MakeCardEraseable()", end="BurnFuse()\nCreateFiles()"),
        report,
        switches=Switches({"profile.order": "lenient"}),
    )
    assert (plan.eraseable, plan.burn_fuse) == (True, True)
    assert [each.code for each in report.warnings] == ["order", "order"]


def test_no_message_shows_a_secret() -> None:
    text = profile(
        "SEC_PIN1 = '4711471147114711'\nSEC_PIN1 = 0x{4711}\nSEC_PUK = 4711\n"
        "X_Pin PIN1 reference=1 label='PIN'\n"
        "PERSINFO_PUT_SEC(SEC_PIN1)\nPERSINFO_PUT_PROFILENAME(SEC_PIN1)\nX_Default SEC_PIN1 value='4711'",
        files=static(data="SEC_PIN1", kind="Dynamic"),
    )

    with pytest.raises(SourceError) as caught:
        evaluate(text, secrets={SecretName.OP: Secret.of("4711")})

    assert len(caught.value.diagnostics) >= 6
    assert "4711" not in str(caught.value)


def test_checking_takes_an_unknown_variable_for_a_parameter() -> None:
    text = profile(
        "PERSINFO_PUT_PROFILENAME(NAME)\nX_Pin PIN1 reference=1 label='PIN'", layout=f"{ef()[:-6]}pin1"
    )
    found = ppa.check(ppa.parse(SourceText("x.cpf", text)), environment())
    assert list(found) == []


def test_checking_still_tells_mistakes() -> None:
    text = profile("PERSINFO_PUT_PROFILENAME(NAME)\nX_Pin PIN1 reference=16 label='PIN'")
    found = ppa.check(ppa.parse(SourceText("x.cpf", text)), environment())
    assert [each.code for each in found] == ["out-of-range"]


def test_the_public_example_with_pins_from_an_encoding_is_refused_and_names_both_assignments() -> None:
    with pytest.raises(SourceError) as caught:
        evaluate(SKETCH, secrets={SecretName.PIN1: Secret.of("1234"), SecretName.PUK: Secret.of("12345678")})

    assert [each.message for each in caught.value.diagnostics] == [
        "SEC_PIN1 is assigned at x.cpf:8:1 and by the encoding keyword PIN",
        "SEC_PUK is assigned at x.cpf:14:1 and by the encoding keyword InitialPUK",
    ]
