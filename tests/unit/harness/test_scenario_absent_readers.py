"""Readers that come and go in a scenario."""

from __future__ import annotations

from typing import Any

import pytest

from cardtwin import targets
from cardtwin.scenario import ScenarioResult, Verdict, load, run

READERS = "{R1: cardos-5.3, R2: absent, R3: empty}"


def ran(scenario: Any, steps: str, **keys: str) -> ScenarioResult:
    (instance,) = load(scenario(steps, **{"readers": READERS, **keys}))
    return run(instance, targets.get("emulated"))


def test_an_absent_reader_is_none_until_it_is_attached(scenario: Any) -> None:
    steps = """\
- {check: {readers: [R1, R3]}, on: R1}
- {reader: attach, on: R2}
- {check: {readers: [R1, R3, R2]}, on: R1}
- {reader: detach, on: R3}
- {check: {readers: [R1, R2]}, on: R1}
"""
    assert ran(scenario, steps).verdict is Verdict.PASSED


def test_a_card_goes_into_a_reader_that_was_attached_and_goes_with_it(scenario: Any) -> None:
    steps = """\
- {reader: attach, on: R2}
- {card: insert, which: A, on: R2}
- {apdu: 00 A4 00 0C, on: R2}
- {reader: detach, on: R2}
- {card: insert, which: A, on: R3}
- {apdu: 00 A4 00 0C, on: R3}
"""
    assert ran(scenario, steps, cards="{A: {model: cardos-4.4}}").verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ("{reader: attach, on: R1}", "there is a reader 'R1' already"),
        ("{reader: detach, on: R2}", "there is no reader 'R2', only R1, R3"),
        ("{card: insert, which: A, on: R2}", "there is no reader 'R2', only R1, R3"),
    ],
)
def test_what_cannot_be_done_with_a_reader_fails_with_the_reason(scenario: Any, step: str, why: str) -> None:
    result = ran(scenario, f"- {step}", cards="{A: {model: cardos-4.4}}")
    assert result.verdict is not Verdict.PASSED
    assert why in str(result)


def test_a_reader_that_is_absent_may_have_a_pin_pad(scenario: Any) -> None:
    readers = "{R1: cardos-5.3, R2: {card: absent, pinpad: yes}}"
    (instance,) = load(scenario("- {reader: attach, on: R2}", readers=readers))
    assert instance.setup.absent == {"R2"}
    assert instance.setup.pinpads == {"R2"}
    assert run(instance, targets.get("emulated")).verdict is Verdict.PASSED
