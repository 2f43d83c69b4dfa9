"""IDPrime 940: the files that OpenSC's driver reads, PINs, keys at work, and images with containers."""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from cardtwin.card import CardView, ImageError, models
from cardtwin.card.image.codec import decode, encode
from cardtwin.targets.issuing.containers import Container, idprime_image
from support.cardbench import CardBench, command, tlv
from support.gemalto import IDPRIME, container, idprime, idprime_bench, keys

if TYPE_CHECKING:
    from collections.abc import Callable

DIGEST = hashlib.sha256(b"data").digest()
SIGN = "002A9E9A00"


def pin(value: bytes) -> str:
    return value.ljust(16, b"\0").hex()


VERIFY = command("00200011", pin(b"1234"))
VERIFY_SECOND = command("00200083", pin(b"5678"))


@pytest.fixture
def bench() -> CardBench:
    bench = idprime_bench()
    bench.ok(command("00A4040C", IDPRIME))
    return bench


def content(bench: CardBench, file_id: str) -> bytes:
    """Read a file as long as its control information says."""
    told = bytes.fromhex(bench.ok(command("00A40800", file_id, "00")))
    size = int.from_bytes(told[4:6])
    assert told[:4] == bytes((0x6F, len(told) - 2, 0x80, 0x02))
    read = b""

    while len(read) < size:
        read += bytes.fromhex(bench.ok(f"00B0{len(read):04X}{min(256, size - len(read)) & 0xFF:02X}"))

    return read


def entries(index: bytes) -> dict[str, tuple[str, int, str]]:
    """Return identifier, size and directory by name."""
    told = {}

    for at in range(1, 1 + 21 * index[0], 21):
        entry = index[at : at + 21]
        name, directory = (entry[start : start + 8].rstrip(b"\0").decode() for start in (4, 12))
        told[name] = (entry[:2].hex(), int.from_bytes(entry[2:4]), directory)

    return told


def choose(bench: CardBench, template: str, algorithm: str, reference: int) -> None:
    head = f"8001{algorithm}" if algorithm else ""
    bench.ok(command(f"002241{template}", f"{head}8401{reference:02X}"))


def sign(bench: CardBench, algorithm: str, reference: int, digest: bytes = DIGEST) -> bytes:
    choose(bench, "B6", algorithm, reference)
    assert bench.ok(command("002A90A0", tlv("90", digest.hex()), "00")) == digest.hex().upper()
    return bytes.fromhex(bench.ok(SIGN))


def test_the_index_tells_every_file_with_its_size(bench: CardBench) -> None:
    told = entries(content(bench, "0101"))
    assert set(told) == {"cardid", "cmapfile", "tinfo", "kxc00", "ksc01", "kxc02"}
    assert all(len(content(bench, file_id)) == size for file_id, size, _ in told.values())
    assert {told[name][2] for name in ("cmapfile", "kxc00", "ksc01", "kxc02")} == {"mscp"}
    assert (told["cardid"][0], told["cmapfile"][0], told["tinfo"][2]) == ("0201", "0204", "p11")


def test_a_certificate_is_compressed_and_tells_its_length(bench: CardBench) -> None:
    file_id, _, _ = entries(content(bench, "0101"))["kxc00"]
    told = content(bench, file_id)
    der = zlib.decompress(told[4:])
    assert told[:4] == b"\x01\x00" + len(der).to_bytes(2, "little")
    assert x509.load_der_x509_certificate(der).public_key() == keys()[0].public_key()


def test_the_container_map_names_containers_and_the_sizes_of_their_keys(bench: CardBench) -> None:
    told = content(bench, "0204")
    records = [told[at : at + 86] for at in range(0, len(told), 86)]
    names = [record[:80].decode("utf-16-le").rstrip("\0") for record in records]
    sizes = [tuple(int.from_bytes(record[at : at + 2], "little") for at in (82, 84)) for record in records]
    assert names == ["exchange", "signature", "curve"]
    assert [record[80] for record in records] == [3, 1, 1]
    assert sizes == [(0, 2048), (1024, 0), (0, 256)]


def test_the_key_references_name_key_and_pin_of_each_container(bench: CardBench) -> None:
    told = content(bench, "0005")
    assert [told[at : at + 8].hex() for at in range(0, len(told), 8)] == [
        "0156000000000001",
        "0157010000000002",
        "0158020000000001",
    ]


