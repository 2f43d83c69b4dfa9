"""An eID card on Cosmo 8.1, command by command."""

from __future__ import annotations

from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.card.image.codec import decode, encode
from cardtwin.entropy import SeededEntropy
from cardtwin.targets.issuing import Country, IssuedCard, issue_eid
from support.cardbench import CardBench, command

MODEL = "eid-8.1"
MAIN = "A000000077010800070000FE00000100"
AWP = "E828BD080FF2504F5420415750"
QSCD = "51534344204170706C69636174696F6E"
DIGEST = bytes(range(48))


@cache
def issued(country: Country = Country.ESTONIA) -> IssuedCard:
    return issue_eid(SeededEntropy(country.value), country=country)


@pytest.fixture
def bench() -> CardBench:
    return CardBench(MODEL, image=issued().image)


def pin(value: str) -> str:
    return value.encode().ljust(12, b"\xff").hex()


PIN1, PIN2, PUK = (command(f"002000{at}", pin(text)) for at, text in
                   (("01", "1234"), ("85", "123456"), ("02", "12345678")))  # fmt: skip
WRONG1 = command("00200001", pin("0000"))


def tries(bench: CardBench, reference: int) -> tuple[int, int]:
    """Return the tries left of a PIN, at the place where clients look, and the length of the answer."""
    told = bytes.fromhex(bench.ok(command("00CB3FFF", f"4D087006BF81{reference:02X}02A080", "00")))
    return told[13], len(told)


def public_key(label: str, country: Country = Country.ESTONIA) -> ec.EllipticCurvePublicKey:
    key = x509.load_der_x509_certificate(issued(country).certificates[label]).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key


def verify(key: ec.EllipticCurvePublicKey, signature: str) -> None:
    raw = bytes.fromhex(signature)
    assert len(raw) == 96
    der = encode_dss_signature(int.from_bytes(raw[:48]), int.from_bytes(raw[48:]))
    key.verify(der, DIGEST, ec.ECDSA(Prehashed(SHA384())))


def test_a_pin_tells_its_tries_where_clients_look_for_them(bench: CardBench) -> None:
    assert tries(bench, 1) == tries(bench, 2) == (3, 32)
    assert bench.send(command("00CB3FFF", "4D087006BF810502A080", "00")) == "6A88"
    bench.ok("00A4010C02ADF2")
    assert tries(bench, 5) == (3, 32)
    assert bench.send(WRONG1) == "63C2"
    assert tries(bench, 1) == (2, 32)


def test_the_whole_answer_of_a_pin_is_the_one_that_a_client_quotes(bench: CardBench) -> None:
    told = bench.ok(command("00CB3FFF", "4D087006BF810102A080", "00"))
    assert told == "701EBF81011AA0189A01039B0103A1108C06F300007343009C06F30000734300"


@pytest.mark.parametrize(
    "data", ["4D087006BF811002A080"[:-2], "4D087006BF9001027F48", "4D087006BF81017F4180"]
)
def test_nothing_else_is_told_by_get_data(bench: CardBench, data: str) -> None:
    assert bench.send(command("00CB3FFF", data, "00")) == "6A80"


def test_the_third_wrong_pin_blocks_and_the_puk_gives_another_value(bench: CardBench) -> None:
    assert [bench.send(WRONG1) for _ in range(4)] == ["63C2", "63C1", "63C0", "6983"]
    assert bench.send(command("002C0201", pin("4321"))) == "6982"
    bench.ok(PUK)
    bench.ok(command("002C0201", pin("4321")))
    bench.ok(command("00200001", pin("4321")))


def test_pin2_is_known_in_its_own_application_alone(bench: CardBench) -> None:
    assert bench.send(PIN2) == "6A88"
    bench.ok("00A4010C02ADF2")
    bench.ok(PIN2)


