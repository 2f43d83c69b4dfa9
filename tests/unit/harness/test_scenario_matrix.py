from __future__ import annotations

import pytest

from cardtwin.scenario.document import MapNode, parse_yaml
from cardtwin.scenario.matrix import combinations
from cardtwin.source import Diagnostics, SourceError, SourceText


def ids(text: str) -> list[str]:
    node = parse_yaml(SourceText("demo.yaml", text))
    assert isinstance(node, MapNode)
    found = Diagnostics()
    result = combinations(node.get("matrix"), found)
    found.raise_errors()
    return [combination.suffix for combination in result]


def test_axes_multiply_and_the_last_one_changes_fastest() -> None:
    assert ids("matrix:\n  model: [a, b]\n  row: [{id: x, v: 1}, {id: y}]") == [
        "[a,x]",
        "[a,y]",
        "[b,x]",
        "[b,y]",
    ]


def test_without_a_matrix_there_is_one_instance_without_suffix() -> None:
    assert ids("title: x") == [""]


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ("[a]", "mapping of axes"),
        ("{model: []}", "list with values"),
        ("{model: a}", "list with values"),
        ("{model: [a, a]}", "a second time"),
        ("{row: [{v: 1}]}", "no id"),
        ("{row: [{id: 'a b'}]}", "no id"),
        ("{row: [[a]]}", "no id"),
        ("{'a.b': [x]}", "no name for an axis"),
    ],
)
def test_a_wrong_matrix_is_told(matrix: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        ids(f"matrix: {matrix}")
