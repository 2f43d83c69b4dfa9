"""Challenges, and authentication with keys."""

from __future__ import annotations

import pytest

from cardtwin.card.crypto.authentication import Method, respond
from support.cardbench import OK, CardBench, command
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


def test_internal_authentication_signs_what_the_card_pads(bench: CardBench) -> None:
    bench.put_key(0x11, crt(KEY), algorithm="8A")
    verified(bench.ok(command("00880011", DIGEST_INFO.hex(), "00")))
    assert bench.send(command("00880000", DIGEST_INFO.hex(), "00")) == "6985"
    bench.ok("002241A403830111")
    verified(bench.ok(command("00880000", DIGEST_INFO.hex(), "00")))
    assert bench.send(command("00880012", DIGEST_INFO.hex(), "00")) == "6A88"
