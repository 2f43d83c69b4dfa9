"""Readers with a PIN pad in scenario files, and the verb that says what a person enters there."""

from __future__ import annotations

from typing import Any

import pytest

from cardtwin import targets
from cardtwin.scenario import ScenarioResult, Verdict, load, run
from cardtwin.scenario.verbs.pinpad import Enter
from cardtwin.source import SourceError

PAD = "{R1: {card: cardos-5.3, pinpad: yes}}"


def ran(scenario: Any, steps: str, readers: str = PAD) -> ScenarioResult:
    (instance,) = load(scenario(steps, readers=readers))
    return run(instance, targets.get("emulated"))


@pytest.mark.parametrize(
    "readers",
    [
        PAD,
        "{R1: {card: cardos-5.3}}",
        "{R1: cardos-5.3}",
        "{R1: {card: empty, pinpad: yes}, R2: cardos-4.4}",
    ],
)
def test_a_reader_is_a_card_or_says_what_it_has_besides(scenario: Any, readers: str) -> None:
    (instance,) = load(scenario("- {check: {readers: [R1]}, on: R1}", readers=readers))
    assert instance.setup.pinpads == ({"R1"} if "pinpad" in readers else set())
    assert instance.setup.readers["R1"] == (None if "empty" in readers else "R1")


def test_a_card_of_its_own_is_put_into_a_reader_with_a_pin_pad(scenario: Any) -> None:
    keys = {"cards": "{A: {model: cardos-5.3}}", "readers": "{R1: {card: A, pinpad: yes}}"}
    (instance,) = load(scenario("- {card: remove}", **keys))
    assert instance.setup.readers == {"R1": "A"}


@pytest.mark.parametrize(
    ("readers", "message"),
    [
        ("{R1: {pinpad: yes}}", "'card'"),
        ("{R1: {card: cardos-5.3, pinpad: perhaps}}", "pinpad"),
        ("{R1: {card: cardos-5.3, pin_pad: yes}}", "pin_pad"),
        ("{R1: {card: cardos-9, pinpad: yes}}", "cardos-9"),
    ],
)
def test_what_is_wrong_with_a_reader_is_told(scenario: Any, readers: str, message: str) -> None:
    with pytest.raises(SourceError) as refused:
        load(scenario("- {card: remove}", readers=readers))

    assert message in str(refused.value)


def test_an_entry_is_masked_in_why_a_step_failed(scenario: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Enter, "run", _tell)
    result = ran(scenario, "- {enter: [47114711, cancel]}")
    assert result.failed_step is not None
    assert "it is *** and cancel" in str(result.failed_step.failure)


def _tell(_step: Enter, _run: object) -> None:
    raise ValueError("it is 47114711 and cancel")


def test_a_reader_without_a_pin_pad_fails_the_step(scenario: Any) -> None:
    result = ran(scenario, "- {enter: 1234}", readers="{R1: cardos-5.3}")
    assert result.verdict is Verdict.FAILED
    assert result.failed_step is not None
    assert "has no PIN pad" in str(result.failed_step.failure)


@pytest.mark.parametrize("entry", ["[]", "12a456", "[471147, Cancel]", "{pin: 471147}"])
def test_only_digits_and_two_words_are_entered_and_no_message_repeats_them(scenario: Any, entry: str) -> None:
    with pytest.raises(SourceError) as refused:
        load(scenario(f"- {{enter: {entry}}}", readers=PAD))

    assert "12a456" not in str(refused.value)
    assert "471147" not in str(refused.value)


def test_a_broken_file_shows_no_entry(scenario: Any) -> None:
    with pytest.raises(SourceError) as refused:
        load(scenario("- {enter: [471147, 228228], on: [}", readers=PAD))

    assert "471147" not in str(refused.value)
    assert "228228" not in str(refused.value)
