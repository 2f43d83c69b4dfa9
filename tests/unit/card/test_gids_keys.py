"""Keys of a virtual smart card: generated, imported, used, deleted."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from cardtwin.card import CardView
from support.cardbench import command, extended, tlv
from support.gids import FORGET, SIGN, GidsBench, prepared

INFO = bytes.fromhex("3031300D060960864801650304020105000420")
MESSAGE = b"signed on the card"
SHA1 = hashes.SHA1()  # noqa: S303  # OAEP's default


@pytest.fixture
def bench() -> GidsBench:
    bench = prepared()
    bench.verify()
    assert bench.create_key(0x81) == "9000"
    bench.generate()
    return bench


def choose(bench: GidsBench, algorithm: int, template: int = 0xB6, reference: int = 0x81) -> str:
    return bench.send(command(f"002241{template:02X}", f"8001{algorithm:02X}8401{reference:02X}"))


def sign(bench: GidsBench, data: bytes) -> bytes:
    return bench.whole(bench.chained("2A9E9A", data, "00"))


def decipher(bench: GidsBench, data: bytes) -> str:
    return bench.chained("2A8086", data, "00")


def verified(key: rsa.RSAPublicKey, signature: bytes) -> bool:
    try:
        key.verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False

    return True


def test_generation_tells_the_public_key_that_get_data_tells(bench: GidsBench) -> None:
    assert bench.generate().public_numbers() == bench.public_key().public_numbers()
    assert bench.public_key().key_size == 2048


def test_the_card_pads_a_digest_info_and_signs_it(bench: GidsBench) -> None:
    assert choose(bench, 0x57) == "9000"
    assert verified(bench.public_key(), sign(bench, INFO + hashlib.sha256(MESSAGE).digest()))


def test_it_signs_a_whole_block_as_it_is(bench: GidsBench) -> None:
    assert choose(bench, 0x17) == "9000"
    info = INFO + hashlib.sha256(MESSAGE).digest()
    block = b"\0\1" + b"\xff" * (256 - 3 - len(info)) + b"\0" + info
    assert verified(bench.public_key(), sign(bench, block))
    assert bench.send(command("002A9E9A", info.hex(), "00")) == "6700"


def test_it_deciphers_with_each_padding(bench: GidsBench) -> None:
    key = bench.public_key()
    choose(bench, 0x47, 0xB8)
    assert bench.whole(decipher(bench, key.encrypt(b"secret", padding.PKCS1v15()))) == b"secret"
    choose(bench, 0x87, 0xB8)
    oaep = key.encrypt(b"secret", padding.OAEP(padding.MGF1(SHA1), SHA1, None))
    assert bench.whole(decipher(bench, oaep)) == b"secret"
    assert decipher(bench, key.encrypt(b"secret", padding.PKCS1v15())) == "6A80"
    choose(bench, 0x07, 0xB8)
    block = bench.whole(decipher(bench, key.encrypt(b"secret", padding.PKCS1v15())))
    assert block[:2] == b"\0\2"
    assert block.endswith(b"\0secret")


def test_a_cryptogram_has_no_padding_indicator(bench: GidsBench) -> None:
    choose(bench, 0x47, 0xB8)
    cryptogram = bench.public_key().encrypt(b"secret", padding.PKCS1v15())
    assert decipher(bench, b"\0" + cryptogram) == "6700"
    assert bench.ok(extended("002A8086", cryptogram.hex(), "0000")) == b"secret".hex()


def test_each_use_of_a_key_needs_the_pin(bench: GidsBench) -> None:
    choose(bench, 0x57)
    bench.ok(FORGET)
    assert bench.send(command("002A9E9A", INFO.hex(), "00")) == "6982"
    assert choose(bench, 0x57) == "6982"
    assert bench.send(command("00470000", "AC06800107830181", "00")) == "6982"
    assert bench.import_key(0x81, numbers(KEY)) == "6982"
    assert bench.public_key().key_size == 2048


def test_a_key_does_what_its_file_says_and_no_more(bench: GidsBench) -> None:
    assert bench.create_key(0x82, SIGN) == "9000"
    bench.generate(0x82)
    assert choose(bench, 0x47, 0xB8, 0x82) == "6984"
    assert choose(bench, 0x57, 0xB8, 0x81) == "6984"
    assert choose(bench, 0x56, 0xB6, 0x82) == "6984"
    assert choose(bench, 0x57, 0xB6, 0x82) == "9000"
    assert bench.send(command("00470000", "AC06800106830182", "00")) == "6984"


def test_nothing_is_signed_or_deciphered_without_a_key_chosen(bench: GidsBench) -> None:
    assert bench.send(command("002A9E9A", INFO.hex(), "00")) == "6985"
    assert decipher(bench, bytes(256)) == "6985"
    choose(bench, 0x57)
    assert decipher(bench, bytes(256)) == "6985"


def test_a_key_without_value_has_no_public_key_and_does_not_sign(bench: GidsBench) -> None:
    bench.create_key(0x82)
    assert bench.send(command("00CB3FFF", "70088401 82A5037F4980".replace(" ", ""), "00")) == "6A88"
    assert choose(bench, 0x57, 0xB6, 0x82) == "9000"
    assert bench.send(command("002A9E9A", INFO.hex(), "00")) == "6984"


def test_a_key_file_that_is_not_activated_is_not_used(bench: GidsBench) -> None:
    templates = "A50BB609800157830182950140"
    bench.ok(command("00E00000", tlv("62", "8201188302B0828C058F10101000" + templates)))
    assert choose(bench, 0x57, 0xB6, 0x82) == "6985"
    assert bench.send(command("00470000", "AC06800107830182", "00")) == "6985"


KEY = rsa.generate_private_key(65537, 1024)  # noqa: S505  # as short as the card takes


def numbers(key: rsa.RSAPrivateKey) -> tuple[int, ...]:
    private = key.private_numbers()
    parts = (private.d, private.p, private.q, private.dmp1, private.dmq1, private.iqmp)
    return (0, private.public_numbers.n, private.public_numbers.e, *parts)


def test_an_imported_key_signs(bench: GidsBench) -> None:
    assert bench.create_key(0x82, size=0x06) == "9000"
    assert bench.import_key(0x82, numbers(KEY)) == "9000"
    assert bench.public_key(0x82).public_numbers() == KEY.public_key().public_numbers()
    choose(bench, 0x56, 0xB6, 0x82)
    assert verified(KEY.public_key(), sign(bench, INFO + hashlib.sha256(MESSAGE).digest()))


@pytest.mark.parametrize("flaw", ["version", "modulus", "prime", "size", "short"])
def test_a_key_that_is_none_is_refused_and_leaves_the_old_one(bench: GidsBench, flaw: str) -> None:
    bench.create_key(0x82, size=0x06)
    bench.import_key(0x82, numbers(KEY))
    given = numbers(KEY)
    wrong = {
        "version": (1, *given[1:]),
        "modulus": (0, given[1] + 2, *given[2:]),
        "prime": (*given[:4], given[4] + 2, *given[5:]),
        "size": given,
        "short": given[:-1],
    }[flaw]
    reference = 0x81 if flaw == "size" else 0x82
    before = bench.card.image
    assert bench.import_key(reference, wrong) == "6984"
    assert bench.card.image == before


def test_a_key_beyond_the_card_s_lengths_is_refused(bench: GidsBench) -> None:
    bench.create_key(0x82, size=0x08)
    assert bench.send(command("00470000", "AC06800108830182", "00")) == "6A81"
    assert bench.import_key(0x82, numbers(rsa.generate_private_key(65537, 3072))) == "6A81"
    bench.create_key(0x83, size=0x0C)
    assert bench.send(command("00470000", "AC0680010C830183", "00")) == "6A81"


def test_no_key_is_taken_under_another_key(bench: GidsBench) -> None:
    text = tlv("70", "840181" + tlv("A5", "830102" + "840180" + "870400000000"))
    assert bench.send(command("00DB3FFF", text)) == "6A81"


def test_generating_again_replaces_the_key(bench: GidsBench) -> None:
    first, used = bench.public_key(), bench.card.image.used
    assert bench.generate().public_numbers() != first.public_numbers()
    assert bench.card.image.used == used
    assert bench.public_key().public_numbers() != first.public_numbers()


def test_with_its_file_a_key_is_gone_and_its_place_is_free(bench: GidsBench) -> None:
    choose(bench, 0x57)
    used = bench.card.image.used
    bench.ok("00A4000C02B081")
    bench.ok("00E40000")
    assert choose(bench, 0x57) == "6984"
    assert bench.send(command("002A9E9A", INFO.hex(), "00")) == "6985"
    assert not CardView(bench.card.image).keys
    bench.create_key(0x81)
    bench.generate()
    assert bench.card.image.used == used


def test_the_view_shows_the_key(bench: GidsBench) -> None:
    ((place, key),) = CardView(bench.card.image).keys.items()
    assert place == ("3F00", 0x81)
    assert (key.kind, key.purpose) == ("RSA-2048", "decipher")
    assert key.access == {"USE": "object 10", "CHANGE": "object 10", "UNBLOCK": "never"}


def test_the_admin_key_is_no_key_to_sign_with(bench: GidsBench) -> None:
    assert choose(bench, 0x02, 0xB6, 0x80) == "6984"
    assert bench.send(command("00CB3FFF", "7008840180A5037F4980", "00")) == "6984"
    assert bench.send(command("00470000", "AC06800102830180", "00")) == "6A81"
    assert bench.import_key(0x80, numbers(KEY)) == "6984"
    assert bench.send("002281A403830181") == "6984"