def test_a_card_as_delivered_has_no_container_and_the_pin_0000() -> None:
    bench = CardBench("idprime-940")
    bench.ok(command("00A4040C", IDPRIME))
    assert set(entries(content(bench, "0101"))) == {"cardid", "cmapfile"}
    assert not content(bench, "0204").strip(b"\0")
    assert not content(bench, "0005").strip(b"\0")
    bench.ok(command("00200011", pin(b"0000")))
    bench.ok(command("00200083", pin(b"0000")))


def test_version_and_release_are_told(bench: CardBench) -> None:
    assert bench.ok("00CADF302D").startswith("DF301B494450")
    assert bench.ok("00CA9F7F2D")[22:24] == "04"


@pytest.mark.parametrize(("request_", "length"), [("0084000108", 8), ("0084000010", 16)])
def test_random_bytes_come_by_eight_or_sixteen(bench: CardBench, request_: str, length: int) -> None:
    assert len(bench.ok(request_)) == 2 * length
    assert bench.send("0084000004") == "6700"


def test_pins_count_their_tries_and_are_changed(bench: CardBench) -> None:
    assert bench.send("0020001100") == "63C5"
    assert bench.send(command("00200011", pin(b"9999"))) == "63C4"
    bench.ok(command("00240011", pin(b"1234") + pin(b"654321")))
    assert bench.send("0020001100") == "63C5"
    bench.ok(command("00200011", pin(b"654321")))
    assert bench.send("0020001100") == "9000"
    assert bench.send("0020008300") == "63C5"


def test_a_pin_of_fewer_than_four_bytes_is_refused(bench: CardBench) -> None:
    assert bench.send(command("00240011", pin(b"1234") + pin(b"123"))) == "6A80"


def test_a_signature_needs_the_pin_of_its_container(bench: CardBench) -> None:
    choose(bench, "B6", "42", 0x57)
    bench.ok(VERIFY)
    bench.ok(command("002A90A0", tlv("90", DIGEST.hex()), "00"))
    assert bench.send(SIGN) == "6982"
    bench.ok(VERIFY_SECOND)
    signature = sign(bench, "42", 0x57)
    keys()[1].public_key().verify(signature, DIGEST, padding.PKCS1v15(), Prehashed(SHA256()))


def test_the_card_signs_with_pss(bench: CardBench) -> None:
    bench.ok(VERIFY)
    pss = padding.PSS(padding.MGF1(SHA256()), 32)
    keys()[0].public_key().verify(sign(bench, "45", 0x56), DIGEST, pss, Prehashed(SHA256()))


def test_the_card_signs_on_a_curve(bench: CardBench) -> None:
    bench.ok(VERIFY)
    signature = sign(bench, "44", 0x58)
    numbers = (int.from_bytes(signature[at : at + 32]) for at in (0, 32))
    keys()[2].public_key().verify(encode_dss_signature(*numbers), DIGEST, ec.ECDSA(Prehashed(SHA256())))


def test_a_hash_filled_up_with_zeros_before_it_is_signed_as_the_same_number(bench: CardBench) -> None:
    bench.ok(VERIFY)
    short = hashlib.new("sha1", b"data", usedforsecurity=False).digest()
    signature = sign(bench, "44", 0x58, bytes(4) + short)
    numbers = (int.from_bytes(signature[at : at + 32]) for at in (0, 32))
    whole = bytes(12) + short
    keys()[2].public_key().verify(encode_dss_signature(*numbers), whole, ec.ECDSA(Prehashed(SHA256())))


@pytest.mark.parametrize(("algorithm", "reference"), [("42", 0x58), ("44", 0x56)])
def test_a_key_of_another_kind_than_the_algorithm_s_is_not_used(
    bench: CardBench, algorithm: str, reference: int
) -> None:
    bench.ok(VERIFY)
    choose(bench, "B6", algorithm, reference)
    bench.ok(command("002A90A0", tlv("90", DIGEST.hex()), "00"))
    assert bench.send(SIGN) == "6984"


def test_a_cryptogram_is_deciphered(bench: CardBench) -> None:
    bench.ok(VERIFY)
    choose(bench, "B8", "4D", 0x56)
    oaep = padding.OAEP(padding.MGF1(SHA256()), SHA256(), None)
    cryptogram = keys()[0].public_key().encrypt(b"secret", oaep)
    bench.ok(command("102A8086", "81" + cryptogram[:254].hex()))
    assert bench.ok(command("002A8086", cryptogram[254:].hex(), "00")) == b"secret".hex().upper()