def test_the_puk_of_the_card_resets_pin2(bench: CardBench) -> None:
    bench.ok(PUK)
    bench.ok("00A4010C02ADF2")
    bench.ok(command("002C0285", pin("654321")))
    bench.ok(command("00200085", pin("654321")))


@pytest.mark.parametrize(("reference", "old"), [("01", "1234"), ("02", "12345678")])
def test_pin_and_puk_are_changed_by_whoever_knows_them(bench: CardBench, reference: str, old: str) -> None:
    bench.ok(command(f"002400{reference}", pin(old) + pin("87654321")))
    bench.ok(command(f"002000{reference}", pin("87654321")))
    assert bench.send(command(f"002400{reference}", pin(old) + pin("11112222"))) == "63C2"


def test_a_new_pin_has_its_least_length(bench: CardBench) -> None:
    assert bench.send(command("00240001", pin("1234") + pin("123"))) == "6A80"
    assert tries(bench, 1) == (3, 32)


@pytest.mark.parametrize("aid", [MAIN, AWP, QSCD])
def test_selecting_an_application_forgets_every_pin(bench: CardBench, aid: str) -> None:
    bench.ok(PIN1)
    assert bench.send("00200001") == "9000"
    bench.ok(command("00A4040C", aid))
    assert bench.send("00200001") == "63C3"


def test_selecting_by_identifier_keeps_pins(bench: CardBench) -> None:
    bench.ok(PIN1)
    bench.ok("00A4010C02ADF1")
    bench.ok("00A4000C")
    assert bench.send("00200001") == "9000"


@pytest.mark.parametrize("algorithm", ["8004FF200800", "800104"])
def test_the_authentication_key_signs_a_digest_under_pin1(bench: CardBench, algorithm: str) -> None:
    bench.ok("00A4010C02ADF1")
    bench.ok(command("002241A4", algorithm + "840181"))
    assert bench.send(command("00880000", DIGEST.hex(), "60")) == "6982"
    bench.ok(PIN1)
    verify(public_key("Isikutuvastus"), bench.ok(command("00880000", DIGEST.hex(), "60")))


@pytest.mark.parametrize("algorithm", ["8004FF150800", "800154"])
def test_the_signature_key_takes_pin2_anew_each_time(bench: CardBench, algorithm: str) -> None:
    sign = command("002A9E9A", DIGEST.hex(), "60")
    bench.ok("00A4010C02ADF2")
    bench.ok(command("002241B6", algorithm + "84019F"))
    bench.ok(PIN1)
    assert bench.send(sign) == "6982"
    bench.ok(PIN2)
    verify(public_key("Allkirjastamine"), bench.ok(sign))
    assert bench.send(sign) == "6982"


@pytest.mark.parametrize("algorithm", ["8004FF300400", "800104", "80010B"])
def test_the_authentication_key_agrees_on_a_key(bench: CardBench, algorithm: str) -> None:
    peer = ec.derive_private_key(12345, ec.SECP384R1())
    point = peer.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    bench.ok("00A4010C02ADF1")
    bench.ok(command("002241B8", algorithm + "840181"))
    agree = command("002A8086", "00" + point.hex(), "00")
    assert bench.send(agree) == "6982"
    bench.ok(PIN1)
    assert bytes.fromhex(bench.ok(agree)) == peer.exchange(ec.ECDH(), public_key("Isikutuvastus"))


def test_a_point_that_lies_beside_the_curve_is_refused(bench: CardBench) -> None:
    bench.ok("00A4010C02ADF1")
    bench.ok(PIN1)
    bench.ok(command("002241B8", "80010B840181"))
    assert bench.send(command("002A8086", "0004" + "11" * 96, "00")) == "6A80"
    assert bench.send(command("002A8086", "0104" + "11" * 96, "00")) == "6A80"
    assert bench.send(command("002A8086", "0004" + "11" * 95, "00")) == "6700"


