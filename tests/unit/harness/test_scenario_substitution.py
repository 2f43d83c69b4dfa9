from __future__ import annotations

from typing import Any

import pytest

from cardtwin.scenario.document import MapNode, Node, parse_yaml, plain
from cardtwin.scenario.substitution import Names, references, substitute
from cardtwin.source import Diagnostics, SourceError, SourceText


def tree(text: str) -> Node:
    return parse_yaml(SourceText("demo.yaml", text))


def names(text: str, later: frozenset[str] = frozenset()) -> Names:
    values = tree(text)
    assert isinstance(values, MapNode)
    return Names({entry.key.text: entry.value for entry in values}, later)


def replaced(text: str, known: Names) -> Any:
    found = Diagnostics()
    result = plain(substitute(tree(text), known, found))
    found.raise_errors()
    return result


ROWS = "model: cardos-4.4\nrule: {id: all, sw: 6982, expect: {sw: 9000, data: {any: 4}}}"


def test_a_name_is_replaced_inside_a_text() -> None:
    assert replaced("a: x-$(model)-$(rule.sw)", names(ROWS)) == {"a": "x-cardos-4.4-6982"}


def test_a_row_field_may_be_a_mapping() -> None:
    assert replaced("a: $(rule.expect)", names(ROWS)) == {"a": {"sw": "9000", "data": {"any": "4"}}}


def test_a_dotted_name_reaches_into_a_mapping() -> None:
    assert replaced("a: $(rule.expect.sw)", names(ROWS)) == {"a": "9000"}


def test_the_name_of_a_row_stands_for_its_id() -> None:
    assert replaced("a: $(rule)", names(ROWS)) == {"a": "all"}


def test_syntax_of_other_languages_is_left_alone() -> None:
    text = "a: ${Card_PukRef} !{USER} $$(model) $x"
    assert replaced(text, names(ROWS)) == {"a": "${Card_PukRef} !{USER} $(model) $x"}


def test_a_value_is_not_searched_for_names() -> None:
    assert replaced("a: <$(x)>", names("x: $$(y)\ny: no")) == {"a": "<$$(y)>"}


def test_a_name_that_is_bound_later_is_left() -> None:
    known = names(ROWS, frozenset({"serial"}))
    assert replaced("a: $(serial)\nb: $(model)/$(serial)", known) == {
        "a": "$(serial)",
        "b": "$(model)/$(serial)",
    }


def test_a_part_of_what_is_bound_later_is_left_too() -> None:
    assert replaced("a: $(fields.PIN)", names("", frozenset({"fields"}))) == {"a": "$(fields.PIN)"}


def test_an_unknown_name_is_an_error_with_a_remedy() -> None:
    with pytest.raises(SourceError, match=r"did you mean 'rule\.sw'") as caught:
        replaced("a:\n  b: $(rule.sv)", names(ROWS))

    assert str(caught.value.diagnostics[0].span) == "demo.yaml:2:6"


def test_a_mapping_cannot_stand_inside_a_text() -> None:
    with pytest.raises(SourceError, match="more than a text"):
        replaced("a: x$(rule.expect)", names(ROWS))


def test_an_unknown_name_beside_a_later_one_is_an_error_too() -> None:
    with pytest.raises(SourceError, match="'modle'"):
        replaced("a: $(serial)$(modle)", names(ROWS, frozenset({"serial"})))


def test_references_are_found_wherever_they_stand() -> None:
    assert references(tree("a: [$(x), {b: y$(z.w)}]\nc: $$(no)")) == {"x", "z.w"}


def test_an_item_that_a_list_has_not_is_told_with_how_many_there_are() -> None:
    with pytest.raises(SourceError, match=r"demo.yaml:1:4: .*'slots' has no item 7(?s:.*)one of 2 items"):
        replaced("a: $(slots.7)", names("slots: [1, 2]"))


def test_what_a_name_stands_for_has_its_place_where_the_name_is() -> None:
    found = Diagnostics()
    node = substitute(tree("a: $(slots)"), names("b: c\nslots: [1, 2]"), found)
    assert isinstance(node, MapNode)
    held = node.get("a")
    assert held is not None
    assert (held.span.line, held.span.column) == (1, 4)
