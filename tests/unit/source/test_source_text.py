from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.source import SourceText, Span
from cardtwin.source.text import decode_text

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xef\xbb\xbfa\r\nb", "a\nb"),
        ("Schlüssel".encode(), "Schlüssel"),
        ("Schlüssel".encode("cp1252"), "Schlüssel"),
        ("Schlüssel\r\n".encode("utf-16"), "Schlüssel\n"),
        (b"\xfe\xff" + "Schlüssel".encode("utf-16-be"), "Schlüssel"),
        (b"a\rb\r\nc\n", "a\nb\nc\n"),
        (b"", ""),
    ],
)
def test_either_encoding_and_any_line_end_is_read(data: bytes, text: str) -> None:
    assert decode_text(data) == text


@given(st.binary())
def test_any_bytes_become_text_without_carriage_returns(data: bytes) -> None:
    assert "\r" not in decode_text(data)


def test_a_file_is_called_what_the_user_called_it(tmp_path: Path) -> None:
    path = tmp_path / "card.cpf"
    path.write_bytes(b"x")
    assert SourceText.read(path) == SourceText(str(path), "x")


def test_lines_are_counted_from_one_and_there_are_no_others() -> None:
    source = SourceText("a", "one\ntwo")
    assert [source.line(number) for number in (0, 1, 2, 3)] == ["", "one", "two", ""]


def test_a_span_shows_its_place_and_carets_under_it() -> None:
    span = SourceText("a.cpf", "first\nCreateDf( id=5 )").span(2, 11, 2)
    assert str(span) == "a.cpf:2:11"
    assert span.caret() == "    CreateDf( id=5 )\n              ^^"


def test_carets_stay_below_their_text_behind_tabs() -> None:
    text, carets = SourceText("a", "\tx\ty").span(1, 4).caret().split("\n")
    assert text[carets.index("^")] == "y"


def test_carets_of_several_lines_end_with_the_first() -> None:
    source = SourceText("a", "0x{ 01\n02 }")
    span = source.span(1, 1).to(source.span(2, 4))
    assert (span.line, span.column, span.end_line, span.end_column) == (1, 1, 2, 5)
    assert span.caret().split("\n")[1] == "    ^^^^^^"


def test_of_a_very_long_line_the_part_around_the_span_is_shown() -> None:
    line = "a" * 5_000 + "<here>" + "b" * 5_000
    text, carets = SourceText("a", line).span(1, 5_001, 6).caret().split("\n")
    assert len(text) < 250
    assert text[carets.index("^") : carets.rindex("^") + 1] == "<here>"


def test_nothing_that_a_terminal_would_obey_is_shown() -> None:
    text, carets = SourceText("a", "a\x1b[2J\x07\u202eb").span(1, 8).caret().split("\n")
    assert text.isprintable()
    assert text[carets.index("^")] == "b"


@given(st.text(alphabet="ab\t\n", max_size=20), st.integers(1, 6), st.integers(1, 30), st.integers(0, 30))
def test_every_span_has_a_caret(text: str, line: int, column: int, length: int) -> None:
    span = SourceText("a", text).span(line, column, length)
    assert isinstance(span, Span)
    assert "^" in span.caret()
    assert span.caret().count("\n") == 1


def test_what_concerns_the_whole_file_is_at_its_start() -> None:
    assert str(SourceText("a", "").start) == "a:1:1"


def test_the_repr_of_a_source_is_short() -> None:
    assert "long text" not in repr(SourceText("a", "long text"))
