"""What CardOS V5 does its own way with private keys."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from cardtwin.card import CardView
from cardtwin.card.crypto import Curve
from cardtwin.iso7816 import Tlv
from support.cardbench import OK, CardBench, command, pin
from support.cardkeys import (
    DECIPHER,
    DIGEST,
    DIGEST_INFO,
    KEY,
    P256,
    PADDED,
    SIGN,
    crt,
    generated,
    verified,
    whole,
)


@pytest.fixture(params=["cardos-5.0", "cardos-5.3", "cardos-5.4"])
def bench(request: pytest.FixtureRequest) -> CardBench:
    return CardBench(request.param)


@pytest.mark.parametrize("choice", ["840101950140800110", "840101800110", "840101", "840101950140"])
def test_a_digest_info_is_padded_by_the_card(bench: CardBench, choice: str) -> None:
    bench.put_key(0x01, crt(KEY), algorithm="8A")
    bench.ok(command("002241B6", choice))
    verified(bench.ok(command(SIGN, DIGEST_INFO.hex(), "00")))


def test_a_block_as_long_as_the_modulus_is_taken_as_it_is(bench: CardBench) -> None:
    bench.put_key(0x01, crt(KEY), algorithm="8A")
    bench.ok("002241B603840101")
    verified(whole(bench, SIGN, PADDED)[:-4])
    bench.ok("002241B606840101800110")
    assert whole(bench, SIGN, PADDED) == "6A80"


def test_a_cryptogram_comes_unpadded_or_without_its_leading_zero(bench: CardBench) -> None:
    bench.put_key(0x04, crt(KEY), algorithm="0A")
    cryptogram = KEY.public.to_cryptography().encrypt(b"message", padding.PKCS1v15())
    bench.ok("002241B806840104800110")
    assert whole(bench, DECIPHER, b"\0" + cryptogram) == b"message".hex().upper() + OK
    bench.ok("002241B80680010A840104")
    raw = bytes.fromhex(whole(bench, DECIPHER, b"\0" + cryptogram)[:-4])
    assert len(raw) == 255
    assert raw[:1] == b"\x02"


@pytest.mark.parametrize("choice", ["840104800110", "840104950140800110"])
def test_the_vendor_s_own_driver_deciphers_and_logs_out(bench: CardBench, choice: str) -> None:
    bench.create_df()
    bench.put_pin(1, "1234")
    bench.put_key(0x04, crt(KEY), algorithm="0A", access="01" + "00" * 6)
    bench.ok("00A4080002501500")
    bench.ok(command("002241B8", choice))
    data = b"\0" + KEY.public.to_cryptography().encrypt(b"message", padding.PKCS1v15())
    assert whole(bench, DECIPHER, data) == "6982"
    bench.ok(command("00200081", pin("1234")))
    assert whole(bench, DECIPHER, data) == b"message".hex().upper() + OK
    bench.ok("00A40000")
    bench.ok("80EA0000")
    bench.ok("00A4080002501500")
    bench.ok(command("002241B8", choice))
    assert whole(bench, DECIPHER, data) == "6982"


def test_without_an_algorithm_a_key_for_deciphering_gives_the_whole_block(bench: CardBench) -> None:
    bench.create_df()
    bench.put_key(0x02, crt(KEY), algorithm="0A")
    bench.ok("00A4080C025015")
    bench.ok("002241B806840102950140")
    data = b"\0" + KEY.public.to_cryptography().encrypt(b"message", padding.PKCS1v15())
    raw = bytes.fromhex(whole(bench, DECIPHER, data)[:-4])
    assert (raw[:1], raw[-8:]) == (b"\x02", b"\0message")


def test_a_stored_environment_chooses_the_key_that_signs(bench: CardBench) -> None:
    bench.put_key(0x01, crt(KEY), algorithm="8A")
    bench.ok(command("00DA016D", "830119" + "86020000" + "8F06000000010000"))
    assert bench.send("0022F314") == "6A88"
    bench.ok("0022F319")
    verified(bench.ok(command(SIGN, DIGEST_INFO.hex(), "00")))


def test_deciphering_may_be_chained(bench: CardBench) -> None:
    bench.put_key(0x04, crt(KEY), algorithm="0A")
    bench.ok("002241B806840104800110")
    data = b"\0" + KEY.public.to_cryptography().encrypt(b"message", padding.PKCS1v15())
    assert bench.send(command("102A8086", data[:255].hex())) == OK
    assert bench.ok(command(DECIPHER, data[255:].hex(), "00")) == b"message".hex().upper()


def test_every_key_signs_but_a_key_for_signing_does_not_decipher(bench: CardBench) -> None:
    bench.put_key(0x04, crt(KEY), algorithm="0A")
    bench.put_key(0x01, crt(KEY), algorithm="8A")
    bench.ok("002241B606840104800110")
    verified(bench.ok(command(SIGN, DIGEST_INFO.hex(), "00")))
    bench.ok("002241B806840101800110")
    assert whole(bench, DECIPHER, b"\0" + PADDED) == "6984"


@pytest.mark.parametrize("data", ["800110", "8401018001EE", "84010199 0100", "840201 01"])
def test_an_unknown_choice_is_refused(bench: CardBench, data: str) -> None:
    bench.put_key(0x01, crt(KEY), algorithm="8A")
    assert bench.send(command("002241B6", data.replace(" ", ""))) == "6A80"


def test_version_4_s_other_forms_are_gone(bench: CardBench) -> None:
    assert bench.send("0022F1B603830101") == "6A86"
    assert bench.send("8086000008" + "11" * 8) == "6D00"


@pytest.mark.parametrize(("oid", "curve"), [(P256, Curve.P256), ("06052B81040022", Curve.P384)])
def test_an_ec_key_is_generated_and_signs(bench: CardBench, oid: str, curve: Curve) -> None:
    bench.create_ef("7EAD", 0x200)
    bench.put_key(0x02, [f"{oid}04{curve.size:02X}" + "FF" * curve.size], algorithm="8E")
    bench.ok("00460000082002" + "7EAD00100020")
    bench.ok("00A4000C027EAD")
    content = bytes.fromhex(bench.ok("00B00000000200"))
    point = Tlv.parse_all(content, padding=True)[0].children()[0]
    assert point.tag == 0x86
    public = ec.EllipticCurvePublicKey.from_encoded_point(curve.to_cryptography(), point.value)
    bench.ok("002241B606840102800130")
    signature = bytes.fromhex(bench.ok(command(SIGN, DIGEST.hex(), "00")))
    r, s = (int.from_bytes(half) for half in (signature[: curve.size], signature[curve.size :]))
    public.verify(encode_dss_signature(r, s), DIGEST, ec.ECDSA(Prehashed(SHA256())))
    assert CardView(bench.card.image).keys["3F00", 2].kind == curve.value


def test_two_sides_agree_on_a_key(bench: CardBench) -> None:
    own = ec.derive_private_key(0x1234567, ec.SECP256R1())
    peer = ec.derive_private_key(0x7654321, ec.SECP256R1())
    numbers = peer.public_key().public_numbers()
    point = numbers.x.to_bytes(32) + numbers.y.to_bytes(32)
    bench.put_key(0x02, [f"{P256}0420" + (0x1234567).to_bytes(32).hex()], algorithm="0E")
    bench.ok("002241B803840102")
    shared = bench.ok(command("002A80A6", "9C40" + point.hex(), "00"))
    assert bytes.fromhex(shared) == own.exchange(ec.ECDH(), peer.public_key())
    assert bench.send(command("002A80A6", "9C40" + "11" * 64, "00")) == "6A80"
    assert bench.send(command("002A80A6", "9C41" + point.hex(), "00")) == "6A85"
    assert bench.send(command(DECIPHER, "00" * 10, "00")) == "6984"


def test_version_4_has_no_elliptic_curves() -> None:
    old = CardBench("cardos-4.4")
    text = "83022002" + "850802008E00FFFF0000" + "8607" + "00" * 7 + "8F2C" + P256 + "0420" + "FF" * 32
    assert old.put_object(text) == "6984"
    assert old.send(command("002A80A6", "9C0100", "00")) == "6A86"


def test_a_key_of_3072_bits_is_generated(bench: CardBench) -> None:
    assert generated(bench, ["FF" * 192] * 5, kind="01", algorithm="0A") == OK
    assert CardView(bench.card.image).keys["3F00", 0x10].kind == "RSA-3072"
