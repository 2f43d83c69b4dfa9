"""An AuthentIC card on Cosmo 7, command by command."""

from __future__ import annotations

from contextlib import suppress
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.card import CardView
from cardtwin.card.crypto import RsaPrivateKey
from cardtwin.card.image.codec import decode, encode
from cardtwin.entropy import SeededEntropy
from cardtwin.iso7816 import Tlv
from cardtwin.pcsc import CardMuteError
from cardtwin.provenance import Switches
from cardtwin.targets.issuing import IssuedCard, issue_authentic
from support.cardbench import CardBench, command, tlv

MODEL = "authentic-3"
AID = "A0000000770100700A1000F100000100"
DF = "00A4080C025015"
ACCESS = "0001" * 6
SHA256_INFO = bytes.fromhex("3031300D060960864801650304020105000420")


@cache
def issued() -> IssuedCard:
    return issue_authentic(SeededEntropy("authentic"))


@pytest.fixture
def bench() -> CardBench:
    return CardBench(MODEL, image=issued().image)


def pin(value: str) -> str:
    return value.encode().ljust(63, b"\xff").hex()


VERIFY, PUK = command("00200001", pin("1234")), command("00200002", pin("12345678"))
WRONG = command("00200001", pin("0000"))


def entered(bench: CardBench) -> CardBench:
    bench.ok(DF)
    bench.ok(VERIFY)
    return bench


def put(bench: CardBench, *objects: str, size: str = "0C", number: str = "05") -> str:
    """Send PUT DATA for a key, chained where it is long, and return the status word."""
    value = bytes.fromhex(f"8001{size}8301{number}" + "".join(objects))
    data = Tlv(0xA1, value).encode().hex()

    while len(data) > 2 * 0xFF:
        bench.ok(command("10DB3FFF", data[: 2 * 0xFF]))
        data = data[2 * 0xFF :]

    return bench.send(command("00DB3FFF", data))


def created(bench: CardBench, access: str = ACCESS, **more: str) -> CardBench:
    assert put(entered(bench), tlv("86", access), **more) == "9000"
    return bench


def pair(key: RsaPrivateKey, *, exponent: int | None = None) -> str:
    half = key.size // 2
    parts = {0x92: key.p, 0x93: key.q, 0x94: key.qinv, 0x95: key.dp, 0x96: key.dq}
    private = Tlv.constructed(0x7F48, (Tlv(tag, value.to_bytes(half)) for tag, value in parts.items()))
    told = (Tlv(0x81, key.n.to_bytes(key.size)), Tlv(0x82, (exponent or key.e).to_bytes(3)))
    return Tlv.constructed(0xA5, (private, Tlv.constructed(0x7F49, told))).encode().hex()


def own_key(bits: int = 1024) -> RsaPrivateKey:
    return RsaPrivateKey.generate(SeededEntropy(f"own {bits}"), bits)


def whole(bench: CardBench, text: str) -> str:
    """Return the data of a response that may come in parts."""
    told = bench.send(text)
    data = told[:-4]

    while told[-4:-2] == "61":
        told = bench.send(f"00C00000{told[-2:]}")
        data += told[:-4]

    assert told[-4:] == "9000", told
    return data


def certified() -> rsa.RSAPublicKey:
    key = x509.load_der_x509_certificate(issued().certificates["Card Twin"]).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    return key


def choose(bench: CardBench, template: str = "B6", number: int = 1) -> CardBench:
    bench.ok(command(f"002241{template}", f"8001118301{number:02X}"))
    return bench


def test_a_pin_tells_its_policy_and_not_the_tries_left(bench: CardBench) -> None:
    policy = "5F011A910105800100860A000000020000FFFFFFFFA10683013F840104"
    assert bench.ok("00CA5F0100") == bench.ok("80CA5F0100") == policy
    bench.send(WRONG)
    assert bench.ok("00CA5F0100") == policy
    assert bench.send("00CA5F0300") == "6A88"


def test_the_serial_number_has_its_place_in_the_production_data(bench: CardBench) -> None:
    told = bytes.fromhex(bench.ok("00CA9F7F2D"))
    assert (len(told), told[:3]) == (0x2D, bytes.fromhex("9F7F2A"))
    assert told[15:19] == bench.card.image.serial
    assert bench.ok("80CA9F7F2D") == told.hex().upper()


