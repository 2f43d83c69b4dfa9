"""Generating keys, and the file that their public key goes to."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from cardtwin.card import CardView
from cardtwin.iso7816 import Tlv
from support.cardbench import OK, CardBench, command, pin
from support.cardkeys import (
    DECIPHER,
    DIGEST,
    PADDED,
    generated,
    whole,
)


@pytest.fixture
def bench() -> CardBench:
    return CardBench()


def test_a_2048_bit_key_is_generated_and_its_public_key_lies_in_the_file(bench: CardBench) -> None:
    assert generated(bench, ["FF" * 128] * 5, kind="01", algorithm="0A") == OK
    bench.ok("00A4000C027EAD")
    content = bytes.fromhex(bench.ok("00B00000000200"))
    assert content.startswith(bytes.fromhex("7F4982010981820100"))
    template = Tlv.parse_all(content, padding=True)[0]
    modulus, exponent = (found.value for found in template.children())
    assert exponent == b"\x01\x00\x01"
    key = rsa.RSAPublicNumbers(65537, int.from_bytes(modulus)).public_key()
    bench.ok("002241B803830110")
    signature = bytes.fromhex(whole(bench, DECIPHER, b"\0" + PADDED)[:-4])
    key.verify(signature, DIGEST, padding.PKCS1v15(), Prehashed(SHA256()))
    assert CardView(bench.card.image).keys["3F00", 0x10].kind == "RSA-2048"


def test_a_1024_bit_key_is_generated_and_its_public_key_lies_in_records(bench: CardBench) -> None:
    assert generated(bench, ["8100" + "FF" * 128] * 2, kind="05", algorithm="0C") == OK
    bench.ok("00A4000C027EAD")
    modulus, exponent = bench.ok("00B2100000"), bench.ok("00B2110000")
    assert modulus.startswith("10828100")
    assert exponent == "11050400010001"
    view = CardView(bench.card.image).keys["3F00", 0x10]
    public = load_der_public_key(view.public)
    assert isinstance(public, rsa.RSAPublicKey)
    assert public.public_numbers().n == int(modulus[8:], 16)


def test_generating_twice_gives_two_keys(bench: CardBench) -> None:
    generated(bench, ["FF" * 128] * 5, kind="01", algorithm="0A")
    first = CardView(bench.card.image).keys["3F00", 0x10].public
    bench.ok("004600000820107EAD00100020")
    assert CardView(bench.card.image).keys["3F00", 0x10].public != first


@pytest.mark.parametrize("access", ["00030000000000", "00000000000003"])
def test_generating_needs_the_condition_change_and_the_seventh_one(bench: CardBench, access: str) -> None:
    bench.put_pin(3, "3333")
    assert generated(bench, ["FF" * 128] * 5, kind="01", algorithm="0A", access=access) == "6982"
    bench.ok(command("00200083", pin("3333")))
    assert bench.send("0046000008201 07EAD00100020".replace(" ", "")) == OK


def test_generating_needs_the_condition_update_of_the_file(bench: CardBench) -> None:
    bench.create_ef("7EAD", 0x200, access="00FF" + "00" * 7)
    bench.put_key(0x10, ["FF" * 128] * 5)
    before = bench.card.image
    assert bench.send("004600000820107EAD00100020") == "6982"
    assert bench.card.image is before


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("20107EAD001000", "6700"),
        ("21107EAD00100020", "6A80"),
        ("20117EAD00100020", "6A88"),
        ("20107EAE00100020", "6A82"),
        ("20107EAD00100010", "6A80"),
    ],
)
def test_a_wrong_generation_command_is_refused(bench: CardBench, data: str, expected: str) -> None:
    generated(bench, ["FF" * 128] * 5, kind="01", algorithm="0A")
    before = bench.card.image
    assert bench.send(command("00460000", data)) == expected
    assert bench.card.image is before


def test_a_file_that_cannot_take_the_public_key_is_refused(bench: CardBench) -> None:
    assert generated(bench, ["FF" * 128] * 5, kind="05", algorithm="0A") == "6981"
    bench.ok("00E40000027EAD")
    bench.create_ef("7EAD", 0x100)
    assert bench.send("0046000008201 07EAD00100020".replace(" ", "")) == "6A84"


def test_a_key_larger_than_the_card_can_generate_is_refused(bench: CardBench) -> None:
    assert generated(bench, ["FF" * 160] * 5, kind="01", algorithm="0A") == "6A81"
