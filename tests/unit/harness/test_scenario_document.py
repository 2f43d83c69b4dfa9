from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.scenario.document import MapNode, TextNode, parse_yaml, plain
from cardtwin.source import SourceError, SourceText


def parse(text: str) -> MapNode:
    node = parse_yaml(SourceText("demo.yaml", text))
    assert isinstance(node, MapNode)
    return node


def findings(text: str) -> list[str]:
    with pytest.raises(SourceError) as caught:
        parse(text)

    return [f"{found.span.line}:{found.span.column} {found.code}" for found in caught.value.diagnostics]


@pytest.mark.parametrize("text", ["0000", "6E00", "1e10", "no", "~", "0x10", "2024-01-01", "01:20"])
def test_a_scalar_stays_the_text_that_was_written(text: str) -> None:
    assert plain(parse(f"key: {text}")) == {"key": text}


def test_a_node_knows_its_place() -> None:
    node = parse("a:\n  - b: 12\n").get("a")
    assert node is not None
    assert str(node.span) == "demo.yaml:2:3"


def test_a_key_knows_its_place() -> None:
    assert str(parse("a: 1\n  \nbb: 2").key_span("bb")) == "demo.yaml:3:1"


def test_a_block_keeps_its_lines() -> None:
    assert plain(parse("a: |\n  [CSP_PKCS11]\n  x=1\n")) == {"a": "[CSP_PKCS11]\nx=1\n"}


def test_all_findings_of_the_structure_come_at_once() -> None:
    assert findings("a: &x [1]\nb: *x\na: 3\n? [k]\n: 1\nc: !foo 2\n") == [
        "1:4 alias",
        "3:1 duplicate-key",
        "4:3 bad-key",
        "6:4 tag",
    ]


def test_broken_yaml_is_told_with_its_place() -> None:
    assert findings("a: {b: 1\nc: 2") == ["2:2 not-yaml"]


def test_a_tab_is_told_with_a_remedy() -> None:
    with pytest.raises(SourceError, match="YAML takes no tabs"):
        parse("a:\n\tb: 1\n")


def test_wrong_indentation_is_told_with_a_remedy() -> None:
    with pytest.raises(SourceError, match="begin the keys of a mapping, or the '-' of a list, in one column"):
        parse("a:\n  - b: 1\n   c: 2\n")


def test_a_control_character_is_told_with_its_place() -> None:
    assert findings("a: ü\nb: x\x00") == ["2:5 not-yaml"]


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, "a: " + "[" * 60 + "]" * 60])
def test_what_is_nested_too_deep_is_told(text: str) -> None:
    assert [finding.split()[1] for finding in findings(text)] == ["too-deep"]


@pytest.mark.parametrize(
    "text",
    [
        "- {pin: 4711: x}",
        "- {secrets: {PIN1: 4711}, x: [}",
        "secrets:\n  PUK: 4711: x",
        "- {new: '4711', ]",
        "- {verify_pin: user, pni: 4711, pni: 4711}",
        "- {Pin: 4711, a: 1, a: 2}",
        "- {verify_pin: 4711, a: 1, a: 2}",
        "- {secret: {A: 4711}, a: 1, a: 2}",
    ],
)
def test_no_message_quotes_a_secret_even_where_the_key_or_the_text_is_wrong(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse(text)

    assert "4711" not in str(caught.value)
    assert "****" in str(caught.value)


def test_a_line_is_quoted_without_the_secrets_in_it() -> None:
    node = parse(
        "a: {pin: '1234', x: {secrets: {PUK: 99998888}}, bind: $(y), puk: $(z)}\nnew: |\n  55556666\n"
    )
    quoted = node.span.source.text
    assert (
        quoted
        == "a: {pin: ******, x: {secrets: {PUK: ********}}, bind: $(y), puk: $(z)}\nnew: *\n  ********\n"
    )
    assert plain(node)["a"]["pin"] == "1234"


def test_two_documents_are_refused() -> None:
    assert findings("a: 1\n---\nb: 2\n") == ["2:1 not-yaml"]


def test_an_empty_file_is_an_empty_mapping() -> None:
    assert plain(parse("")) == {}


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.text("abc 0123\n:#'\"{}[]é", max_size=12)
    )
)
def test_quoted_texts_come_through_unchanged(values: dict[str, str]) -> None:
    node = parse("\n".join(f"{key}: {json.dumps(value)}" for key, value in values.items()))
    assert plain(node) == values
    assert all(isinstance(entry.value, TextNode) for entry in node)
