"""Oddities of single cards: what each does on both systems, and that none is there unless switched on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.card import models
from cardtwin.card.chip.quirks import quirks
from support.cardbench import AID, OK, CardBench, command, pin
from support.cardkeys import DECIPHER, KEY, PADDED, SIGN, crt, whole

MODELS = ("cardos-4.4", "cardos-5.3")
QUIRKS = ("drop_pin_on_select", "one_signature_per_verify", "unknown_aid_resets")
GUARDED = "01" * 7
VERIFY = command("00200081", pin("1234"))
CHOOSE = {"cardos-4.4": "002241{}0383010{}", "cardos-5.3": "002241{}0384010{}"}
FOREIGN = command("00A4040C", "A000000308000010000100")


def bench_of(model: str, *switched_on: str) -> CardBench:
    """Return a bench whose card has a PIN 1, two keys that it guards and one that nobody guards."""
    bench = CardBench(replace(models.get(model), quirks=frozenset(switched_on)))
    bench.put_pin(1, "1234")
    bench.put_pin(2, "5678")
    bench.create_df()
    bench.create_ef("0101", 16)
    bench.put_key(1, crt(KEY), algorithm="8A", access=GUARDED)
    bench.put_key(2, crt(KEY), algorithm="0A", access=GUARDED)
    bench.put_key(3, crt(KEY), algorithm="8A")
    bench.ok("00A4000C025015")
    return bench


def choose(bench: CardBench, key: int, template: str = "B6") -> None:
    bench.ok(CHOOSE[bench.card.model.name].format(template, key))


def signed(bench: CardBench, key: int = 1) -> str:
    """Return the status word of a signature."""
    choose(bench, key)
    return whole(bench, SIGN, PADDED)[-4:]


@pytest.mark.parametrize("model", MODELS)
def test_no_card_of_the_catalogue_has_a_quirk(model: str) -> None:
    assert not models.get(model).quirks
    assert set(quirks()) >= set(QUIRKS)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("switched_on", "status"), [((), OK), (("drop_pin_on_select",), "6982")])
@pytest.mark.parametrize(
    "select",
    [
        pytest.param("00A4000C025015", id="by identifier"),
        pytest.param("00A4080C025015", id="by path"),
        pytest.param(command("00A4040C", AID), id="by name"),
    ],
)
def test_by_a_quirk_selecting_a_df_forgets_the_pin(
    model: str, switched_on: tuple[str, ...], status: str, select: str
) -> None:
    bench = bench_of(model, *switched_on)
    bench.ok(VERIFY)
    assert signed(bench) == OK
    bench.ok(select)
    assert signed(bench) == status
    bench.ok(VERIFY)
    assert signed(bench) == OK


@pytest.mark.parametrize("model", MODELS)
def test_selecting_an_ef_forgets_no_pin_with_the_quirk_either(model: str) -> None:
    bench = bench_of(model, "drop_pin_on_select")
    bench.ok(VERIFY)
    bench.ok("00A4000C020101")
    assert signed(bench) == OK


@pytest.mark.parametrize("model", MODELS)
def test_a_select_that_fails_forgets_no_pin_with_the_quirk_either(model: str) -> None:
    bench = bench_of(model, "drop_pin_on_select")
    bench.ok(VERIFY)
    assert bench.send("00A4000C020999") == "6A82"
    assert signed(bench) == OK


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("switched_on", "status"), [((), OK), (("one_signature_per_verify",), "6982")])
def test_by_a_quirk_a_pin_is_good_for_one_signature(
    model: str, switched_on: tuple[str, ...], status: str
) -> None:
    bench = bench_of(model, *switched_on)
    bench.ok(VERIFY)
    assert [signed(bench), signed(bench)] == [OK, status]
    bench.ok(VERIFY)
    assert signed(bench) == OK


@pytest.mark.parametrize("model", MODELS)
def test_deciphering_is_a_use_of_the_key_too(model: str) -> None:
    bench = bench_of(model, "one_signature_per_verify")
    bench.ok(VERIFY)
    choose(bench, 2, "B8")
    assert whole(bench, DECIPHER, b"\0" + PADDED)[-4:] == OK
    assert signed(bench) == "6982"


@pytest.mark.parametrize("model", MODELS)
def test_authenticating_to_the_outside_is_a_use_of_the_key_too(model: str) -> None:
    bench = bench_of(model, "one_signature_per_verify")
    bench.ok(VERIFY)
    bench.ok("00880001081122334455667788" + "00")
    assert signed(bench) == "6982"


@pytest.mark.parametrize("model", MODELS)
def test_a_signature_that_fails_leaves_the_pin_with_the_quirk(model: str) -> None:
    bench = bench_of(model, "one_signature_per_verify")
    bench.ok(VERIFY)
    choose(bench, 1)
    assert whole(bench, SIGN, b"\xff" * 256) == "6A80"
    assert signed(bench) == OK


@pytest.mark.parametrize("model", MODELS)
def test_the_quirk_forgets_only_the_pin_that_guards_the_key(model: str) -> None:
    bench = bench_of(model, "one_signature_per_verify")
    bench.ok(VERIFY)
    bench.ok(command("00200082", pin("5678")))
    assert signed(bench, 3) == OK  # nobody guards it
    assert signed(bench) == OK
    assert bench.ok("00CA018400") == "02"


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("switched_on", "status"), [((), OK), (("unknown_aid_resets",), "6982")])
def test_by_a_quirk_a_probe_for_another_application_forgets_the_pin(
    model: str, switched_on: tuple[str, ...], status: str
) -> None:
    bench = bench_of(model, *switched_on)
    bench.ok(VERIFY)
    assert bench.send(FOREIGN) == "6A82"
    bench.ok("00A4000C025015")
    assert signed(bench) == status
    bench.ok(VERIFY)
    assert signed(bench) == OK


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("switched_on", "found"), [((), OK), (("unknown_aid_resets",), "6A82")])
def test_by_a_quirk_such_a_probe_leaves_the_application(
    model: str, switched_on: tuple[str, ...], found: str
) -> None:
    bench = bench_of(model, *switched_on)
    assert bench.send(FOREIGN) == "6A82"
    assert bench.send("00A4020C020101") == found


@pytest.mark.parametrize("model", MODELS)
def test_an_aid_that_the_card_has_is_no_probe(model: str) -> None:
    bench = bench_of(model, "unknown_aid_resets")
    bench.ok(VERIFY)
    bench.ok(command("00A4040C", AID))
    assert signed(bench) == OK


@given(
    model=st.sampled_from(MODELS),
    steps=st.lists(st.sampled_from(["verify", "select", "probe", "sign"]), max_size=8),
    switched_on=st.sets(st.sampled_from(QUIRKS)),
)
def test_signatures_succeed_exactly_while_nothing_has_forgotten_the_pin(
    model: str, steps: list[str], switched_on: set[str]
) -> None:
    bench = bench_of(model, *switched_on)
    known = False

    for step in steps:
        match step:
            case "verify":
                bench.ok(VERIFY)
                known = True
            case "select":
                bench.ok("00A4080C025015")
                known &= "drop_pin_on_select" not in switched_on
            case "probe":
                probe(bench)
                known &= "unknown_aid_resets" not in switched_on
            case _:
                assert signed(bench) == (OK if known else "6982")
                known &= "one_signature_per_verify" not in switched_on


def probe(bench: CardBench) -> None:
    """Look for an application that isn't there, and go back by a file, which is no SELECT of a DF."""
    assert bench.send(FOREIGN) == "6A82"
    bench.ok("00A4080C0450150101")
