"""PINs and keys on Cosmo with IAS-ECC, as security data objects."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm

from cardtwin.card import CardView
from cardtwin.card.image.codec import decode, encode
from cardtwin.iso7816 import Tlv
from cardtwin.provenance import Switches
from support.cardbench import command, extended, tlv
from support.cosmo import AWP, KEY, PIN, PUK, CosmoBench, personalised, rules

VERIFY = command("00200001", "31323334FFFFFFFF")
ROOT = command("00A4040C", "A000000077010800070000FE00000100")
HASHES: dict[str, HashAlgorithm] = {"sha1": SHA1(), "sha256": SHA256()}  # noqa: S303  # what the card has
SHA256_INFO = "3031300D060960864801650304020105000420"


@pytest.fixture
def bench() -> CosmoBench:
    return personalised()


def public_key(bench: CosmoBench, number: int = KEY) -> rsa.RSAPublicKey:
    told = bench.send(bench_get(0x20, number, "7F49"))
    told = told[:-4] + bench.ok(f"00C00000{told[-2:]}") if told[-4:-2] == "61" else told[:-4]
    values = Tlv.parse(bytes.fromhex(told)).children()[0].children()[0].children()
    modulus, exponent = (int.from_bytes(found.value) for found in values)
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def bench_get(class_: int, number: int, what: str) -> str:
    return command(
        "00CB3FFF", tlv("4D", tlv("70", tlv(f"BF{class_ | 0x80:02X}{number:02X}", f"{what}80"))), "00"
    )


def enter(bench: CosmoBench, *, pin: bool = True) -> None:
    bench.ok(command("00A4040C", AWP))

    if pin:
        bench.ok(VERIFY)


def response(bench: CosmoBench, text: str) -> bytes:
    """Return the data of a response that may come in parts."""
    told = bench.send(text)
    data, status = told[:-4], told[-4:]

    while status[:2] == "61":
        told = bench.send(f"00C00000{status[2:]}")
        data, status = data + told[:-4], told[-4:]

    assert status == "9000"
    return bytes.fromhex(data)


def test_a_pin_tells_lengths_tries_and_conditions_but_no_value(bench: CosmoBench) -> None:
    assert bench.get(0x01, PIN, "7F41") == "700DBF8101097F41068001088101049000"
    assert bench.get(0x01, PIN, "A0") == "7018BF810114A0129A01039B0103A10A8C087F000012FFFFFF009000"
    assert "31323334" not in bench.get(0x01, PIN, "7F41")


def test_a_wrong_pin_costs_a_try_and_the_last_one_blocks(bench: CosmoBench) -> None:
    wrong = command("00200001", "30303030FFFFFFFF")
    assert bench.send("00200001") == "63C3"
    assert [bench.send(wrong) for _ in range(4)] == ["63C2", "63C1", "63C0", "6983"]
    assert "9B0100" in bench.get(0x01, PIN, "A0")
    assert bench.send(VERIFY) == "6983"


def test_the_puk_is_verified_and_then_gives_the_pin_another_value(bench: CosmoBench) -> None:
    reset = command("002C0201", "34333231FFFFFFFF")
    assert bench.send(reset) == "6982"
    bench.ok(command("00200002", b"87654321".hex()))
    bench.ok(reset)
    bench.ok(command("00200001", "34333231FFFFFFFF"))


def test_the_counter_is_reset_alone_where_the_puk_was_verified(bench: CosmoBench) -> None:
    bench.send(command("00200001", "30303030FFFFFFFF"))
    assert bench.send("002C0301") == "6982"
    bench.ok(command("00200002", b"87654321".hex()))
    bench.ok("002C0301")
    assert bench.send("00200001") == "63C3"


def test_change_reference_data_changes_pin_and_puk(bench: CosmoBench) -> None:
    bench.ok(command("00240001", "31323334FFFFFFFF" + "39393939FFFFFFFF"))
    bench.ok(command("00240002", b"87654321".hex() + b"12345678".hex()))
    assert bench.send(VERIFY) == "63C2"
    bench.ok(command("00200002", b"12345678".hex()))


def test_an_application_s_selection_keeps_the_pins_of_the_mf(bench: CosmoBench) -> None:
    enter(bench)
    bench.put_user(5, "5555")
    bench.ok(command("00200005", "35353535FFFFFFFF"))
    bench.ok(ROOT)
    assert bench.send("00200001") == "9000"
    bench.ok(command("00A4040C", AWP))
    assert bench.send("00200005") == "63C3"


def test_with_the_switch_it_forgets_every_pin() -> None:
    image = personalised().card.image
    bench = CosmoBench(image=image, switches=Switches({"card.iasecc-application": "all"}))
    enter(bench)
    bench.ok(ROOT)
    assert bench.send("00200001") == "63C3"


def test_verify_with_ff_forgets_one_pin(bench: CosmoBench) -> None:
    bench.ok(VERIFY)
    bench.ok("0020FF01")
    assert bench.send("00200001") == "63C3"


def test_a_pin_is_created_with_its_value_changed_and_deleted(bench: CosmoBench) -> None:
    parameters = tlv("A0", f"9A0103{rules(0x7F, *bytes(7))}")
    assert bench.put(0x01, 7, parameters) == "6A80"
    bench.put_user(7, "7777", length=6)
    assert bench.put(0x01, 7, parameters, tlv("7F41", "8204" + "37373737")) == "6985"
    assert bench.put(0x01, 7, tlv("7F41", "8206" + "383838383838")) == "6982"
    assert bench.put(0x01, 7) == "9000"
    assert bench.send("00200007") == "6A88"


@pytest.mark.parametrize("number", [1, 2, 0x0F])
def test_a_security_environment_can_t_be_read(bench: CosmoBench, number: int) -> None:
    assert bench.get(0x7B, number, "7B") == "6A88"


def test_an_object_that_isn_t_there_is_answered_6a88(bench: CosmoBench) -> None:
    assert bench.get(0x10, 9, "A0") == "6A88"
    assert bench.get(0x0A, 1, "A0") == "6A88"
    assert bench.put(0x10, 9, tlv("7F48", "92012A")) == "6A88"


def test_a_private_key_tells_its_size_and_no_value(bench: CosmoBench) -> None:
    bench.ok(command("00A4040C", AWP))
    assert bench.get(0x10, KEY, "A0").startswith("7016BF900112A01080020100A10A8C08")
    assert bench.get(0x10, KEY, "7F48") == "6A80"


def test_internal_authenticate_signs_with_pkcs1_padding(bench: CosmoBench) -> None:
    enter(bench)
    bench.ok("002241A406840181800102")
    digest = hashlib.sha256(b"hello").digest()
    signature = response(bench, command("00880000", SHA256_INFO + digest.hex(), "00"))
    public_key(bench).verify(signature, digest, padding.PKCS1v15(), Prehashed(SHA256()))


def test_a_key_asks_for_the_pin_of_its_condition(bench: CosmoBench) -> None:
    enter(bench, pin=False)
    bench.ok("002241A406840101800102")
    assert bench.send(command("00880000", SHA256_INFO + "00" * 32, "00")) == "6982"


@pytest.mark.parametrize(
    ("algorithm", "digest", "size"),
    [("10", "sha1", 0), ("10", "sha1", 63), ("40", "sha256", 64), ("40", "sha256", 1)],
)
def test_the_card_finishes_a_digest_and_signs_it(
    bench: CosmoBench, algorithm: str, digest: str, size: int
) -> None:
    enter(bench)
    message = bytes(size)
    bench.ok(f"002241AA0380 01{algorithm}".replace(" ", ""))
    bench.ok(f"002241B6068401818001{int(algorithm, 16) | 2:02X}")
    bench.ok(command("002A90A0", f"9000{tlv('80', message.hex())}"))
    signature = response(bench, "002A9E9A00")
    public_key(bench).verify(signature, message, padding.PKCS1v15(), HASHES[digest])
    assert bench.send("002A9E9A00") == "6985"


def test_a_digest_of_another_kind_is_not_signed(bench: CosmoBench) -> None:
    enter(bench)
    bench.ok("002241AA03800110")
    bench.ok("002241B606840181800142")
    bench.ok(command("002A90A0", "9000" + tlv("80", "AA")))
    assert bench.send("002A9E9A00") == "6985"
    assert bench.send("002A9E9A01AA00") == "6700"


@pytest.mark.parametrize("chained", [False, True])
def test_a_cryptogram_is_deciphered_and_its_padding_taken_off(bench: CosmoBench, *, chained: bool) -> None:
    enter(bench)
    cryptogram = "81" + public_key(bench).encrypt(b"for the card", padding.PKCS1v15()).hex()
    bench.ok("002241B80684018180011A")

    if chained:
        bench.ok(command("102A8086", cryptogram[:400]))
        told = response(bench, command("002A8086", cryptogram[400:], "00"))
    else:
        told = response(bench, extended("002A8086", cryptogram, "0000"))

    assert told == b"for the card"


@pytest.mark.parametrize("text", ["0106840181800110", "A406840181800112", "B60380 0142", "AA06840181800110"])
def test_other_algorithms_and_forms_are_refused(bench: CosmoBench, text: str) -> None:
    bench.ok(command("00A4040C", AWP))
    assert bench.send(f"002241{text}".replace(" ", "")) in {"6A80", "6A86"}


def test_a_key_is_imported_part_by_part_and_signs(bench: CosmoBench) -> None:
    made = rsa.generate_private_key(65537, 2048)
    numbers = made.private_numbers()
    enter(bench)
    bench.put_pair(3)
    assert bench.send(command("002241A4", "840183800102")) == "9000"
    assert bench.send(command("00880000", "AA", "00")) == "6984"

    for tag, number in (
        ("92", numbers.p),
        ("93", numbers.q),
        ("94", numbers.iqmp),
        ("95", numbers.dmp1),
        ("96", numbers.dmq1),
    ):
        value = number.to_bytes((number.bit_length() + 7) // 8)
        part = Tlv.constructed(0x7F48, (Tlv(int(tag, 16), value),)).encode().hex()
        assert bench.put(0x10, 3, part) == "9000"

    digest = hashlib.sha256(b"x").digest()
    signature = response(bench, command("00880000", SHA256_INFO + digest.hex(), "00"))
    made.public_key().verify(signature, digest, padding.PKCS1v15(), Prehashed(SHA256()))


def test_generation_fills_both_halves_and_tells_the_public_one(bench: CosmoBench) -> None:
    enter(bench)
    bench.put_pair(4)
    told = response(bench, command("00470000", "7003BF9004", "00"))
    assert told.startswith(bytes.fromhex("7F4982010981820100"))
    assert public_key(bench, 4).key_size == 2048
    assert CardView(bench.card.image).keys["3F00/5015", 4].kind == "RSA-2048"


def test_generation_without_a_public_half_is_refused(bench: CosmoBench) -> None:
    enter(bench)
    bench.put_pair(4)
    assert bench.put(0x20, 4) == "9000"
    assert bench.send(command("00470000", "7003BF9004", "00")) == "6A88"


def test_a_deleted_key_signs_no_more(bench: CosmoBench) -> None:
    enter(bench)
    assert bench.put(0x10, KEY) == "9000"
    assert bench.send("002241A406840181800102") == "6A88"
    assert not CardView(bench.card.image).keys


def test_a_challenge_has_eight_bytes(bench: CosmoBench) -> None:
    assert len(bench.ok("0084000008")) == 16
    assert bench.send("0084000010") == "6700"


def test_an_image_with_objects_is_saved_and_read(bench: CosmoBench) -> None:
    image = bench.card.image
    assert decode(encode(image)) == image
    assert CardView(image).pins["3F00", PUK].max_tries == 10
