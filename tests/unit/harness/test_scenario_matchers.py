from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from cardtwin.plan import Secret
from cardtwin.scenario.matchers import (
    FlagMatcher,
    HexMatcher,
    Matcher,
    NumberMatcher,
    SecretMatcher,
    TextListMatcher,
    TextMatcher,
)


def matcher(kind: Any, written: Any) -> Matcher:
    parsed: Matcher = TypeAdapter(kind).validate_python(written)
    return parsed


@pytest.mark.parametrize(
    ("kind", "written", "value", "fits"),
    [
        (HexMatcher, "90 00", b"\x90\x00", True),
        (HexMatcher, "6a82", b"\x6a\x82", True),
        (HexMatcher, "9000", b"\x90\x01", False),
        (HexMatcher, {"any": "2"}, b"ab", True),
        (HexMatcher, {"any": "2"}, b"abc", False),
        (HexMatcher, {"match": "63C[0-9A-F]"}, b"\x63\xca", True),
        (HexMatcher, {"match": "63C"}, b"\x63\xca", False),
        (HexMatcher, {"bind": "x"}, b"", True),
        (HexMatcher, {"bind": "x"}, None, False),
        (TextMatcher, "success", "success", True),
        (TextMatcher, "success", "error", False),
        (TextMatcher, {"match": ".*#[0-9a-f]{4}"}, "No key matching\n#12ab", True),
        (TextMatcher, {"any": "3"}, "abc", True),
        (TextMatcher, "x", None, False),
        (NumberMatcher, "0x0C", 12, True),
        (NumberMatcher, "3", 2, False),
        (NumberMatcher, "1", True, False),
        (NumberMatcher, {"match": "[12]"}, 2, True),
        (FlagMatcher, "yes", True, True),
        (FlagMatcher, "no", True, False),
        (SecretMatcher, "1234", Secret(b"1234"), True),
        (SecretMatcher, "1235", Secret(b"1234"), False),
        (SecretMatcher, {"match": "[0-9]{4}"}, Secret(b"1234"), True),
        (TextListMatcher, ["a", "b"], ("a", "b"), True),
        (TextListMatcher, ["a"], ("a", "b"), False),
        (TextListMatcher, {"any": "0"}, (), True),
    ],
)
def test_a_matcher_compares(kind: Any, written: Any, value: Any, fits: bool) -> None:  # a column of the table
    assert matcher(kind, written).matches(value) is fits


@pytest.mark.parametrize(
    ("kind", "written", "message"),
    [
        (HexMatcher, "9", "no whole number of bytes"),
        (HexMatcher, "9G", "'G' is no hex digit"),
        (HexMatcher, {"anny": "2"}, "did you mean 'any'"),
        (HexMatcher, {"any": "2", "match": "x"}, "is no matcher"),
        (HexMatcher, {}, "is no matcher"),
        (HexMatcher, {"any": "two"}, "no number"),
        (HexMatcher, {"match": "("}, "no regular expression"),
        (HexMatcher, {"bind": "a b"}, "no name"),
        (HexMatcher, {"any": ["2"]}, "takes a text"),
        (HexMatcher, ["90"], "not a list"),
        (NumberMatcher, "12a", "no number"),
        (FlagMatcher, "maybe", "neither yes nor no"),
        (TextListMatcher, "a", "list of texts"),
    ],
)
def test_a_wrong_matcher_is_told_when_it_is_read(kind: Any, written: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        matcher(kind, written)


def test_an_expected_secret_is_not_shown() -> None:
    assert "1234" not in matcher(SecretMatcher, "1234").describe()
