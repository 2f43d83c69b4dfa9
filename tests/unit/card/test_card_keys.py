"""Private keys: generating, importing, signing, deciphering, agreeing, authenticating."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from cardtwin.card import CardView
from cardtwin.card.crypto import Curve, RsaPrivateKey
from cardtwin.card.crypto.authentication import Method, respond
from cardtwin.entropy import SeededEntropy
from cardtwin.iso7816 import Tlv
from support.cardbench import OK, CardBench, command, extended, pin

KEY = RsaPrivateKey.generate(SeededEntropy("keys"), 2048)
SMALL = RsaPrivateKey.generate(SeededEntropy("keys"), 1024)
DIGEST = hashlib.sha256(b"data").digest()
DIGEST_INFO = bytes.fromhex("3031300D060960864801650304020105000420") + DIGEST
PADDED = b"\x00\x01" + b"\xff" * (256 - 3 - len(DIGEST_INFO)) + b"\x00" + DIGEST_INFO
SIGN, DECIPHER = "002A9E9A", "002A8086"
P256 = "06082A8648CE3D030107"


def crt(key: RsaPrivateKey) -> list[str]:
    return [number.to_bytes(key.size // 2).hex() for number in (key.p, key.q, key.dp, key.dq, key.qinv)]


def two_parts(key: RsaPrivateKey) -> list[str]:
    prefix = bytes((key.size + 1, 0))
    return [(prefix + number.to_bytes(key.size)).hex() for number in (key.n, key.d)]


def verified(signature: str, key: RsaPrivateKey = KEY) -> None:
    key.public.to_cryptography().verify(
        bytes.fromhex(signature), DIGEST, padding.PKCS1v15(), Prehashed(SHA256())
    )


def whole(bench: CardBench, header: str, data: bytes) -> str:
    """Send data with extended lengths."""
    return bench.send(extended(header, data.hex(), "0000"))


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


def generated(
    bench: CardBench, parts: list[str], *, kind: str, algorithm: str, access: str = "00" * 7
) -> str:
    bench.create_ef("7EAD", 0x200, kind=kind)
    bench.put_key(0x10, parts, algorithm=algorithm, access=access)
    return bench.send("00460000082010 7EAD00100020".replace(" ", ""))


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


class TestVersion5:
    """What CardOS V5 does its own way."""

    @pytest.fixture
    def bench(self) -> CardBench:
        return CardBench("cardos-5.3")

    @pytest.mark.parametrize("choice", ["840101950140800110", "840101800110", "840101", "840101950140"])
    def test_a_digest_info_is_padded_by_the_card(self, bench: CardBench, choice: str) -> None:
        bench.put_key(0x01, crt(KEY), algorithm="8A")
        bench.ok(command("002241B6", choice))
        verified(bench.ok(command(SIGN, DIGEST_INFO.hex(), "00")))

    def test_a_block_as_long_as_the_modulus_is_taken_as_it_is(self, bench: CardBench) -> None:
        bench.put_key(0x01, crt(KEY), algorithm="8A")
        bench.ok("002241B603840101")
        verified(whole(bench, SIGN, PADDED)[:-4])
        bench.ok("002241B606840101800110")
        assert whole(bench, SIGN, PADDED) == "6A80"

    def test_a_cryptogram_comes_unpadded_or_without_its_leading_zero(self, bench: CardBench) -> None:
        bench.put_key(0x04, crt(KEY), algorithm="0A")
        cryptogram = KEY.public.to_cryptography().encrypt(b"message", padding.PKCS1v15())
        bench.ok("002241B806840104800110")
        assert whole(bench, DECIPHER, b"\0" + cryptogram) == b"message".hex().upper() + OK
        bench.ok("002241B80680010A840104")
        raw = bytes.fromhex(whole(bench, DECIPHER, b"\0" + cryptogram)[:-4])
        assert len(raw) == 255
        assert raw[:1] == b"\x02"

    def test_deciphering_may_be_chained(self, bench: CardBench) -> None:
        bench.put_key(0x04, crt(KEY), algorithm="0A")
        bench.ok("002241B806840104800110")
        data = b"\0" + KEY.public.to_cryptography().encrypt(b"message", padding.PKCS1v15())
        assert bench.send(command("102A8086", data[:255].hex())) == OK
        assert bench.ok(command(DECIPHER, data[255:].hex(), "00")) == b"message".hex().upper()

    def test_every_key_signs_but_a_key_for_signing_does_not_decipher(self, bench: CardBench) -> None:
        bench.put_key(0x04, crt(KEY), algorithm="0A")
        bench.put_key(0x01, crt(KEY), algorithm="8A")
        bench.ok("002241B606840104800110")
        verified(bench.ok(command(SIGN, DIGEST_INFO.hex(), "00")))
        bench.ok("002241B806840101800110")
        assert whole(bench, DECIPHER, b"\0" + PADDED) == "6984"

    @pytest.mark.parametrize("data", ["800110", "8401018001EE", "84010199 0100", "840201 01"])
    def test_an_unknown_choice_is_refused(self, bench: CardBench, data: str) -> None:
        bench.put_key(0x01, crt(KEY), algorithm="8A")
        assert bench.send(command("002241B6", data.replace(" ", ""))) == "6A80"

    def test_version_4_s_other_forms_are_gone(self, bench: CardBench) -> None:
        assert bench.send("0022F1B603830101") == "6A86"
        assert bench.send("8086000008" + "11" * 8) == "6D00"

    @pytest.mark.parametrize(("oid", "curve"), [(P256, Curve.P256), ("06052B81040022", Curve.P384)])
    def test_an_ec_key_is_generated_and_signs(self, bench: CardBench, oid: str, curve: Curve) -> None:
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

    def test_two_sides_agree_on_a_key(self, bench: CardBench) -> None:
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

    def test_version_4_has_no_elliptic_curves(self) -> None:
        old = CardBench("cardos-4.4")
        text = "83022002" + "850802008E00FFFF0000" + "8607" + "00" * 7 + "8F2C" + P256 + "0420" + "FF" * 32
        assert old.put_object(text) == "6984"
        assert old.send(command("002A80A6", "9C0100", "00")) == "6A86"

    def test_a_key_of_3072_bits_is_generated(self, bench: CardBench) -> None:
        assert generated(bench, ["FF" * 192] * 5, kind="01", algorithm="0A") == OK
        assert CardView(bench.card.image).keys["3F00", 0x10].kind == "RSA-3072"
