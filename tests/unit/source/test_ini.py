from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.source import Diagnostics, IniFile, SourceText, parse_ini

TEXT = """\
# a comment
[Encoding]
Type = CARD
  Devices= all = of them
; another

[Fields]
a=1
a=2
[encoding]
TYPE=
"""


def read(text: str) -> tuple[IniFile, Diagnostics]:
    diagnostics = Diagnostics()
    return parse_ini(SourceText("a.dsc", text), diagnostics), diagnostics


def test_sections_and_items_are_kept_in_order_with_what_is_repeated() -> None:
    ini, diagnostics = read(TEXT)
    assert [section.name for section in ini.sections] == ["Encoding", "Fields", "encoding"]
    assert [(item.key, item.value) for item in ini.sections[1].items] == [("a", "1"), ("a", "2")]
    assert len(diagnostics) == 0


def test_names_and_keys_are_found_whatever_their_case() -> None:
    ini, _ = read(TEXT)
    assert [section.span.line for section in ini.find("ENCODING")] == [2, 10]
    assert [item.value for item in ini.find("encoding")[0].find("tYPE")] == ["CARD"]
    assert ini.find("nowhere") == ()


def test_keys_and_values_have_their_places() -> None:
    ini, _ = read(TEXT)
    item = ini.sections[0].items[1]
    assert (item.key, item.value) == ("Devices", "all = of them")
    assert (str(item.key_span), str(item.value_span)) == ("a.dsc:4:3", "a.dsc:4:12")


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("a=1\n[s]", "outside-section", "a.dsc:1:1"),
        ("[s]\n  nothing", "bad-line", "a.dsc:2:3"),
        ("[s]\n=1", "bad-line", "a.dsc:2:1"),
        ("[s", "bad-section", "a.dsc:1:1"),
        ("[ ]", "bad-section", "a.dsc:1:1"),
    ],
)
def test_a_broken_line_is_an_error_at_its_place(text: str, code: str, place: str) -> None:
    _, diagnostics = read(text)
    assert [(found.code, str(found.span)) for found in diagnostics.errors] == [(code, place)]


def test_reading_goes_on_behind_a_broken_line() -> None:
    ini, diagnostics = read("[s]\nbroken\na=1\nbroken too")
    assert [item.key for item in ini.sections[0].items] == ["a"]
    assert len(diagnostics.errors) == 2


def test_what_is_no_such_file_is_not_read_to_its_end() -> None:
    _, diagnostics = read("[s]\n" + "broken\n" * 5_000)
    assert [found.code for found in diagnostics.errors] == ["bad-line"] * 100 + ["too-many-errors"]
    assert str(diagnostics.errors[-1].span) == "a.dsc:102:1"


def test_a_broken_line_is_quoted_only_as_far_as_it_helps() -> None:
    _, diagnostics = read("[s]\n" + "\x1b" + "x" * 5_000)
    (found,) = diagnostics.errors
    assert found.message.isprintable()
    assert len(found.render()) < 1_000


def test_what_makes_a_comment_is_the_callers_choice() -> None:
    ini = parse_ini(SourceText("a", "[s]\n;a=1\n!b=2"), Diagnostics(), comments="!")
    assert [item.key for item in ini.sections[0].items] == [";a"]


@given(st.text(alphabet="[]=;# \nab", max_size=40))
def test_any_text_is_read_and_every_span_holds_what_it_says(text: str) -> None:
    ini, _ = read(text)

    for section in ini.sections:
        for item in section.items:
            line, start = ini.source.line(item.key_span.line), item.key_span.column - 1
            assert line[start : start + len(item.key)] == item.key
            at = item.value_span.column - 1
            assert line[at : at + len(item.value)] == item.value
