from __future__ import annotations

from pathlib import Path

import pytest

from cardtwin.scenario.document import MapNode, parse_yaml
from cardtwin.scenario.includes import Includes
from cardtwin.scenario.matrix import combinations
from cardtwin.source import Diagnostics, SourceError, SourceText


def ids(text: str, folder: Path = Path()) -> list[str]:
    node = parse_yaml(SourceText("demo.yaml", text))
    assert isinstance(node, MapNode)
    found = Diagnostics()
    result = combinations(node.get("matrix"), found, Includes(folder))
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


def test_values_of_another_file_stand_in_the_place_of_use(tmp_path: Path) -> None:
    (tmp_path / "models.values.yaml").write_text("- {id: a, v: 1}\n- b\n")
    assert ids("matrix:\n  model: [x, {use: models.values.yaml}, y]", tmp_path) == [
        "[x]",
        "[a]",
        "[b]",
        "[y]",
    ]


def test_a_value_with_an_id_may_have_a_field_called_use(tmp_path: Path) -> None:
    (tmp_path / "v.values.yaml").write_text("- {id: b, use: nothing}\n")
    assert ids("matrix: {key: [{id: a, use: sign}, {use: v.values.yaml}]}", tmp_path) == ["[a]", "[b]"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("- a\n- a\n", r"v\.values\.yaml:2:3: error: the id 'a' stands here a second time"),
        ("- x\n", r"v\.values\.yaml:1:3: error: the id 'x' stands here a second time"),
        ("- {v: 1}\n", r"v\.values\.yaml:1:3: error: this value gives the instance no id"),
        ("- {use: w.values.yaml}\n", r"v\.values\.yaml:1:4: error: .*nested-use"),
        ("id: a\n", r"v\.values\.yaml:1:1: error: an included file is a list of values"),
        ("[]", "not-a-list"),
        (None, r"demo\.yaml:1:27: error: .*v\.values\.yaml cannot be read"),
    ],
)
def test_wrong_values_are_told_where_they_stand(values: str | None, message: str, tmp_path: Path) -> None:
    if values is not None:
        (tmp_path / "v.values.yaml").write_text(values)

    with pytest.raises(SourceError, match=message):
        ids("matrix: {model: [x, {use: v.values.yaml}]}", tmp_path)


def test_a_file_of_values_that_is_misspelled_is_suggested(tmp_path: Path) -> None:
    (tmp_path / "models.values.yaml").write_text("- a\n")

    with pytest.raises(SourceError, match=r"models\.values\.yaml"):
        ids("matrix: {model: [{use: model.values.yaml}]}", tmp_path)