def test_the_fifth_wrong_pin_blocks_and_the_puk_gives_another_value(bench: CardBench) -> None:
    assert [bench.send(WRONG) for _ in range(6)] == ["63C4", "63C3", "63C2", "63C1", "63C0", "6983"]
    assert bench.send("002C0301") == "6982"
    bench.ok(PUK)
    bench.ok("002C0301")
    bench.ok(VERIFY)
    bench.ok(command("002C0201", pin("4321")))
    bench.ok(command("00200001", pin("4321")))


def test_a_pin_is_changed_by_whoever_knows_it_and_not_without(bench: CardBench) -> None:
    bench.ok(command("00240001", pin("1234") + pin("98765432")))
    assert bench.send(VERIFY) == "63C4"
    assert bench.send(command("00240101", pin("1234"))) == "6A86"
    assert bench.send(command("00240001", pin("98765432") + pin("123"))) == "6A80"


def test_selecting_the_application_forgets_pins(bench: CardBench) -> None:
    bench.ok(VERIFY)
    bench.ok("00A4000000")
    assert bench.send("00200001") == "9000"
    bench.ok(command("00A4040C", AID))
    assert bench.send("00200001") == "63C5"


def test_files_tell_their_conditions_in_pairs(bench: CardBench) -> None:
    assert bench.ok("00A4000000").endswith("8606FFFFFFFFFFFF")
    assert bench.ok("00A4080002501500") == "6F138002000082013883025015" + "86060001FFFF0001"
    assert bench.ok("00A4000002B00000").endswith("8608" + "0000" + "0001" * 3)


def test_a_file_is_created_written_read_and_deleted_under_its_conditions(bench: CardBench) -> None:
    create = command("00E00000", "62158002000482010183024401" + "8608" + "00010001FFFF0001")
    bench.ok(DF)
    assert bench.send(create.replace("FFFF", "0001")) == "6982"
    bench.ok(VERIFY)
    bench.ok(create.replace("FFFF", "0001"))
    assert bench.send(create) == "6A89"
    bench.ok("00D6000004CAFEBABE")
    assert bench.ok("00B0000004") == "CAFEBABE"
    bench.ok(command("00A4040C", AID))
    bench.ok(DF)
    bench.ok("00A4000C024401")
    assert bench.send("00B0000004") == bench.send("00D600000100") == "6982"
    bench.ok(DF)
    assert bench.send("00E40200024401") == "6982"
    bench.ok(VERIFY)
    assert bench.send("00E40100024401") == "6A82"
    bench.ok("00E40200024401")
    assert bench.send("00A4000C024401") == "6A82"


def test_each_condition_of_a_file_is_for_its_own_operation(bench: CardBench) -> None:
    conditions = "0000FFFF0001FFFF"
    entered(bench).ok(command("00E00000", "621580020004820101830244018608" + conditions))
    bench.ok("00D6000004CAFEBABE")
    bench.ok(DF)
    assert bench.send("00E40200024401") == "6982"
    assert bench.ok("00A4000002440100").endswith(conditions)
    bench.ok(command("00A4040C", AID))
    bench.ok("00A4080C0450154401")
    assert bench.ok("00B0000004") == "CAFEBABE"
    assert bench.send("00D600000100") == "6982"


def test_a_df_is_deleted_as_a_df_alone(bench: CardBench) -> None:
    entered(bench).ok(command("00E00000", "62138002000082013883024402" + "8606" + "0001" * 3))
    bench.ok("00A4030C")
    assert bench.send("00E40200024402") == "6A82"
    bench.ok("00E40100024402")


@pytest.mark.parametrize("conditions", ["0003" * 4, "6001" * 4, "0080" * 4, "0001" * 3, "2000" * 4])
def test_conditions_that_the_card_can_t_follow_are_refused(bench: CardBench, conditions: str) -> None:
    head = "8002000482010183024401"
    assert entered(bench).send(command("00E00000", tlv("62", head + tlv("86", conditions)))) == "6A80"


@pytest.mark.parametrize(
    "objects",
    ["82010183024401" + "86080000000000000000", "80020004820102830244018608" + "00" * 8,
     "8002000482010183023F008608" + "00" * 8, "8002000082010183024401" + "8608" + "00" * 8],
)  # fmt: skip
def test_files_of_other_kinds_and_forms_are_refused(bench: CardBench, objects: str) -> None:
    assert entered(bench).send(command("00E00000", tlv("62", objects))) == "6A80"


