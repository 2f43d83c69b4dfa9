"""Private keys: choosing, signing, deciphering."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA1

from cardtwin.card import CardView
from support.cardbench import OK, CardBench, command, pin
from support.cardkeys import (
    DECIPHER,
    DIGEST_INFO,
    KEY,
    PADDED,
    SIGN,
    SMALL,
    crt,
    two_parts,
    verified,
    whole,
)


@pytest.fixture
def bench() -> CardBench:
    return CardBench()


def test_a_crt_key_signs_a_padded_block_in_one_command_or_in_a_chain(bench: CardBench) -> None:
    bench.put_key(0x11, crt(KEY), algorithm="8A")
    bench.ok("002241B603830111")
    at_once = whole(bench, SIGN, PADDED)
    verified(at_once[:-4])
    assert bench.send(command("102A9E9A", PADDED[:255].hex())) == OK
    assert bench.send(f"002A9E9A01{PADDED[255]:02X}00") == at_once


def test_a_pure_key_takes_whole_blocks_only(bench: CardBench) -> None:
    bench.put_key(0x11, crt(KEY), algorithm="8A")
    bench.ok("002241B603830111")
    assert bench.send(command(SIGN, DIGEST_INFO.hex(), "00")) == "6700"
    assert whole(bench, SIGN, b"\xff" * 256) == "6A80"
    assert bench.send(command(SIGN, "", "00")) == "6700"


def test_a_two_part_key_signs(bench: CardBench) -> None:
    bench.put_key(0x11, two_parts(SMALL), algorithm="8C")
    bench.ok("002241B603830111")
    block = b"\x00\x01" + b"\xff" * (128 - 3 - len(DIGEST_INFO)) + b"\x00" + DIGEST_INFO
    verified(bench.ok(command(SIGN, block.hex(), "00")), SMALL)


def test_algorithm_88_has_the_card_pad(bench: CardBench) -> None:
    bench.put_key(0x11, two_parts(SMALL), algorithm="88")
    bench.ok("002241B603830111")
    verified(bench.ok(command(SIGN, DIGEST_INFO.hex(), "00")), SMALL)
    assert bench.send(command(SIGN, "00" * 118, "00")) == "6A80"


def test_algorithm_c8_has_the_card_digest_and_pad(bench: CardBench) -> None:
    bench.put_key(0x11, two_parts(SMALL), algorithm="C8")
    bench.ok("002241B603830111")
    signature = bytes.fromhex(bench.ok(command(SIGN, b"data".hex(), "00")))
    SMALL.public.to_cryptography().verify(signature, b"data", padding.PKCS1v15(), SHA1())  # noqa: S303  # the card's


def test_on_version_4_a_key_signs_or_deciphers_as_its_algorithm_says(bench: CardBench) -> None:
    bench.put_key(0x11, crt(KEY), algorithm="8A")
    bench.put_key(0x12, crt(KEY), algorithm="0A")
    bench.ok("002241B603830112")
    bench.ok("002241B803830111")
    assert whole(bench, SIGN, PADDED) == "6984"
    assert whole(bench, DECIPHER, b"\0" + PADDED) == "6984"


def test_deciphering_gives_the_whole_block(bench: CardBench) -> None:
    bench.put_key(0x12, crt(KEY), algorithm="0A")
    bench.ok("002241B803830112")
    cryptogram = KEY.public.to_cryptography().encrypt(b"message", padding.PKCS1v15())
    block = bytes.fromhex(whole(bench, DECIPHER, b"\0" + cryptogram)[:-4])
    assert len(block) == 256
    assert block.startswith(b"\x00\x02")
    assert block.endswith(b"\x00message")
    verified(whole(bench, DECIPHER, b"\0" + PADDED)[:-4])


def test_a_cryptogram_of_the_wrong_form_is_refused(bench: CardBench) -> None:
    bench.put_key(0x12, crt(KEY), algorithm="0A")
    bench.ok("002241B803830112")
    assert whole(bench, DECIPHER, b"\0" * 256) == "6700"
    assert whole(bench, DECIPHER, b"\x02" + b"\0" * 256) == "6A80"
    assert whole(bench, DECIPHER, b"\0" + b"\xff" * 256) == "6A80"


def test_algorithm_08_has_the_card_take_the_padding_off(bench: CardBench) -> None:
    bench.put_key(0x12, two_parts(SMALL), algorithm="08")
    bench.ok("002241B803830112")
    cryptogram = SMALL.public.to_cryptography().encrypt(b"message", padding.PKCS1v15())
    assert bench.ok(command(DECIPHER, "00" + cryptogram.hex(), "00")) == b"message".hex().upper()
    assert bench.send(command(DECIPHER, "00" * 129, "00")) == "6A80"


def test_a_key_is_used_under_its_condition(bench: CardBench) -> None:
    bench.put_pin(3, "3333")
    bench.put_key(0x11, crt(KEY), algorithm="8A", access="03030300000000")
    bench.ok("002241B603830111")
    assert whole(bench, SIGN, PADDED) == "6982"
    bench.ok(command("00200083", pin("3333")))
    assert whole(bench, SIGN, PADDED).endswith(OK)


def test_an_unknown_key_is_told_when_it_is_chosen(bench: CardBench) -> None:
    assert bench.send("002241B603830111") == "6A88"


def test_without_a_chosen_key_there_is_no_operation(bench: CardBench) -> None:
    bench.put_key(0x11, crt(KEY), algorithm="8A")
    assert whole(bench, SIGN, PADDED) == "6985"
    assert whole(bench, DECIPHER, b"\0" + PADDED) == "6985"
    bench.ok("002241B603830111")
    bench.reset()
    assert whole(bench, SIGN, PADDED) == "6985"


def test_a_key_deleted_after_it_was_chosen_is_not_there(bench: CardBench) -> None:
    bench.put_key(0x11, crt(KEY), algorithm="8A")
    bench.ok("002241B603830111")
    bench.put_object("830220118F00")
    assert whole(bench, SIGN, PADDED) == "6A88"


def test_a_key_overwritten_with_ff_is_no_key(bench: CardBench) -> None:
    bench.put_key(0x11, crt(KEY), algorithm="8A")
    bench.ok("002241B603830111")
    assert whole(bench, SIGN, PADDED).endswith(OK)
    bench.put_key(0x11, ["FF" * 128] * 5, algorithm="8A")
    assert whole(bench, SIGN, PADDED) == "6984"
    assert CardView(bench.card.image).keys["3F00", 0x11].kind == ""


def test_a_key_that_lacks_a_component_is_no_key(bench: CardBench) -> None:
    bench.put_key(0x11, crt(KEY), algorithm="8A")
    bench.put_object("830222118F00")
    bench.ok("002241B603830111")
    assert whole(bench, SIGN, PADDED) == "6984"


def test_a_key_s_use_counter_runs_out(bench: CardBench) -> None:
    for place, body in enumerate(crt(KEY)):
        option = "02" if place == 4 else "22"
        text = f"8302{0x20 + place:02X}118508{option}008A0002FF0000860700000000000000" + f"8F80{body}"
        assert bench.put_object(text) == OK

    bench.ok("002241B603830111")
    assert [whole(bench, SIGN, PADDED)[-4:] for _ in range(3)] == [OK, OK, "6985"]


@pytest.mark.parametrize("form", ["002241", "002201", "0022F1"])
def test_version_4_has_three_forms_to_choose_a_key(bench: CardBench, form: str) -> None:
    bench.put_key(0x11, crt(KEY), algorithm="8A")
    bench.ok(f"{form}B603830111")
    assert whole(bench, SIGN, PADDED).endswith(OK)


@pytest.mark.parametrize("data", ["", "8301", "84 0111", "83021111", "8301118001 10", "830111830111"])
def test_what_version_4_does_not_know_of_an_environment_is_refused(bench: CardBench, data: str) -> None:
    bench.put_key(0x11, crt(KEY), algorithm="8A")
    assert bench.send(command("002241B6", data.replace(" ", ""))) in {"6A80", "6A85"}


@pytest.mark.parametrize("form", ["002203", "0022F3"])
def test_a_stored_environment_chooses_the_key_of_its_fourth_byte(bench: CardBench, form: str) -> None:
    bench.put_key(0xB1, crt(KEY), algorithm="0A")
    bench.ok(command("00DA016D", "830132" + "86020000" + "8F06000000B10000"))
    bench.ok(f"{form}3200")
    verified(whole(bench, DECIPHER, b"\0" + PADDED)[:-4])
    assert bench.send(f"{form}33") == "6A88"


def test_environment_01_comes_into_force_with_its_df(bench: CardBench) -> None:
    bench.create_df("5015")
    bench.put_key(0x11, crt(KEY), algorithm="8A")
    bench.ok(command("00DA016D", "830101" + "86020000" + "8F06000000110000"))
    bench.ok("00A4000C")
    assert whole(bench, SIGN, PADDED) == "6985"
    bench.ok("00A4080C025015")
    verified(whole(bench, SIGN, PADDED)[:-4])


def test_a_stored_environment_is_used_under_its_condition(bench: CardBench) -> None:
    bench.ok(command("00DA016D", "830132" + "8602FF00" + "8F06000000B10000"))
    assert bench.send("0022033200") == "6982"
