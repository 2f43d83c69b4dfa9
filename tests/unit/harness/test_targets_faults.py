"""Faults and speed of cards: as they are written, and in the readers of a bench."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.card import CardView, models
from cardtwin.events import Hub, PowerChange, ReaderChanged
from cardtwin.pcsc import CardMuteError, CardRemovedError, NoSmartCardError
from cardtwin.scenario.faults import FaultModel
from cardtwin.targets import CardSetup, FaultSetup, Setup, TargetError
from cardtwin.targets.emulated import EmulatedBench, EmulatedTarget
from cardtwin.targets.faults import slow_models

if TYPE_CHECKING:
    from cardtwin.readers.wrappers.faults import Effect

READER = "R1"
SELECT = bytes.fromhex("00A4000C023F00")
CREATE = bytes.fromhex("00E000001B621980020010820101830244018501008609" + "00" * 9)
OK = b"\x90\x00"

WHOLE = st.integers(0, 999)
EFFECTS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "answer": {"sw": st.binary(min_size=2, max_size=2), "data": st.binary(min_size=1, max_size=8)},
    "delay": {"seconds": st.integers(0, 3600).map(float)},
    "mute": {"dead": st.booleans()},
    "remove": {"carried_out": st.booleans()},
    "tear": {"writes": WHOLE},
}
FAULTS = st.sampled_from(sorted(EFFECTS)).flatmap(
    lambda do: st.fixed_dictionaries(
        {"do": st.just(do), **EFFECTS[do]},
        optional={
            "at": st.binary(min_size=1, max_size=6),
            "after": WHOLE,
            "times": st.none() | st.integers(1, 999),
        },
    )
)


def written(value: object) -> str:
    match value:
        case bytes():
            return value.hex().upper()
        case bool():
            return "yes" if value else "no"
        case None:
            return "always"
        case _:
            return str(value)


@given(FAULTS)
def test_words_and_keys_of_a_scenario_are_the_same_fault(given: dict[str, Any]) -> None:
    texts = {key: written(value) for key, value in given.items()}
    fault = FaultSetup(**given)
    assert FaultSetup.parse(" ".join(f"{key}={text}" for key, text in texts.items())) == fault
    assert FaultModel.model_validate(texts).setup() == fault


def test_a_scenarios_fault_has_the_keys_of_a_fault_and_no_others() -> None:
    assert tuple(FaultModel.model_fields) == tuple(field.name for field in fields(FaultSetup))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "'do' is missing"),
        ("at=00", "'do' is missing"),
        ("do=mut", "did you mean 'mute'"),
        ("mute", "no KEY=VALUE"),
        ("do=mute afte=1", "did you mean 'after'"),
        ("do=mute do=tear", "given twice"),
        ("do=mute at=0", "'at': '0' is no hex"),
        ("do=mute after=-1", "'after': '-1' is no number"),
        ("do=mute times=0", "'times' is 1 or more"),
        ("do=mute dead=maybe", "neither yes nor no"),
        ("do=mute sw=9000", "'sw' does not belong to 'do: mute'"),
        ("do=answer", "needs 'sw'"),
        ("do=answer sw=90", "two bytes"),
        ("do=delay seconds=nan", "'nan' is no number"),
        ("do=delay seconds=1e9", "between 0 and 3600"),
        ("do=tear", "needs 'writes'"),
    ],
)
def test_what_is_no_fault_is_told_with_the_text(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match="fault ") as refused:
        FaultSetup.parse(text)

    assert reason in str(refused.value)
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize(
    ("text", "effect"),
    [
        ("do=answer sw=6F00 data=01", "Answer(response=b'\\x01o\\x00')"),
        ("do=delay seconds=0.5", "Delay(seconds=0.5)"),
        ("do=mute dead=yes", "Mute(dead=True)"),
        ("do=remove carried_out=yes", "Removal(carried_out=True)"),
        ("do=tear writes=2", "Tear(writes=2)"),
    ],
)
def test_each_fault_has_its_effect(text: str, effect: str) -> None:
    found: Effect = FaultSetup.parse(text).fault().effect
    assert repr(found) == effect


def bench(*faults: str, **more: Any) -> EmulatedBench:
    card = CardSetup("cardos-5.3", faults=tuple(map(FaultSetup.parse, faults)), **more)
    return EmulatedBench(Setup({READER: "A"}, {"A": card}, {}, seed="faults"), Hub())


def test_a_card_on_a_bench_has_its_faults() -> None:
    with bench("do=answer at=00A4 after=1 sw=6F00") as found:
        connection = found.connection("p", READER)
        assert [connection.transmit(SELECT) for _ in range(3)] == [OK, b"\x6f\x00", OK]


def test_a_card_may_take_itself_out_while_it_is_put_in() -> None:
    with bench("do=remove") as found:
        found.desk.remove(READER)
        seen: list[str] = []

        def use_at_once(event: object) -> None:
            if isinstance(event, ReaderChanged) and event.change is PowerChange.POWERED_ON:
                try:
                    found.make_context().connect(READER).transmit(SELECT)
                except CardRemovedError as error:
                    seen.append(error.name)

        unsubscribe = found.hub.subscribe(use_at_once)
        found.desk.insert(READER, "A")
        unsubscribe()
        assert seen == ["SCARD_W_REMOVED_CARD"]
        assert found.desk.card_in(READER) is None


def test_a_card_that_takes_itself_out_can_be_put_in_again() -> None:
    with bench("do=remove") as found:
        connection = found.connection("p", READER)

        with pytest.raises(CardRemovedError):
            connection.transmit(SELECT)

        with pytest.raises(NoSmartCardError):
            found.connection("p", READER)

        with pytest.raises(TargetError, match="no card"):
            found.desk.remove(READER)

        found.desk.insert(READER, "A")
        assert found.connection("p", READER).transmit(SELECT) == OK


def test_a_torn_command_leaves_the_memory_as_it_was_in_between() -> None:
    with bench("do=tear at=00E0 writes=0") as found:
        connection = found.connection("p", READER)

        with pytest.raises(CardMuteError):
            connection.transmit(CREATE)

        assert "3F00/4401" not in CardView(found.desk.image(READER)).files


def test_nobody_waits_for_a_slow_card_in_this_process_but_its_clock_goes() -> None:
    with bench("do=delay seconds=600", real_speed=True) as found:
        before = found.now()
        assert found.connection("p", READER).transmit(SELECT) == OK
        assert (found.now() - before).total_seconds() > 600


def test_real_seconds_pass_where_the_bench_is_told_how() -> None:
    slept: list[float] = []
    setup = Setup({READER: "A"}, {"A": CardSetup("cardos-5.3", real_speed=True)}, {})

    with EmulatedBench(setup, Hub(), sleep=lambda seconds, _: slept.append(seconds)) as found:
        found.connection("p", READER).transmit(SELECT)

    assert slept
    assert all(seconds > 0 for seconds in slept)


def test_a_speed_that_is_not_known_is_refused_at_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cardtwin.targets.faults.SPEEDS", {})
    setup = Setup({READER: "A"}, {"A": CardSetup("cardos-5.3", real_speed=True)}, {})
    ((place, message),) = EmulatedTarget().problems(setup)
    assert place == ("cards", "A", "speed")
    assert "how fast a real cardos-5.3 is" in message

    with pytest.raises(TargetError, match="how fast"):
        EmulatedBench(setup, Hub())


def test_the_speeds_are_those_of_models_that_there_are() -> None:
    assert set(slow_models()) <= set(models.names())