def test_a_file_is_read_by_256_bytes(bench: CardBench) -> None:
    bench.ok("00A4080C0450157002")
    assert len(bench.ok("00B0000000")) == 512


@pytest.mark.parametrize("digest", [SHA1(), SHA256()], ids=lambda digest: digest.name)  # noqa: S303  # the card's
def test_a_bare_digest_gets_its_digest_info_from_the_card(bench: CardBench, digest: HashAlgorithm) -> None:
    value = bytes(range(digest.digest_size))
    signature = whole(choose(entered(bench)), command("002A9E9A", value.hex(), "00"))
    certified().verify(bytes.fromhex(signature), value, padding.PKCS1v15(), Prehashed(digest))


def test_a_digest_info_is_padded_as_it_is(bench: CardBench) -> None:
    value = bytes(range(32))
    signature = whole(choose(entered(bench)), command("002A9E9A", (SHA256_INFO + value).hex(), "00"))
    certified().verify(bytes.fromhex(signature), value, padding.PKCS1v15(), Prehashed(SHA256()))


def test_with_the_switch_a_bare_digest_is_padded_as_it_is() -> None:
    bench = CardBench(MODEL, image=issued().image, switches=Switches({"card.authentic-digests": "bare"}))
    signature = bytes.fromhex(whole(choose(entered(bench)), command("002A9E9A", "11" * 32, "00")))
    block = certified().recover_data_from_signature(signature, padding.PKCS1v15(), None)
    assert block == b"\x11" * 32


def test_a_cryptogram_comes_without_anything_before_it_and_chained(bench: CardBench) -> None:
    secret = certified().encrypt(b"for the card alone", padding.PKCS1v15()).hex()
    choose(entered(bench), "B8")
    bench.ok(command("102A8086", secret[:510]))
    assert bench.ok(command("002A8086", secret[510:], "00")) == b"for the card alone".hex().upper()
    assert bench.send(command("002A8086", secret[:510], "00")) == "6700"


def test_keys_ask_for_the_pin(bench: CardBench) -> None:
    bench.ok(DF)
    assert choose(bench).send(command("002A9E9A", "11" * 20, "00")) == "6982"


@pytest.mark.parametrize("data", ["800112830101", "830101", "800111", "800111830102"])
def test_an_environment_names_the_one_algorithm_and_a_key_that_is_there(bench: CardBench, data: str) -> None:
    bench.ok(DF)
    assert bench.send(command("002241B6", data)) == ("6A88" if data.endswith("02") else "6A80")


@pytest.mark.parametrize(("size", "bits"), [("08", 1024), ("0A", 1536), ("0C", 2048)])
def test_a_key_is_created_generated_and_signs(bench: CardBench, size: str, bits: int) -> None:
    created(bench, size=size)
    told = whole(bench, command("00470000", f"AC068001{size}830105", "00"))
    modulus, exponent = (int.from_bytes(found.value) for found in Tlv.parse(bytes.fromhex(told)).children())
    assert (modulus.bit_length(), exponent) == (bits, 65537)
    signature = whole(choose(bench, number=5), command("002A9E9A", "22" * 32, "00"))
    public = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    public.verify(bytes.fromhex(signature), b"\x22" * 32, padding.PKCS1v15(), Prehashed(SHA256()))


def test_a_key_without_value_can_t_be_used(bench: CardBench) -> None:
    assert choose(created(bench), number=5).send(command("002A9E9A", "11" * 20, "00")) == "6984"


def test_a_key_pair_is_stored_and_signs(bench: CardBench) -> None:
    key = own_key()
    assert put(created(bench, size="08"), pair(key), size="08") == "9000"
    signature = whole(choose(bench, number=5), command("002A9E9A", "22" * 32, "00"))
    public = key.public.to_cryptography()
    public.verify(bytes.fromhex(signature), b"\x22" * 32, padding.PKCS1v15(), Prehashed(SHA256()))


def test_numbers_that_are_no_pair_are_refused_and_change_nothing(bench: CardBench) -> None:
    created(bench, size="08")
    before = bench.card.image
    good = pair(own_key())
    assert put(bench, pair(own_key(), exponent=3), size="08") == "6A80"
    assert put(bench, good.replace("820301", "820303"), size="08") == "6A80"
    assert put(bench, good, size="0C") == "6A80"
    assert put(bench, pair(own_key(2048)), size="08") == "6A80"
    assert put(bench, pair(own_key(512)), size="08") == "6A80"
    assert bench.card.image == before
    assert put(bench, good, size="08") == "9000"


