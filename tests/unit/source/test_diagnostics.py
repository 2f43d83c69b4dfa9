from __future__ import annotations

import pytest

from cardtwin.source import Diagnostic, Diagnostics, Note, Severity, SourceError, SourceText, closest

SOURCE = SourceText("token.cpf", "pin = '1'\npin = '2'")


def test_a_finding_shows_place_rule_line_caret_remedy_and_the_other_place() -> None:
    finding = Diagnostic(
        "duplicate-assignment",
        "'pin' is assigned twice",
        SOURCE.span(2, 1, 3),
        expected="another name",
        remedy="take one of them away",
        notes=(Note("the first assignment", SOURCE.span(1, 1, 3)),),
    )
    assert finding.render() == (
        "token.cpf:2:1: error: 'pin' is assigned twice [duplicate-assignment]\n"
        "    pin = '2'\n"
        "    ^^^\n"
        "  expected: another name\n"
        "  remedy: take one of them away\n"
        "token.cpf:1:1: note: the first assignment\n"
        "    pin = '1'\n"
        "    ^^^"
    )
    assert str(finding) == "token.cpf:2:1: 'pin' is assigned twice"


def test_what_a_finding_does_not_have_takes_no_line() -> None:
    finding = Diagnostic("x", "odd", SOURCE.start, severity=Severity.WARNING)
    assert finding.render() == "token.cpf:1:1: warning: odd [x]\n    pin = '1'\n    ^"


def test_findings_come_in_the_order_of_the_text() -> None:
    diagnostics = Diagnostics()
    diagnostics.error("b", "second", SOURCE.span(2, 1))
    diagnostics.warning("a", "first", SOURCE.span(1, 5))
    assert [found.code for found in diagnostics] == ["a", "b"]
    assert [found.code for found in diagnostics.errors] == ["b"]
    assert [found.code for found in diagnostics.warnings] == ["a"]
    assert len(diagnostics) == 2


def test_warnings_alone_stop_nothing() -> None:
    diagnostics = Diagnostics()
    diagnostics.warning("a", "odd", SOURCE.start)
    diagnostics.raise_errors()


def test_an_error_raises_everything_that_was_found() -> None:
    diagnostics = Diagnostics()
    diagnostics.error("b", "wrong", SOURCE.span(2, 1))
    diagnostics.warning("a", "odd", SOURCE.span(1, 1))

    with pytest.raises(SourceError) as caught:
        diagnostics.raise_errors()

    assert [found.code for found in caught.value.diagnostics] == ["a", "b"]
    assert "wrong" in str(caught.value)
    assert "odd" in str(caught.value)


@pytest.mark.parametrize(
    ("word", "remedy"),
    [("creatdf", "did you mean 'CreateDf'?"), ("CREATEDF", "did you mean 'CreateDf'?"), ("zzz", "")],
)
def test_the_known_word_most_like_a_wrong_one_is_proposed(word: str, remedy: str) -> None:
    assert closest(word, ["CreateDf", "BurnFuse"]) == remedy
