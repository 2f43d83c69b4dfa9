"""Keys on an AuthentIC V2 card on Cosmo 5, command by command."""

from __future__ import annotations

from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from cardtwin.card import CardView
from cardtwin.card.crypto import RsaPrivateKey
from cardtwin.card.image.codec import decode, encode
from cardtwin.entropy import SeededEntropy
from cardtwin.pcsc import CardMuteError
from support.awp import (
    BLANK,
    MODEL,
    OFFICER,
    USER,
    create,
    create_df,
    enter,
    taken_into_use,
)
from support.cardbench import OK, CardBench, command

PIN_ONLY = "21" * 7 + "FF"
DIGEST = bytes(range(32))
INFO = "3031300D060960864801650304020105000420" + DIGEST.hex()


@pytest.fixture
def bench() -> CardBench:
    """An empty card."""
    return CardBench(MODEL, image=BLANK)


@pytest.fixture
def used(bench: CardBench) -> CardBench:
    return taken_into_use(bench)


def component(kind: str, value: bytes) -> str:
    return kind + f"{len(value):02X}" + value.hex() + "00"


def imported(bench: CardBench, key: RsaPrivateKey, file_id: str = "3001") -> None:
    bench.ok(create("1400", file_id, key.bits, PIN_ONLY))

    for number, value in enumerate((key.p, key.q, key.qinv, key.dp, key.dq), 1):
        bench.ok(command(f"80D8{number:02X}04", component("A3", value.to_bytes(key.size // 2))))


def verified(key: rsa.RSAPublicKey, signature: str) -> None:
    key.verify(bytes.fromhex(signature), DIGEST, padding.PKCS1v15(), Prehashed(SHA256()))


def own_key(bits: int = 1024) -> RsaPrivateKey:
    return RsaPrivateKey.generate(SeededEntropy(f"own {bits}"), bits)


@pytest.mark.parametrize("bits", [512, 1024, 2048])
def test_a_pair_is_generated_and_its_public_half_told(used: CardBench, bits: int) -> None:
    used.ok(create("1400", "3000", bits, PIN_ONLY))
    used.ok(create("1200", "1012", bits, PIN_ONLY))
    assert used.send("80B4010000") == "6A88"
    used.ok(command("00460000", "10123000", "00"))
    used.ok("00A4000C021012")
    told = used.send("80B4010000")
    modulus, exponent = int(told[:-4], 16), int(used.ok("80B4020000"), 16)
    assert (modulus.bit_length(), exponent) == (bits, 65537)
    used.ok("00A4000C023000")
    used.ok("002241B603800111")
    verified(rsa.RSAPublicNumbers(exponent, modulus).public_key(), used.ok(command("002A9E9A", INFO, "00")))


def test_generation_needs_the_pin_and_two_files_of_one_size(used: CardBench) -> None:
    used.ok(create("1400", "3000", 1024, PIN_ONLY))
    used.ok(create("1200", "1012", 512, PIN_ONLY))
    used.ok(create("1200", "1013", 1024, PIN_ONLY))
    assert used.send(command("00460000", "10123000")) == "6A80"
    assert used.send(command("00460000", "30001013")) == "6981"
    assert used.send(command("00460000", "10133001")) == "6A82"
    used.ok("802E0021")
    assert used.send(command("00460000", "10133000")) == "6982"


def test_an_imported_key_signs_and_deciphers_under_the_pin(used: CardBench) -> None:
    key = own_key()
    imported(used, key)
    public = key.public.to_cryptography()
    used.ok("002241B603800111")
    used.ok("002241B803800111")
    verified(public, used.ok(command("002A9E9A", INFO, "80")))
    secret = public.encrypt(b"for the card alone", padding.PKCS1v15()).hex()
    assert used.ok(command("002A8086", secret, "80")) == b"for the card alone".hex().upper()
    used.ok("802E0021")
    assert used.send(command("002A9E9A", INFO, "80")) == "6982"
    assert used.send(command("002A8086", secret, "80")) == "6982"


def test_a_long_cryptogram_comes_in_two_pieces(used: CardBench) -> None:
    key = own_key(2048)
    imported(used, key)
    used.ok("002241B803800111")
    secret = key.public.to_cryptography().encrypt(b"for the card alone", padding.PKCS1v15()).hex()
    used.ok(command("102A8086", secret[:16], "00"))
    assert used.ok(command("002A8086", secret[16:], "F8")) == b"for the card alone".hex().upper()


def test_a_long_modulus_comes_in_two_pieces(used: CardBench) -> None:
    modulus = own_key(2048).n.to_bytes(256)
    used.ok(create("1200", "1001", 2048, PIN_ONLY))
    used.ok(command("90D80104", component("A1", modulus[:0x20])))
    used.ok(command("80D80104", component("A1", modulus[0x20:])))
    used.ok(command("80D80204", component("A1", b"\x01\x00\x01")))
    assert used.ok("80B4010000") == modulus.hex().upper()
    assert used.ok("80B4020000") == "010001"
    used.ok(command("90D80104", component("A1", modulus[:0x20])))
    used.ok(command("80D80204", component("A1", b"\x03")))
    assert used.ok("80B4020000") == "03"


@pytest.mark.parametrize(
    ("header", "data", "status"),
    [("80D80104", "A301FF00", "6981"), ("80D80304", "A101FF00", "6A86"), ("80D80104", "A102FF00", "6A80"),
     ("80D80104", "A101FF01", "6A80"), ("80D80104", "A541" + "FF" * 65 + "00", "6A80"),
     ("80D80104", "A141" + "FF" * 65 + "00", "6A80")],
)  # fmt: skip
def test_components_of_another_form_are_refused(used: CardBench, header: str, data: str, status: str) -> None:
    used.ok(create("1200", "1001", 512, PIN_ONLY))
    assert used.send(command(header, data)) == status


def test_a_key_without_value_or_of_another_kind_is_not_used(used: CardBench) -> None:
    assert used.send("002241B603800111") == "6986"
    used.ok(create("1200", "1001", 1024, PIN_ONLY))
    assert used.send("002241B603800111") == "6981"
    used.ok(create("1400", "3001", 1024, PIN_ONLY))
    assert used.send("002241B603800112") == "6A80"
    used.ok("002241B603800111")
    assert used.send(command("002A9E9A", INFO, "80")) == "6984"
    assert used.send(command("002A9E9A", "11" * 97, "80")) == "6700"
    assert used.send("00B0000004") == used.send("00D600000100") == "6981"


def test_a_key_goes_with_its_file(used: CardBench) -> None:
    imported(used, own_key())
    assert CardView(used.card.image).keys["3F00/5011/9002", 0x3001].kind == "RSA-1024"
    used.ok("00E40200023001")
    assert not CardView(used.card.image).keys
    used.ok(create("1400", "3001", 1024, PIN_ONLY))
    used.ok("002241B603800111")
    assert used.send(command("002A9E9A", INFO, "80")) == "6984"


def test_keys_are_made_only_where_the_df_lets_them_be(bench: CardBench) -> None:
    bench.ok(OFFICER)
    bench.ok(create_df())
    assert bench.send(create("1400", "3001", 1024)) == "6982"


def test_each_condition_of_a_key_is_for_its_own_operation(used: CardBench) -> None:
    key = own_key()
    used.ok(create("1400", "3001", 1024, "21FFFF00FFFFFFFF"))
    bare = command("80D80104", component("A3", key.p.to_bytes(64)))
    used.ok(bare)

    for number, value in enumerate((key.q, key.qinv, key.dp, key.dq), 2):
        used.ok(command(f"80D8{number:02X}04", component("A3", value.to_bytes(64))))

    used.ok("802E0021")
    assert used.send(bare) == "6982"
    used.ok("002241B603800111")
    used.ok("002241B803800111")
    verified(key.public.to_cryptography(), used.ok(command("002A9E9A", INFO, "80")))
    assert used.send(command("002A8086", "00" * 128, "80")) == "6982"


@pytest.mark.parametrize(("df", "key"), [("24", "00"), ("00", "24")])
def test_generation_needs_the_condition_of_the_df_and_those_of_the_keys(
    bench: CardBench, df: str, key: str
) -> None:
    bench.ok(OFFICER)
    bench.ok(create_df("6000", f"00{df}0000000000FF"))
    bench.ok(create("1400", "3000", 512, key + "00" * 7))
    bench.ok(create("1200", "1012", 512, "00" * 8))
    bench.ok("802E0024")
    assert bench.send(command("00460000", "10123000")) == "6982"
    bench.ok(OFFICER)
    bench.ok(command("00460000", "10123000"))


def test_the_beginning_of_a_component_serves_once(used: CardBench) -> None:
    used.ok(create("1200", "1001", 512, PIN_ONLY))
    used.ok(command("90D80104", component("A1", b"\xaa" * 32)))
    used.ok(command("80D80104", component("A1", b"\xbb" * 32)))
    assert used.ok("80B4010000") == "AA" * 32 + "BB" * 32
    used.ok(command("80D80104", component("A1", b"\xcc" * 32)))
    assert used.ok("80B4010000") == "CC" * 32


def test_the_beginning_of_a_private_key_s_component_is_no_public_one_s(used: CardBench) -> None:
    used.ok(create("1200", "1001", 512, PIN_ONLY))
    used.ok(command("90D80104", component("A3", b"\xaa" * 32)))
    used.ok(command("80D80104", component("A1", b"\xbb" * 32)))
    assert used.ok("80B4010000") == "BB" * 32


@pytest.mark.parametrize("file_id", ["3001", "0A01", "0001", "00FF"])
def test_a_key_is_kept_under_its_file_s_identifier(used: CardBench, file_id: str) -> None:
    key = own_key()
    imported(used, key, file_id)
    again = CardBench(MODEL, image=decode(encode(used.card.image)))
    assert again.card.image == used.card.image
    enter(again, file_id)
    again.ok(USER)
    again.ok("002241B603800111")
    verified(key.public.to_cryptography(), again.ok(command("002A9E9A", INFO, "80")))


BEGINNINGS = {"1400": command("80D80104", "A3010300"), "1200": command("80D80104", "A1010300")}


@pytest.mark.parametrize("kind", BEGINNINGS)
@pytest.mark.parametrize("written", range(7))
def test_wherever_the_power_goes_a_key_s_file_has_its_key(used: CardBench, kind: str, written: int) -> None:
    text = create(kind, "3001", 1024, "00" * 8)
    torn(used, text, written)
    enter(used)
    used.ok(USER)
    assert used.send(text) in {OK, "6A89"}
    enter(used, "3001")
    used.ok(BEGINNINGS[kind])


@pytest.mark.parametrize("kind", BEGINNINGS)
@pytest.mark.parametrize("written", range(7))
def test_wherever_the_power_goes_a_key_is_not_gone_before_its_file(
    used: CardBench, kind: str, written: int
) -> None:
    used.ok(create(kind, "3001", 1024, "00" * 8))
    torn(used, "00E40200023001", written)
    enter(used)
    there = used.send("00A4000C023001") == OK
    assert there == (not written)
    assert used.send(BEGINNINGS[kind]) == (OK if there else "6986")


def torn(bench: CardBench, text: str, written: int) -> None:
    bench.card.cut_power_after(written)

    with suppress(CardMuteError):
        bench.send(text)

    bench.card.cut_power_after(None)
    bench.reset()
