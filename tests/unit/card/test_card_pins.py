"""PINs and PUKs: counting, blocking, changing, unblocking, and what they open."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.card import CardView, models
from cardtwin.provenance import Switches
from support.cardbench import CardBench, command, pin

RIGHT = command("00200081", pin("1234"))
WRONG = command("00200081", pin("9999"))


@pytest.fixture(params=["cardos-4.4", "cardos-5.3"])
def bench(request: pytest.FixtureRequest) -> CardBench:
    """A card with PIN 01 (three tries) and its PUK 02 (ten) in the MF, an EF 0101 that PIN 01 opens."""
    return furnished(CardBench(request.param))


def furnished(bench: CardBench) -> CardBench:
    bench.put_pin(2, "87654321", tries=10, access="0002FF")
    bench.put_pin(1, "1234", access="000102")
    bench.create_ef("0101", 4, access="01010101010101FFFF")
    bench.ok("00A4000C")
    return bench


def tries(bench: CardBench, reference: int = 1) -> int:
    return CardView(bench.card.image).pins["3F00", reference].tries_left


def wrong(bench: CardBench, left: int) -> str:
    return f"63C{left:X}" if bench.card.model.name == "cardos-5.3" else "6300"


def test_the_right_pin_opens_what_names_it(bench: CardBench) -> None:
    bench.ok("00A4000C020101")
    assert bench.send("00B0000000") == "6982"
    assert bench.send(RIGHT) == "9000"
    assert bench.ok("00B0000000") == "00000000"
    assert bench.ok("00CA018400") == "01"


def test_a_wrong_pin_costs_one_try_and_the_right_one_gives_them_back(bench: CardBench) -> None:
    assert bench.send(WRONG) == wrong(bench, 2)
    assert tries(bench) == 2
    bench.ok(RIGHT)
    assert tries(bench) == 3


def test_a_wrong_pin_ends_the_verification(bench: CardBench) -> None:
    bench.ok(RIGHT)
    bench.send(WRONG)
    bench.ok("00A4000C020101")
    assert bench.send("00B0000000") == "6982"


def test_without_tries_the_right_pin_is_refused(bench: CardBench) -> None:
    assert [bench.send(WRONG) for _ in range(3)] == [wrong(bench, 2), wrong(bench, 1), wrong(bench, 0)]
    assert bench.send(RIGHT) == "6983"
    assert bench.send(WRONG) == "6983"
    assert CardView(bench.card.image).pins["3F00", 1].blocked
    bench.reset()
    assert bench.send(RIGHT) == "6983"


@pytest.mark.parametrize("model", ["cardos-4.4", "cardos-5.3"])
def test_a_switch_has_the_last_try_told_as_blocked(model: str) -> None:
    bench = furnished(CardBench(model, switches=Switches({"card.blocking-try": "blocked"})))
    assert [bench.send(WRONG) for _ in range(4)][2:] == ["6983", "6983"]


@pytest.mark.parametrize("presented", ["31323334", "313233340000000000", "31"])
def test_a_pin_of_another_length_costs_no_try(bench: CardBench, presented: str) -> None:
    assert bench.send(command("00200081", presented)) == "6700"
    assert tries(bench) == 3


def test_an_unknown_reference_is_told(bench: CardBench) -> None:
    assert bench.send(command("00200085", pin("1234"))) == "6A88"
    assert bench.send("00200005") == "6A88"
    assert bench.send(command("00200000", pin("1234"))) == "6A88"


def test_only_version_5_tells_the_tries_left() -> None:
    old, new = furnished(CardBench("cardos-4.4")), furnished(CardBench("cardos-5.3"))
    assert old.send("00200081") == "6700"
    assert new.send("00200081") == "63C3"
    assert new.send("00200001") == "63C3"
    new.send(WRONG)
    assert new.send("00200081") == "63C2"
    new.ok(RIGHT)
    assert new.send("00200081") == "9000"
    new.reset()
    assert new.send("00200081") == "63C3"
    [new.send(WRONG) for _ in range(3)]
    assert new.send("00200081") == "6983"


def test_a_switch_has_the_tries_told_also_where_the_pin_is_verified() -> None:
    bench = furnished(CardBench("cardos-5.3", switches=Switches({"card.verified-status": "tries"})))
    bench.ok(RIGHT)
    assert bench.send("00200081") == "63C3"


def test_asking_for_the_tries_changes_nothing(bench: CardBench) -> None:
    bench.ok(RIGHT)
    before = bench.card.image
    bench.send("00200081")
    assert bench.card.image is before
    assert bench.ok("00CA018400") == "01"


def test_a_reference_with_bit_80_climbs_and_one_without_looks_in_the_mf(bench: CardBench) -> None:
    bench.create_df("5015", aid="")
    bench.put_pin(7, "7777")
    bench.create_df("5072", aid="")
    assert bench.send(RIGHT) == "9000"
    assert bench.send(command("00200001", pin("1234"))) == "9000"
    assert bench.send(command("00200087", pin("7777"))) == "9000"
    assert bench.send(command("00200007", pin("7777"))) == "6A88"


def test_the_nearest_pin_of_a_reference_is_the_one_meant(bench: CardBench) -> None:
    bench.create_df("5015", aid="")
    bench.put_pin(1, "5555")
    bench.create_ef("0101", 1, access="01" * 9)
    assert bench.send(RIGHT) == wrong(bench, 2)
    assert bench.send("00B0000000") == "6982"
    bench.ok(command("00200081", pin("5555")))
    assert bench.ok("00B0000000") == "00"
    bench.ok("00A4080C020101")
    assert bench.send("00B0000000") == "6982"


def test_the_pin_is_changed_with_the_old_one(bench: CardBench) -> None:
    assert bench.send(command("00240081", pin("1234") + pin("56789"))) == "9000"
    assert bench.send(RIGHT) == wrong(bench, 2)
    assert bench.send(command("00200081", pin("56789"))) == "9000"


def test_a_change_leaves_the_verification_as_it_is(bench: CardBench) -> None:
    bench.ok(command("00240081", pin("1234") + pin("5678")))
    assert bench.ok("00CA018400") == ""
    bench.ok(command("00200081", pin("5678")))
    bench.ok(command("00240081", pin("5678") + pin("1234")))
    assert bench.ok("00CA018400") == "01"
    bench.send(command("00240081", pin("9999") + pin("5678")))
    assert bench.ok("00CA018400") == ""


def test_unblocking_ends_the_verification(bench: CardBench) -> None:
    bench.ok(RIGHT)
    bench.ok(command("002C0081", pin("87654321") + pin("2468")))
    assert bench.ok("00CA018400") == ""


def test_a_wrong_old_pin_costs_a_try_and_changes_nothing(bench: CardBench) -> None:
    assert bench.send(command("00240081", pin("9999") + pin("5678"))) == wrong(bench, 2)
    assert bench.send(RIGHT) == "9000"


@pytest.mark.parametrize("data", [pin("1234"), pin("1234") + pin("56789")[:-2], pin("1234") + pin("567")])
def test_an_unfit_new_pin_costs_no_try_and_changes_nothing(bench: CardBench, data: str) -> None:
    expected = "6A80" if len(data) == 32 else "6700"
    before = bench.card.image
    assert bench.send(command("00240081", data)) == expected
    assert bench.card.image == before


def test_a_pin_is_changed_without_the_old_one_where_the_condition_is_met(bench: CardBench) -> None:
    bench.put_pin(3, "3333", access="0001FF")
    assert bench.send(command("00240103", pin("4444"))) == "6982"
    bench.ok(RIGHT)
    bench.ok(command("00240103", pin("4444")))
    assert bench.send(command("00200003", pin("4444"))) == "9000"


def test_a_pin_that_must_not_be_changed_is_not(bench: CardBench) -> None:
    bench.put_pin(3, "3333", access="00FFFF")
    assert bench.send(command("00240083", pin("3333") + pin("4444"))) == "6982"
    assert bench.send(command("00240103", pin("4444"))) == "6982"
    assert tries(bench, 3) == 3


def test_the_puk_unblocks_and_sets_a_new_pin(bench: CardBench) -> None:
    [bench.send(WRONG) for _ in range(3)]
    assert bench.send(command("002C0081", pin("87654321") + pin("2468"))) == "9000"
    assert bench.send("00B0000000") == "6986"
    assert bench.ok("00CA018400") == ""
    assert bench.send(command("00200081", pin("2468"))) == "9000"
    assert tries(bench) == 3
    assert tries(bench, 2) == 10


def test_a_wrong_puk_costs_one_of_its_tries_and_the_pin_stays_blocked(bench: CardBench) -> None:
    [bench.send(WRONG) for _ in range(3)]
    assert bench.send(command("002C0081", pin("11111111") + pin("2468"))) == wrong(bench, 9)
    assert tries(bench, 2) == 9
    assert bench.send(command("00200081", pin("2468"))) == "6983"


def test_a_blocked_puk_unblocks_nothing(bench: CardBench) -> None:
    [bench.send(command("002C0081", pin("11111111") + pin("2468"))) for _ in range(10)]
    assert bench.send(command("002C0081", pin("87654321") + pin("2468"))) == "6983"


def test_an_unfit_new_pin_leaves_pin_and_puk_as_they_are(bench: CardBench) -> None:
    before = bench.card.image
    assert bench.send(command("002C0081", pin("87654321") + pin("12"))) == "6A80"
    assert bench.send(command("002C0081", pin("87654321"))) == "6700"
    assert bench.card.image == before


def test_without_a_puk_there_is_no_unblocking(bench: CardBench) -> None:
    bench.put_pin(3, "3333")
    assert bench.send(command("002C0083", pin("87654321") + pin("2468"))) == "6982"
    assert bench.send("002C0303") == "6982"


def test_a_puk_is_used_under_its_condition(bench: CardBench) -> None:
    bench.put_pin(4, "44444444", tries=3, access="0104FF")
    bench.put_pin(3, "3333", access="000304")
    unblock = command("002C0083", pin("44444444") + pin("2468"))
    assert bench.send(unblock) == "6982"
    assert tries(bench, 4) == 3
    bench.ok(RIGHT)
    bench.ok(unblock)


def test_a_test_key_is_no_puk(bench: CardBench) -> None:
    assert bench.put_object("8302000685080203020" + "3FFFF00008603000000" + "8F10" + "00" * 16) == "9000"
    bench.put_pin(3, "3333", access="000306")
    assert bench.send(command("002C0083", "00" * 16 + pin("2468"))) == "6984"


def test_the_counter_alone_is_reset_where_the_condition_is_met(bench: CardBench) -> None:
    [bench.send(WRONG) for _ in range(3)]
    assert bench.send("002C0301") == "6982"
    bench.ok(command("00200002", pin("87654321")))
    bench.ok("002C0301")
    assert bench.send(RIGHT) == "9000"


def test_logging_out_forgets_everything(bench: CardBench) -> None:
    bench.ok(RIGHT)
    bench.ok(command("00200002", pin("87654321")))
    assert bench.ok("00CA018400") == "0102"
    bench.ok("80EA0000")
    assert bench.ok("00CA018400") == ""


def test_a_condition_may_rest_on_one_verification_as_often_as_consent_says(bench: CardBench) -> None:
    bench.put_pin(3, "3333", consent=1)
    bench.create_ef("0103", 1, access="03" * 9)
    for _ in range(2):
        bench.ok(command("00200083", pin("3333")))
        assert bench.ok("00B0000000") == "00"
        assert bench.send("00B0000000") == "6982"


def test_a_use_counter_runs_out(bench: CardBench) -> None:
    text = "83020005" + "8508020387 0302FF0004".replace(" ", "") + "86030005FF" + "8F08" + pin("5555")
    assert bench.put_object(text) == "9000"
    good = command("00200085", pin("5555"))
    assert [bench.send(good) for _ in range(3)] == ["9000", "9000", "6985"]


@pytest.mark.parametrize(("option", "told"), [("04", "63C2"), ("FB", "6300")])
def test_a_bit_of_a_second_option_byte_has_version_4_tell_the_tries_left(option: str, told: str) -> None:
    bench = CardBench()
    text = f"83020005850902{option}038703FFFF0004" + "86030005FF" + "8F08" + pin("5555")
    assert bench.put_object(text) == "9000"
    assert bench.send(command("00200085", pin("9999"))) == told


def test_a_condition_that_names_no_object_is_never_met(bench: CardBench) -> None:
    bench.create_ef("0104", 1, access="33" * 9)
    assert bench.send("00B0000000") == "6982"
    bench.create_ef("0105", 1, access="81" * 9)
    bench.ok(RIGHT)
    assert bench.send("00B0000000") == "6982"


def test_the_quirk_that_drops_pins_at_select_is_a_property_of_the_model() -> None:
    quirky = replace(models.get("cardos-4.4"), quirks=frozenset({"drop_pin_on_select"}))
    seen = []

    for model in (quirky, models.get("cardos-4.4")):
        bench = furnished(CardBench(model))
        bench.ok(RIGHT)
        bench.ok("00A4000C020101")
        seen.append(bench.ok("00CA018400"))
        bench.ok("00A4000C")
        seen.append(bench.ok("00CA018400"))

    assert seen == ["01", "", "01", "01"]


@given(presented=st.lists(st.sampled_from(["1234", "9999", "0000"]), max_size=12))
def test_the_counter_always_is_tries_minus_wrong_pins_since_the_last_right_one(presented: list[str]) -> None:
    bench = furnished(CardBench())
    left = 3

    for value in presented:
        response = bench.send(command("00200081", pin(value)))
        expected = "6983" if not left else "9000" if value == "1234" else "6300"
        left = left and (3 if value == "1234" else left - 1)
        assert response == expected
        assert tries(bench) == left