def test_a_key_for_signatures_alone_deciphers_nothing(bench: CardBench) -> None:
    bench.ok(VERIFY_SECOND)
    choose(bench, "B8", "1A", 0x57)
    assert bench.send(command("002A8086", "81" + "00" * 128, "00")) == "6982"


def test_a_key_on_a_curve_agrees_on_a_secret(bench: CardBench) -> None:
    bench.ok(VERIFY)
    other = ec.generate_private_key(ec.SECP256R1())
    point = other.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    choose(bench, "B8", "", 0x58)
    shared = bench.ok(command("002A8086", "00" + point.hex(), "00"))
    assert bytes.fromhex(shared) == other.exchange(ec.ECDH(), keys()[2].public_key())
    assert bench.send(command("002A8086", "81" + point.hex(), "00")) == "6A80"


@pytest.mark.parametrize(
    "text",
    ["00D6000002CAFE", "00E00000026200", "00E40000", "002C0011", "0082000000", "00DB3FFF00", "00470000"],
)
def test_no_client_is_known_that_writes_so_nothing_is_written(bench: CardBench, text: str) -> None:
    assert bench.send(text) == "6D00"


def test_the_image_is_one_that_can_be_kept_and_looked_at() -> None:
    image = idprime()
    assert decode(encode(image)) == image
    view = CardView(image)
    assert {place[1]: key.kind for place, key in view.keys.items()} == {
        0x56: "RSA-2048",
        0x57: "RSA-1024",
        0x58: "P-256",
    }
    assert set(view.pins) == {("3F00", 0x11), ("3F00", 0x03)}


def test_the_serial_number_is_the_one_that_was_asked_for() -> None:
    serial = bytes.fromhex("0102030405060708")
    assert idprime_image((), serial=serial).serial == serial

    with pytest.raises(ValueError, match="8 bytes"):
        idprime_image((), serial=serial[1:])


def _encrypted() -> bytes:
    return keys()[2].private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))


def _edwards() -> bytes:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(lambda: [container("x", keys()[2])] * 11, "at most, not 11", id="too-many"),
        pytest.param(lambda: [_named("")], "1 to 39 characters", id="no-name"),
        pytest.param(lambda: [_named("x" * 40)], "1 to 39 characters", id="long-name"),
        pytest.param(lambda: [_named("\U0001f511" * 20)], "1 to 39 characters", id="name-of-wide-characters"),
        pytest.param(
            lambda: [Container("x", _edwards(), b"0")], "a kind that the card hasn't", id="other-key"
        ),
        pytest.param(lambda: [Container("x", b"none", b"0")], "no unencrypted PKCS#8", id="no-key"),
        pytest.param(lambda: [Container("x", _encrypted(), b"0")], "no unencrypted", id="encrypted-key"),
        pytest.param(lambda: [Container("x", _named("x").key, b"")], "1 to 65535 bytes", id="no-certificate"),
    ],
)
def test_a_container_that_cannot_be_on_such_a_card_is_refused(
    make: Callable[[], list[Container]], message: str
) -> None:
    with pytest.raises(ImageError, match=message):
        idprime_image(make())


def _named(name: str) -> Container:
    whole = container("x", keys()[2])
    return Container(name, whole.key, whole.certificate)


def test_a_label_that_has_no_room_is_refused() -> None:
    assert idprime_image((), label="x" * 254).files[b"\x3f\x00\x03\x01"].size == 257

    with pytest.raises(ImageError, match="254 bytes at most"):
        idprime_image((), label="x" * 253 + "\xe9")


@pytest.mark.parametrize("value", [b"123", b"1" * 17], ids=["short", "long"])
def test_a_pin_that_cannot_be_on_such_a_card_is_refused(value: bytes) -> None:
    with pytest.raises(ImageError, match="4 to 16 bytes"):
        idprime_image((), pin=value)

    with pytest.raises(ImageError, match="4 to 16 bytes"):
        idprime_image((), signature_pin=value)


def test_neither_key_nor_certificate_is_in_what_a_container_shows() -> None:
    shown = repr(container("name", keys()[2]))
    assert shown == "Container(name='name', exchange=True, signature_pin=False)"


def test_the_model_speaks_t_0_and_has_the_atr_that_opensc_knows() -> None:
    model = models.get("idprime-940")
    assert model.atr.hex() == "3b7f96000080318065b0855956fb120ffe829000"
    assert model.protocol.name == "T0"
