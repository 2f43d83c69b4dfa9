"""Challenges, and authentication with keys."""

from __future__ import annotations

import pytest

from cardtwin.card.crypto.authentication import Method, respond
from support.cardbench import OK, CardBench, command, pin
from support.cardkeys import (
    DIGEST_INFO,
    KEY,
    crt,
    verified,
)


@pytest.fixture
def bench() -> CardBench:
    return CardBench()


def test_a_challenge_is_as_long_as_asked_and_never_twice_the_same(bench: CardBench) -> None:
    challenges = [bench.ok("0084000008") for _ in range(5)]
    assert len(set(challenges)) == 5
    assert len(bench.ok("0084000000")) == 512
    assert bench.send("00840000") == "6700"


def test_random_numbers_from_outside_are_eight_bytes(bench: CardBench) -> None:
    assert bench.send("8086000008" + "11" * 8) == OK
    assert bench.send("8086000007" + "11" * 7) == "6700"


def test_external_authentication_opens_what_names_the_key(bench: CardBench) -> None:
    key = bytes(range(16))
    text = "83020011" + "8508020302" + "03FFFF0000" + "8603001111" + "8F10" + key.hex()
    assert bench.put_object(text) == OK
    bench.create_ef("0101", 1, access="11" * 9)
    good = respond(key, bytes.fromhex(bench.ok("0084000008")), Method.ENCRYPTION).hex()
    assert bench.send("00B0000000") == "6982"
    bench.ok(command("00820011", good))
    assert bench.ok("00B0000000") == "00"
    assert bench.send(command("00820011", good)) == "6985"
    bench.ok("0084000008")
    assert bench.send(command("00820011", good)) == "6300"
    assert bench.send("00B0000000") == "6982"
    assert bench.send(command("00820012", good)) == "6A88"


@pytest.mark.parametrize("model", ["cardos-5.0", "cardos-5.3", "cardos-5.4"])
def test_on_version_5_a_key_administers_what_its_fci_says_is_the_key_s(model: str) -> None:
    bench = CardBench(model)
    key = bytes(range(16))
    assert (
        bench.put_object("83020011" + "8508020302" + "03FFFF0000" + "8603001111" + "8F10" + key.hex()) == OK
    )
    bench.create_ef("0101", 1, access="0011" + "FF" * 7)
    assert "800106" + "A406830111950180" in bench.ok("00A40000020101" + "00")
    assert bench.send("00D6000001AA") == "6982"
    assert bench.send(command("00200011", pin("1234"))) == "6984"
    good = respond(key, bytes.fromhex(bench.ok("0084000008")), Method.ENCRYPTION)
    bench.ok(command("00820011", good.hex()))
    assert bench.ok("00CA018400") == "11"
    assert bench.send("00D6000001AA") == OK


def test_a_wrong_answer_costs_the_key_a_try_until_it_is_blocked() -> None:
    bench = CardBench("cardos-5.3")
    text = "83020011" + "8508020202" + "02FFFF0000" + "8603001111" + "8F10" + "00" * 16
    assert bench.put_object(text) == OK
    answers = []

    for _ in range(3):
        bench.ok("0084000008")
        answers.append(bench.send(command("00820011", "11" * 8)))

    assert answers == ["63C1", "63C0", "6983"]


def test_internal_authentication_signs_what_the_card_pads(bench: CardBench) -> None:
    bench.put_key(0x11, crt(KEY), algorithm="8A")
    verified(bench.ok(command("00880011", DIGEST_INFO.hex(), "00")))
    assert bench.send(command("00880000", DIGEST_INFO.hex(), "00")) == "6985"
    bench.ok("002241A403830111")
    verified(bench.ok(command("00880000", DIGEST_INFO.hex(), "00")))
    assert bench.send(command("00880012", DIGEST_INFO.hex(), "00")) == "6A88"
