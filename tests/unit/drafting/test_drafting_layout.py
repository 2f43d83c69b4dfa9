"""Whatever is written as a scenario file is read back as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.drafting.layout import Entry, Tree, escaped, file_text
from cardtwin.scenario.document import TextNode, parse_yaml, plain
from cardtwin.scenario.substitution import Names, substitute
from cardtwin.source import Diagnostics, SourceText

TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\t"), max_size=200)
KEYS = st.text("abcXYZ_", min_size=1, max_size=8)
TREES: st.SearchStrategy[Tree] = st.recursive(
    TEXTS
    | st.sampled_from(["", "no", "~", "<<", "=", "- a", "a: b", "1e3", "0000", "#", "$(a)", "*x", "&x", "|"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(
    st.dictionaries(KEYS, TREES, max_size=3),
    st.lists(st.dictionaries(KEYS, TREES, min_size=1, max_size=4), min_size=1, max_size=3),
)
def test_what_is_written_is_read_back(head: dict[str, Tree], steps: list[dict[str, Tree]]) -> None:
    head.pop("steps", None)
    text = file_text({key: Entry(value) for key, value in head.items()}, [Entry(s) for s in steps], {})
    assert plain(parse_yaml(SourceText("written", text))) == {**head, "steps": steps}


@given(st.lists(st.sampled_from(["$", "(", ")", "a", "$(a)", "$$(a)", "\n"]), max_size=8).map("".join))
def test_an_escaped_text_holds_no_reference(text: str) -> None:
    span = SourceText("here", "").start
    found = Diagnostics()
    node = substitute(TextNode(escaped(text), span), Names(), found)
    assert not found.errors
    assert plain(node) == text


def test_comments_stand_before_what_they_are_about() -> None:
    text = file_text({"a": Entry("1", ("first",))}, [Entry({"b": "2"}, ("second",))], {})
    assert text == "# first\na: 1\nsteps:\n  # second\n  - {b: 2}\n"


@pytest.mark.parametrize("sign", ["\n", "\r", "\x85", "\u2028", "\0", "\x1b"])
def test_a_comment_stays_one_whatever_is_in_it(sign: str) -> None:
    note = f"left out:{sign}  - {{apdu: 00 A4}}"
    text = file_text({"title": Entry("t", (note,))}, [Entry({"apdu": "00"}, (note,))], {})

    assert plain(parse_yaml(SourceText("written", text))) == {"title": "t", "steps": [{"apdu": "00"}]}
