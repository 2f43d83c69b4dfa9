"""PIN and admin key of a virtual smart card."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.card import CardView
from cardtwin.events import CardChange, CardChanged
from support.cardbench import command, tlv
from support.gids import (
    ADMIN_KEY,
    AID,
    CHOOSE_ADMIN,
    FORGET,
    PIN,
    STATE,
    GidsBench,
    decrypted,
    encrypted,
    prepared,
)

PUT = "00DBA01004DF2401AA"


@pytest.fixture
def bench() -> GidsBench:
    return prepared()


def tries(bench: GidsBench) -> int:
    return int(bench.ok(STATE)[10:12])


def test_a_wrong_pin_costs_a_try_and_the_third_one_blocks(bench: GidsBench) -> None:
    assert [bench.verify(b"87654321") for _ in range(4)] == ["63C2", "63C1", "63C0", "6983"]
    assert bench.verify() == "6983"
    assert bench.send("00200080") == "6983"
    assert tries(bench) == 0


def test_the_right_pin_gives_the_tries_back(bench: GidsBench) -> None:
    bench.verify(b"0000")
    assert tries(bench) == 2
    assert bench.verify() == "9000"
    assert tries(bench) == 3


@pytest.mark.parametrize("length", [1, 3, 128])
def test_what_cannot_be_a_pin_by_its_length_costs_no_try(bench: GidsBench, length: int) -> None:
    assert bench.verify(bytes(length)) == "63C3"
    assert tries(bench) == 3


@given(st.binary(min_size=4, max_size=127))
def test_only_the_pin_itself_is_the_pin(value: bytes) -> None:
    assert (prepared().verify(value) == "9000") == (value == PIN)


def test_a_longer_value_that_begins_like_the_pin_is_wrong(bench: GidsBench) -> None:
    assert bench.verify(PIN + b"9") == "63C2"
    assert bench.verify(PIN[:-1]) == "63C1"


def test_verify_without_data_tells_the_tries_verified_or_not(bench: GidsBench) -> None:
    assert bench.send("00200080") == "63C3"
    bench.verify()
    assert bench.send("00200080") == "63C3"


def test_before_activation_no_pin_is_needed() -> None:
    bench = GidsBench()
    assert bench.send("00200080") == "9000"
    assert bench.verify() == "6A88"
    assert bench.send(STATE) == "7F71069701039301039000"


@pytest.mark.parametrize("text", [FORGET, command("00A40400", AID, "00")])
def test_pin_and_admin_key_are_forgotten(bench: GidsBench, text: str) -> None:
    bench.verify()
    bench.ok(PUT)
    bench.prove()
    bench.ok(text)
    assert bench.send(PUT) == "6982"


def test_a_reset_forgets_them_too(bench: GidsBench) -> None:
    bench.verify()
    bench.reset()
    assert bench.send(PUT) == "6982"


def test_the_first_pin_is_set_before_activation_and_no_pin_of_a_wrong_length() -> None:
    bench = GidsBench()
    assert bench.send(command("00240180", "313233")) == "6700"
    assert bench.send("00240180") == "6700"
    bench.ok(command("00240180", PIN.hex()))
    assert bench.verify() == "9000"


def test_afterwards_a_new_pin_without_the_old_needs_the_pin(bench: GidsBench) -> None:
    new = command("00240180", b"9999".hex())
    assert bench.send(new) == "6982"
    bench.verify()
    bench.ok(new)
    assert bench.verify(b"9999") == "9000"


def test_the_pin_is_changed_and_the_new_one_counts_as_verified(bench: GidsBench) -> None:
    bench.ok(command("00240080", (PIN + b"a longer one").hex()))
    bench.ok(PUT)
    assert bench.verify() == "63C2"
    assert bench.verify(b"a longer one") == "9000"


def test_changing_with_a_wrong_old_pin_costs_a_try(bench: GidsBench) -> None:
    assert bench.send(command("00240080", (b"87654321" + PIN).hex())) == "63C2"
    assert bench.send(command("00240080", (b"87654321" + PIN).hex())) == "63C1"
    assert bench.verify() == "9000"


def test_changing_to_a_pin_of_a_wrong_length_changes_nothing(bench: GidsBench) -> None:
    assert bench.send(command("00240080", (PIN + b"1").hex())) == "6700"
    assert tries(bench) == 3
    assert bench.send(command("00240080", "31323334")) == "63C3"
    assert bench.verify() == "9000"


def test_the_admin_key_unblocks_the_pin_and_is_forgotten_then(bench: GidsBench) -> None:
    reset = command("002C0280", b"new one".hex())

    for _ in range(3):
        bench.verify(b"0000")

    assert bench.send(reset) == "6982"
    assert bench.prove() == "9000"
    assert bench.send(command("002C0280", "31")) == "6700"
    bench.ok(reset)
    assert bench.send(reset) == "6982"
    assert bench.verify(b"new one") == "9000"


def test_the_pin_does_not_unblock_itself(bench: GidsBench) -> None:
    bench.verify()
    assert bench.send(command("002C0280", b"new one".hex())) == "6982"


def test_a_wrong_admin_key_proves_nothing_and_costs_no_try(bench: GidsBench) -> None:
    assert [bench.prove(bytes(24)) for _ in range(20)] == ["6982"] * 20
    assert bench.send("00DBA01204DF2401AA") == "6982"
    assert bench.prove() == "9000"
    bench.ok("00DBA01204DF2401AA")


def test_a_response_holds_once(bench: GidsBench) -> None:
    bench.ok(CHOOSE_ADMIN)
    challenge = bench.response("00870000047C02810000")[4:]
    text = command("00870000", tlv("7C", tlv("82", encrypted(ADMIN_KEY, challenge).hex())))
    bench.ok(text)
    assert bench.send(text) == "6985"


def test_a_new_challenge_takes_the_proof_back(bench: GidsBench) -> None:
    bench.prove()
    bench.response("00870000047C02810000")
    assert bench.send("00DBA01204DF2401AA") == "6982"


def test_card_and_host_prove_to_one_another_that_they_have_the_key(bench: GidsBench) -> None:
    bench.ok("0022C1A403830180")
    ours = bytes(range(16))
    theirs = bench.response(command("00870000", tlv("7C", tlv("81", ours.hex())), "00"))
    assert theirs[:4].hex() == "7c128110"
    text = tlv("7C", tlv("82", encrypted(ADMIN_KEY, theirs[4:] + ours + b"seven..\x80").hex()))
    told = bench.response(command("00870000", text, "00"))
    assert told[:4].hex() == "7c2a8228"
    plain = decrypted(ADMIN_KEY, told[4:])
    assert (plain[:16], plain[16:32], plain[39:]) == (ours, theirs[4:], b"\x80")
    bench.ok("00DBA01204DF2401AA")


@pytest.mark.parametrize("flaw", ["order", "end", "length"])
def test_a_flawed_response_to_mutual_authentication_is_refused(bench: GidsBench, flaw: str) -> None:
    bench.ok(CHOOSE_ADMIN)
    ours = bytes(range(16))
    theirs = bench.response(command("00870000", tlv("7C", tlv("81", ours.hex())), "00"))[4:]
    plain = {
        "order": ours + theirs + b"seven..\x80",
        "end": theirs + ours + b"eight...",
        "length": theirs + ours,
    }[flaw]
    text = tlv("7C", tlv("82", encrypted(ADMIN_KEY, plain).hex()))
    assert bench.send(command("00870000", text, "00")) == "6982"
    assert bench.send("00DBA01204DF2401AA") == "6982"


@pytest.mark.parametrize(
    "data", ["", "7C", "7C00", "7C0100", "7C027900", "7C028200", "7C03810101", "7C0481008200"]
)
def test_broken_authentication_data_are_refused(bench: GidsBench, data: str) -> None:
    bench.ok(CHOOSE_ADMIN)
    assert bench.send(command("00870000", data)) == "6984"


def test_authentication_needs_the_key_chosen_and_the_application_activated(bench: GidsBench) -> None:
    bench.response("00870000047C02810000")
    assert bench.send(command("00870000", tlv("7C", tlv("82", "00" * 8)))) == "6985"
    assert prepared(activated=False).send("00870000047C02810000") == "6986"
    assert prepared(activated=False).send(command("002C0280", PIN.hex())) == "6986"


def test_the_admin_key_is_changed_by_whoever_has_it(bench: GidsBench) -> None:
    new = bytes(range(24))
    assert bench.put_admin_key(new) == "6982"
    bench.verify()
    assert bench.put_admin_key(new) == "6982"
    bench.prove()
    assert bench.put_admin_key(new[:16]) == "6984"
    assert bench.put_admin_key(new) == "9000"
    assert bench.prove() == "6982"
    assert bench.prove(new) == "9000"


def test_observers_learn_who_is_verified_and_no_value(bench: GidsBench) -> None:
    bench.events.clear()
    bench.verify()
    bench.prove()
    bench.ok(FORGET)
    changes = [
        (event.change, event.detail)
        for event in bench.events
        if isinstance(event, CardChanged)
        and event.change in {CardChange.STATUS_GAINED, CardChange.STATUS_LOST}
    ]
    assert changes == [
        (CardChange.STATUS_GAINED, "PIN 10"),
        (CardChange.STATUS_GAINED, "key 20"),
        (CardChange.STATUS_LOST, "PIN 10"),
        (CardChange.STATUS_LOST, "key 20"),
    ]
    assert PIN.hex() not in repr(bench.events).lower()
    assert ADMIN_KEY.hex() not in repr(bench.events).lower()


def test_the_view_shows_the_pin_with_its_counter(bench: GidsBench) -> None:
    bench.verify(b"0000")
    (pin,) = CardView(bench.card.image).pins.values()
    assert (pin.tries_left, pin.max_tries) == (2, 3)
    assert pin.access == {"USE": "always", "CHANGE": "object 10", "UNBLOCK": "object 20"}
