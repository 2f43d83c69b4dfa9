from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin import ppa
from cardtwin.ppa.syntax import (
    Assignment,
    Block,
    ByteString,
    Call,
    Directive,
    Name,
    Number,
    Statement,
    String,
)
from cardtwin.source import SourceError, SourceText
from support.profiles import SKETCH, names, statements, unparse


def parse(text: str) -> tuple[Statement, ...]:
    return ppa.parse(SourceText("x.cpf", text)).statements


def only(text: str) -> Statement:
    (statement,) = parse(text)
    return statement


@given(statements)
def test_a_tree_written_as_text_is_read_as_the_same_tree(tree: list[Statement]) -> None:
    assert parse(unparse(tree)) == tuple(tree)


@given(
    statements,
    st.sampled_from([" ", "\t", " \\\n", "\\  \n  ", " \\\n \\\n"]),
    st.sampled_from(["\n", "\n\n\n", " ; a comment\n", " ;0x{ ' } ' \\\n", "\r\n", "\n  ; a comment\n\t\n"]),
)
def test_blanks_comments_and_continued_lines_mean_nothing(
    tree: list[Statement], blank: str, end: str
) -> None:
    assert parse(unparse(tree, blank=blank, end=end)) == tuple(tree)


@given(statements)
def test_letters_count_the_same_in_both_cases(tree: list[Statement]) -> None:
    def folded(text: str) -> str:
        return unparse(parse(text), case=str.casefold)

    assert folded(unparse(tree, case=str.swapcase)) == folded(unparse(tree))


@given(st.text(max_size=60) | st.text("0x{}'\\;=(), \nAaFf1", max_size=60))
def test_any_text_is_read_or_refused_with_places_inside_it(text: str) -> None:
    try:
        parse(text)
    except SourceError as error:
        for finding in error.diagnostics:
            assert 1 <= finding.span.line <= text.count("\n") + 2
            assert finding.span.column >= 1


@given(names)
def test_a_name_is_compared_by_its_key_alone(name: Name) -> None:
    assert Name(name.text.swapcase(), name.span).key == name.key


def test_a_comment_ends_with_its_line_even_inside_bytes() -> None:
    tree = only("A = 0x{ 01 ; } 02\n 03 }  ; 04")
    assert isinstance(tree, Assignment)
    assert tree.value == ByteString(b"\x01\x03", tree.span)


def test_a_semicolon_in_a_text_begins_no_comment() -> None:
    tree = only("A = 'a;b'")
    assert isinstance(tree, Assignment)
    assert tree.value == String("a;b", tree.span)


def test_a_backslash_in_a_comment_continues_nothing() -> None:
    assert len(parse("A = 1 ; \\\nB = 2")) == 2


@pytest.mark.parametrize(
    ("text", "value"), [("0x5015", 0x5015), ("0X5015", 0x5015), ("22000", 22000), ("007", 7), ("0xaB", 0xAB)]
)
def test_a_number_is_decimal_or_hexadecimal(text: str, value: int) -> None:
    tree = only(f"A = {text}")
    assert isinstance(tree, Assignment)
    assert tree.value == Number(value, tree.span)


def test_digits_of_bytes_may_stand_together() -> None:
    tree = only("A = 0X{a0000063\t50}")
    assert isinstance(tree, Assignment)
    assert tree.value == ByteString(bytes.fromhex("A000006350"), tree.span)


def test_every_node_knows_its_place() -> None:
    master, file = parse(
        "MasterFile\n CreateEf EF1 id=0x4401 \\\n   read=always\nEndfile\nFile Static EF1\nEndfile"
    )
    assert isinstance(master, Block)
    (created,) = master.body
    assert isinstance(created, Directive)
    identifier, read = created.attributes
    places = [node.span for node in (created, created.operands[0], identifier, read, read.values[0], file)]
    assert [(span.line, span.column) for span in places] == [(2, 2), (2, 11), (2, 15), (3, 4), (3, 9), (5, 1)]
    assert (created.span.end_line, created.span.end_column) == (3, 15)


def test_a_call_spans_its_arguments() -> None:
    tree = only("A = F(1, G('x'))")
    assert isinstance(tree, Assignment)
    assert isinstance(tree.value, Call)
    assert (tree.value.span.column, tree.value.span.end_column) == (5, 17)


def test_the_public_example_has_the_blocks_that_it_shows() -> None:
    blocks = [each for each in parse(SKETCH) if isinstance(each, Block)]
    assert [block.opening.keyword.text for block in blocks] == ["MasterFile", "File", "File", "File"]
    (directory,) = blocks[0].body
    assert isinstance(directory, Block)
    assert len(directory.body) == 3


def test_an_empty_profile_has_no_statements() -> None:
    assert parse("") == parse("\n; nothing\n\n") == ()


def test_values_beside_a_secret_show_in_no_message() -> None:
    text = "SEC_PIN1 = '4711'\nSEC_PUK = \"4711\"\nX_Default SEC_OP value='4711\nSEC_MAN = 0x{4711\n"

    with pytest.raises(SourceError) as caught:
        parse(text)

    assert len(caught.value.diagnostics) == 3
    assert "4711" not in str(caught.value)


def test_a_tree_shows_no_values() -> None:
    assert "4711" not in repr(parse("SEC_PIN1 = '4711'\nX = 0x{4711}\nY = 4711"))
