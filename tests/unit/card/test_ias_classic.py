"""IDClassic 340 with IAS Classic: T=0, files, PINs, and keys at work."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512, HashAlgorithm

from cardtwin.card import CardView
from cardtwin.iso7816 import Tlv
from support.cardbench import command, extended, tlv
from support.cosmo import rules
from support.gemalto import (
    APPLET,
    KEY,
    PKCS15,
    SMALL_KEY,
    VERIFY,
    ClassicBench,
    bare,
    personalised,
)

HASHES: dict[str, HashAlgorithm] = {
    "sha1": SHA1(),  # noqa: S303  # what the card has
    "sha256": SHA256(),
    "sha384": SHA384(),
    "sha512": SHA512(),
}
SIGN = "002A9E9A00"


@pytest.fixture
def bench() -> ClassicBench:
    return personalised()


@pytest.fixture
def empty() -> ClassicBench:
    return ClassicBench()


def public_key(bench: ClassicBench, number: int = KEY) -> rsa.RSAPublicKey:
    sdo = tlv(f"BFA0{number:02X}", "7F4980")
    told = bench.whole(command("00CB3FFF", tlv("4D", tlv("70", sdo)), "00"))
    values = Tlv.parse(bytes.fromhex(told)).children()[0].children()[0].children()
    modulus, exponent = (int.from_bytes(found.value) for found in values)
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def enter(bench: ClassicBench) -> None:
    bench.ok(command("00A4040C", PKCS15))
    bench.ok(VERIFY)


def choose(bench: ClassicBench, template: str, algorithm: int, number: int = KEY) -> str:
    return bench.send(command(f"002241{template}", f"8001{algorithm:02X}8401{number:02X}"))


def hand_over(bench: ClassicBench, data: bytes) -> str:
    return bench.send(command("002A90A0", tlv("90", data.hex()), "00"))


def test_the_applet_has_the_name_that_clients_select(empty: ClassicBench) -> None:
    told = empty.ok(command("00A40400", APPLET, "00"))
    assert told.startswith("6F")
    assert tlv("84", APPLET) in told


def test_the_card_manager_is_not_there(empty: ClassicBench) -> None:
    assert empty.send(command("00A40400", "A000000018434D00")) == "6A82"


def test_a_command_with_data_and_without_le_is_told_how_much_get_response_brings(empty: ClassicBench) -> None:
    told = empty.send(command("00A40400", APPLET))
    assert told[:2] == "61"
    assert empty.ok(f"00C00000{told[2:]}") == empty.ok(command("00A40400", APPLET, "00"))


def test_what_get_response_would_bring_is_lost_with_the_next_command(empty: ClassicBench) -> None:
    empty.send(command("00A40400", APPLET))
    empty.ok("0084000008")
    assert empty.send("00C0000020") == "6985"


def test_extended_lengths_are_refused_in_t_0(empty: ClassicBench) -> None:
    assert empty.send(extended("00A40400", APPLET, "0000")) == "6700"


def test_a_df_tells_no_file_descriptor_and_an_ef_tells_one(empty: ClassicBench) -> None:
    empty.create("4401", 0x123, 0x00, 0x11, 0x00)
    ef = empty.ok(command("00A40204", "4401", "00"))
    assert ef == tlv("62", "80020123820101830244018A01058C065B00FFFF1100")
    empty.create_application("5015", PKCS15, 0x11, 0x12)
    df = empty.ok(command("00A40004", "5015", "00"))
    assert df == tlv("62", f"83025015{tlv('84', PKCS15)}8A01058C065E11FFFF1212")


def test_a_df_keeps_the_size_that_it_was_given(empty: ClassicBench) -> None:
    empty.create_application("5015")
    assert CardView(empty.card.image).files["3F00/5015"].size == 0x100


def test_access_rules_within_a1_are_those_of_another_card(empty: ClassicBench) -> None:
    text = "80020010820101830234 01".replace(" ", "") + tlv("A1", bare(0x43, 0, 0, 0))
    assert empty.send(command("00E00000", tlv("62", text))) == "6A80"
    empty.create("3401", 16)
    assert empty.send(command("00DB3FFF", tlv("62", tlv("A1", bare(0x43, 0, 0, 0))))) == "6A80"


def test_the_files_of_a_df_are_listed_in_the_order_of_their_creation(empty: ClassicBench) -> None:
    for file_id in ("3402", "3401", "2F00"):
        empty.create(file_id, 1)

    assert empty.ok(command("00CB3FFF", "5C00", "00")) == "510234025102340151022F00"


def test_a_file_is_deleted_by_its_identifier_or_as_the_current_one(empty: ClassicBench) -> None:
    for file_id in ("3401", "3402"):
        empty.create(file_id, 1)

    empty.ok("00E40000")
    empty.ok(command("00E40000", "3401"))
    assert list(CardView(empty.card.image).files) == ["3F00"]
    assert empty.send(command("00E40000", "3401")) == "6A82"


def test_a_condition_on_a_pin_is_met_once_it_is_verified(bench: ClassicBench) -> None:
    bench.create("3401", 4, 0, 0x11, 0x11)
    assert bench.send("00B0000004") == "6982"
    bench.ok(VERIFY)
    assert bench.ok("00B0000004") == "00000000"


def test_the_applet_s_own_name_forgets_every_pin_and_a_df_s_keeps_them(bench: ClassicBench) -> None:
    bench.ok(VERIFY)
    bench.ok(command("00A4040C", PKCS15))
    assert bench.send("00200001") == "9000"
    bench.ok(command("00A4040C", APPLET))
    assert bench.send("00200001") == "63C3"


def test_a_pin_is_forgotten_by_verify_with_ff(bench: ClassicBench) -> None:
    bench.ok(VERIFY)
    bench.ok("0020FF01")
    assert bench.send("00200001") == "63C3"


def test_a_blocked_pin_gets_a_new_value_by_its_puk(bench: ClassicBench) -> None:
    wrong = command("00200001", "39393939FFFFFFFF")
    assert [bench.send(wrong) for _ in range(4)] == ["63C2", "63C1", "63C0", "6983"]
    new = "3535353535FFFFFF"
    assert bench.send(command("002C0001", "3030303030303030" + new)) == "63C9"
    bench.ok(command("002C0001", "3837363534333231" + new))
    assert bench.send(VERIFY) == "63C2"
    bench.ok(command("00200001", new))


def test_production_data_tell_release_and_serial_number_for_both_classes(empty: ClassicBench) -> None:
    told = empty.ok("00CA9F7F2D")
    assert told == empty.ok("80CA9F7F00")
    assert (len(told), told[:6]) == (90, "9F7F2A")
    assert told[22:26] == "0300"
    assert told[26:42] == empty.card.image.serial.hex()


@pytest.mark.parametrize(
    ("algorithm", "name"), [(0x12, "sha1"), (0x42, "sha256"), (0x52, "sha384"), (0x62, "sha512")]
)
def test_the_card_puts_a_hash_into_a_digest_info_and_signs(
    bench: ClassicBench, algorithm: int, name: str
) -> None:
    enter(bench)
    assert choose(bench, "B6", algorithm) == "9000"
    digest = hashlib.new(name, b"data").digest()
    assert hand_over(bench, digest) == digest.hex().upper() + "9000"
    signature = bytes.fromhex(bench.whole(SIGN))
    public_key(bench).verify(signature, digest, padding.PKCS1v15(), Prehashed(HASHES[name]))


@pytest.mark.parametrize(("algorithm", "name"), [(0x45, "sha256"), (0x55, "sha384"), (0x65, "sha512")])
@pytest.mark.parametrize("number", [KEY, SMALL_KEY])
def test_the_card_signs_a_hash_with_pss(bench: ClassicBench, algorithm: int, name: str, number: int) -> None:
    enter(bench)
    choose(bench, "B6", algorithm, number)
    digest = hashlib.new(name, b"data").digest()
    hand_over(bench, digest)
    kind = HASHES[name]

    if number == SMALL_KEY and name == "sha512":
        assert bench.send(SIGN) == "6A80"
        return

    signature = bytes.fromhex(bench.whole(SIGN))
    pss = padding.PSS(padding.MGF1(kind), kind.digest_size)
    public_key(bench, number).verify(signature, digest, pss, Prehashed(kind))


def test_a_digest_info_is_signed_as_it_is(bench: ClassicBench) -> None:
    enter(bench)
    choose(bench, "B6", 0x02, SMALL_KEY)
    digest = hashlib.sha256(b"data").digest()
    hand_over(bench, bytes.fromhex("3031300D060960864801650304020105000420") + digest)
    signature = bytes.fromhex(bench.whole(SIGN))
    public_key(bench, SMALL_KEY).verify(signature, digest, padding.PKCS1v15(), Prehashed(SHA256()))


def test_a_hash_of_another_length_than_the_algorithm_s_is_not_signed(bench: ClassicBench) -> None:
    enter(bench)
    choose(bench, "B6", 0x42)
    hand_over(bench, bytes(20))
    assert bench.send(SIGN) == "6A80"


def test_without_a_hash_nothing_is_signed_and_one_is_signed_once(bench: ClassicBench) -> None:
    enter(bench)
    choose(bench, "B6", 0x42)
    assert bench.send(SIGN) == "6985"
    hand_over(bench, bytes(32))
    bench.whole(SIGN)
    assert bench.send(SIGN) == "6985"


def test_a_key_chosen_anew_forgets_the_hash(bench: ClassicBench) -> None:
    enter(bench)
    choose(bench, "B6", 0x42)
    hand_over(bench, bytes(32))
    choose(bench, "B6", 0x42)
    assert bench.send(SIGN) == "6985"


def test_without_the_pin_no_key_works(bench: ClassicBench) -> None:
    bench.ok(command("00A4040C", PKCS15))
    choose(bench, "B6", 0x42)
    hand_over(bench, bytes(32))
    assert bench.send(SIGN) == "6982"


@pytest.mark.parametrize(
    ("template", "data", "status"),
    [
        ("B6", "8001998401 01", "6A80"),
        ("B6", "840101", "6A80"),
        ("B6", "800142", "6A80"),
        ("B6", "800142840109", "6A88"),
        ("B8", "800142840101", "6A80"),
        ("B6", "8400", "6A80"),
        ("B6", "84", "6A85"),
        ("B6", "800142840181", "9000"),
    ],
)
def test_a_key_and_an_algorithm_that_are_not_there_are_refused(
    bench: ClassicBench, template: str, data: str, status: str
) -> None:
    bench.ok(command("00A4040C", PKCS15))
    assert bench.send(command(f"002241{template}", data.replace(" ", ""))) == status


@pytest.mark.parametrize("algorithm", [0x1A, 0x02])
def test_a_cryptogram_is_deciphered_and_its_padding_taken_off(bench: ClassicBench, algorithm: int) -> None:
    enter(bench)
    choose(bench, "B8", algorithm)
    cryptogram = public_key(bench).encrypt(b"secret", padding.PKCS1v15())
    bench.ok(command("102A8086", "81" + cryptogram[:254].hex()))
    assert bench.ok(command("002A8086", cryptogram[254:].hex(), "00")) == b"secret".hex().upper()


@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [(0x1D, SHA1()), (0x4D, SHA256()), (0x5D, SHA384())],  # noqa: S303  # what the card has
)
def test_a_cryptogram_of_oaep_is_deciphered(bench: ClassicBench, algorithm: int, kind: HashAlgorithm) -> None:
    enter(bench)
    choose(bench, "B8", algorithm, SMALL_KEY)
    oaep = padding.OAEP(padding.MGF1(kind), kind, None)
    cryptogram = public_key(bench, SMALL_KEY).encrypt(b"secret", oaep)
    assert bench.ok(command("002A8086", "81" + cryptogram.hex(), "00")) == b"secret".hex().upper()
    broken = bytes((cryptogram[0] ^ 1,)) + cryptogram[1:]
    assert bench.send(command("002A8086", "81" + broken.hex(), "00")) == "6A80"


def test_a_short_cryptogram_may_come_without_a_byte_before_it(bench: ClassicBench) -> None:
    enter(bench)
    choose(bench, "B8", 0x02, SMALL_KEY)
    cryptogram = public_key(bench, SMALL_KEY).encrypt(b"secret", padding.PKCS1v15())
    assert bench.ok(command("802A8084", cryptogram.hex(), "00")) == b"secret".hex().upper()
    assert bench.send(command("802A8084", cryptogram[1:].hex(), "00")) == "6700"


def test_a_key_that_may_decipher_alone_signs_nothing(bench: ClassicBench) -> None:
    bench.ok(command("00A4040C", PKCS15))
    parameters = tlv("A0", f"80020080{rules(0x7B, 0xFF, 0xFF, 0, 0, 0, 0)}")
    assert [bench.put(class_, 3, parameters) for class_ in (0x10, 0x20)] == ["9000", "9000"]
    bench.generate(3)
    choose(bench, "B6", 0x42, 3)
    hand_over(bench, bytes(32))
    assert bench.send(SIGN) == "6982"
    choose(bench, "B8", 0x1A, 3)
    cryptogram = public_key(bench, 3).encrypt(b"secret", padding.PKCS1v15())
    assert bench.ok(command("002A8086", "81" + cryptogram.hex(), "00")) == b"secret".hex().upper()


def test_an_rsa_key_agrees_on_nothing(bench: ClassicBench) -> None:
    enter(bench)
    bench.ok(command("002241B8", f"8401{KEY:02X}"))
    assert bench.send(command("002A8086", "0004" + "00" * 64, "00")) == "6984"
