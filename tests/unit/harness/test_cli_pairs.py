"""Values on the command line that may stand elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest

from cardtwin.cli.pairs import hidden_pairs, parameter

if TYPE_CHECKING:
    from pathlib import Path


def test_a_value_is_taken_from_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERE", "from the environment")
    (tmp_path / "file").write_text("first line\r\nsecond line\n")
    given = ["A=env:HERE", f"B=file:{tmp_path}/file", "C=text:env:HERE", "D=d=e", "E=other:kind"]
    assert hidden_pairs(given, "--secret") == {
        "A": "from the environment",
        "B": "first line",
        "C": "env:HERE",
        "D": "d=e",
        "E": "other:kind",
    }


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("env:NOWHERE", "A: the environment has no variable 'NOWHERE'"),
        ("file:/no/such/file", "A: '/no/such/file': No such file"),
        ("file:/bin/true", "A: '/bin/true' is no text in UTF-8"),
        ("env:BYTES", "A: the value is no text in UTF-8"),
        ("ab\udcff", "A: the value is no text in UTF-8"),
    ],
)
def test_what_is_no_value_is_told_by_its_name_and_not_repeated(
    value: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BYTES", "secret\udcff")

    for read in (lambda: hidden_pairs([f"A={value}"], "--secret"), lambda: parameter(value, "--param", "A")):
        with pytest.raises(click.BadParameter) as refused:
            read()

        assert told in str(refused.value)
        assert "secret" not in str(refused.value)


def test_a_parameter_is_hex_or_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEX", "0x00FF")
    assert [parameter(text) for text in ("0x00ff", "env:HEX", "ä")] == [b"\0\xff", b"\0\xff", b"\xc3\xa4"]

    with pytest.raises(click.BadParameter, match="A: behind 0x stand hex digits"):
        parameter("0xsecret", name="A")