@pytest.mark.parametrize("length", [1, 20, 32, 47, 49, 64])
def test_a_digest_of_another_length_is_refused(bench: CardBench, length: int) -> None:
    bench.ok("00A4010C02ADF1")
    bench.ok(PIN1)
    bench.ok(command("002241A4", "800104840181"))
    assert bench.send(command("00880000", "11" * length, "60")) == "6700"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param("800105840181", "6A80", id="unknown algorithm"),
        pytest.param("8001048401", "6A85", id="cut off"),
        pytest.param("840181", "6A80", id="no algorithm"),
        pytest.param("800104", "6A80", id="no key"),
        pytest.param("80010484028101", "6A80", id="key of two bytes"),
        pytest.param("800104840182", "6A88", id="no such key"),
        pytest.param("800104840181840181", "6A80", id="key given twice"),
    ],
)
def test_an_environment_names_a_known_algorithm_and_a_key_that_is_there(
    bench: CardBench, data: str, status: str
) -> None:
    bench.ok("00A4010C02ADF1")
    assert bench.send(command("002241A4", data)) == status


def test_a_key_is_good_for_its_own_operations_alone(bench: CardBench) -> None:
    bench.ok("00A4010C02ADF1")
    bench.ok(PIN1)
    bench.ok(command("002241B6", "800154840181"))
    assert bench.send(command("002A9E9A", DIGEST.hex(), "60")) == "6982"
    bench.ok("00A4000C")
    bench.ok("00A4010C02ADF2")
    bench.ok(PIN2)
    bench.ok(command("002241A4", "80010484019F"))
    assert bench.send(command("00880000", DIGEST.hex(), "60")) == "6982"


@pytest.mark.parametrize(
    ("country", "file", "label"),
    [
        (Country.ESTONIA, "ADF13401", "Isikutuvastus"),
        (Country.ESTONIA, "ADF2341F", "Allkirjastamine"),
        (Country.LATVIA, "ADF13402", "Authentication"),
        (Country.LATVIA, "ADF2341E", "Signature"),
    ],
)
def test_a_certificate_is_read_in_pieces_up_to_its_end(country: Country, file: str, label: str) -> None:
    card = issued(country)
    bench = CardBench(MODEL, image=card.image)
    told = bench.ok(command("00A40904", file, "00"))
    size = len(card.certificates[label])
    assert told[4:].startswith(f"8002{size:04X}8201018302{file[-4:]}88008A0105")
    found = b""

    while (answer := bench.send(f"00B0{len(found):04X}E9")) != "6B00":
        assert len(answer) <= 2 * (0xE7 + 2)
        found += bytes.fromhex(answer[:-4])

    assert found == card.certificates[label]


def test_a_latvian_card_has_keys_of_its_own_numbers() -> None:
    bench = CardBench(MODEL, image=issued(Country.LATVIA).image)
    bench.ok("00A4010C02ADF1")
    bench.ok(PIN1)
    assert bench.send(command("002241A4", "800104840181")) == "6A88"
    bench.ok(command("002241A4", "800104840182"))
    key = public_key("Authentication", Country.LATVIA)
    verify(key, bench.ok(command("00880000", DIGEST.hex(), "60")))
    assert bench.card.image.atr.hex().upper().startswith("3BDB960080B1FE451F830012428F")


def test_nothing_on_the_card_is_written_but_pins(bench: CardBench) -> None:
    for ins in ("D6", "E0", "E4", "DB", "47", "DA"):
        assert bench.send(f"00{ins}000001FF") == "6D00"


@given(st.lists(st.binary(min_size=4, max_size=40), max_size=10))
def test_any_bytes_are_answered_and_leave_a_memory_that_can_be(commands: list[bytes]) -> None:
    bench = CardBench(MODEL, image=issued().image)

    for each in commands:
        assert len(bench.send(b"\x00" + each)) >= 4

    assert decode(encode(bench.card.image)) == bench.card.image