def test_a_key_of_another_size_than_it_was_created_with_is_refused(bench: CardBench) -> None:
    created(bench, size="0C")
    assert put(bench, pair(own_key(1024)), size="08") == "6A80"
    assert bench.send(command("00470000", "AC06800108830105", "00")) == "6A80"


def test_a_key_is_created_once_and_deleted(bench: CardBench) -> None:
    created(bench)
    assert put(bench, tlv("86", ACCESS)) == "6A89"
    assert put(bench) == "9000"
    assert put(bench) == "6A88"
    assert ("3F00/5015", 5) not in CardView(bench.card.image).keys
    assert put(bench, pair(own_key())) == "6A88"


@pytest.mark.parametrize("objects", ["860100", tlv("86", "6001" * 6), tlv("86", ACCESS) + "870100", "900100"])
def test_other_parameters_are_refused(bench: CardBench, objects: str) -> None:
    assert put(entered(bench), objects) == "6A80"


def test_a_key_that_nobody_may_write_isn_t_written(bench: CardBench) -> None:
    assert put(entered(bench), pair(own_key(2048)), number="01") == "6982"


@pytest.mark.parametrize(("size", "number"), [("07", "05"), ("0D", "05"), ("0C", "00"), ("0C", "80")])
def test_other_mechanisms_and_numbers_are_refused(bench: CardBench, size: str, number: str) -> None:
    assert put(entered(bench), tlv("86", ACCESS), size=size, number=number) == "6A80"


def test_objects_are_the_pin_s_affair(bench: CardBench) -> None:
    bench.ok(DF)
    assert put(bench, tlv("86", ACCESS)) == "6982"
    created(bench, access="0001" * 5 + "FFFF")
    assert bench.send(command("00470000", "AC0680010C830105", "00")) == "6982"
    bench.ok(command("00A4040C", AID))
    bench.ok(DF)
    assert put(bench) == "6982"


def test_what_opensc_calls_never_is_always_to_the_card(bench: CardBench) -> None:
    created(bench, access="0001" * 3 + "0000" + "0001" * 2, size="08")
    bench.ok(command("00470000", "AC068001088301" + "05", "00"))
    bench.ok(command("00A4040C", AID))
    bench.ok(DF)
    assert len(whole(choose(bench, number=5), command("002A9E9A", "22" * 32, "00"))) == 256


def test_a_challenge_has_24_bytes(bench: CardBench) -> None:
    assert len(bench.ok("0084000018")) == 48
    assert bench.send("0084000008") == "6700"


PARTS = st.sampled_from(
    ["80010C", "800108", "830101", "830105", "8200", tlv("86", ACCESS), "A500", "8203010001"]
)
LIKELY = st.one_of(
    st.sampled_from([DF, VERIFY, PUK, WRONG, "00A4000000", "00CA5F0100", "00E40200027002", "00D6000001FF"]),
    st.lists(PARTS, max_size=4).map("".join).map(lambda text: command("00DB3FFF", tlv("A1", text))),
    st.lists(PARTS, max_size=4).map("".join).map(lambda text: command("00470000", tlv("AC", text), "00")),
    st.binary(max_size=30).map(lambda data: "00" + data.hex()),
)


@given(st.lists(LIKELY, max_size=15))
def test_any_sequence_of_commands_is_answered_and_leaves_a_memory_that_can_be(commands: list[str]) -> None:
    bench = CardBench(MODEL, image=issued().image)

    for text in commands:
        assert len(bench.send(text)) >= 4

    image = bench.card.image
    assert decode(encode(image)) == image
    assert 0 <= image.used <= bench.card.model.memory


@pytest.mark.parametrize("written", range(6))
def test_wherever_the_power_goes_a_key_is_there_whole_or_not_at_all(bench: CardBench, written: int) -> None:
    entered(bench)
    bench.card.cut_power_after(written)

    with suppress(CardMuteError):
        put(bench, tlv("86", ACCESS), size="08")

    bench.card.cut_power_after(None)
    bench.reset()
    created_then = put(entered(bench), tlv("86", ACCESS), size="08")
    assert created_then == ("9000" if written < 5 else "6A89")
    assert put(bench, pair(own_key()), size="08") == "9000"
