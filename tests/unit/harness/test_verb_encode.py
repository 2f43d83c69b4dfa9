"""The verb encode: what its fields may be mapped to, and what it keeps to itself."""

from __future__ import annotations

from typing import Any

import pytest

from cardtwin import targets
from cardtwin.scenario import Verdict, load, run
from cardtwin.source import SourceError

EMPTY = "\n  a.dsc: |\n    [Encoding]\n"


def test_a_target_that_is_none_is_told_when_the_file_is_read(scenario: Any) -> None:
    steps = '- {encode: a.dsc, fields: {F: {to: "${Card_PIN"}}}'

    with pytest.raises(SourceError, match="neither"):
        load(scenario(steps, files=EMPTY, readers="{R1: cardos-5.3}"))


def test_a_refused_encoding_shows_no_secret_that_was_expected(scenario: Any) -> None:
    steps = (
        '- {encode: a.dsc, pool: {Card_PIN: {encrypted: ""}, Card_Note: {plain: old}},'
        ' expect: {result: success, pool: {Card_PIN: "93719371", Card_Note: new}}}'
    )
    (instance,) = load(scenario(steps, files=EMPTY, readers="{R1: cardos-5.3}"))
    result = run(instance, targets.get("emulated"))
    assert result.verdict is Verdict.FAILED
    assert result.failed_step is not None
    assert result.failed_step.failure is not None
    assert "result: refused" in result.failed_step.failure.actual
    assert "pool.Card_Note: old" in result.failed_step.failure.actual
    assert "9371" not in repr(result)
