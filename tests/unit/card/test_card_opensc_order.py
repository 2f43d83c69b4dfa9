"""OpenSC 0.23's commands on a CardOS M4.4 card, in the order in which it sends them; the data are our own."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from cardtwin.card import CardView
from cardtwin.iso7816 import Tlv
from support.cardbench import AID, OK, CardBench, command, extended, pin, tlv

SO_PIN, SO_PUK, USER_PIN, USER_PUK = pin("654321"), pin("123456"), pin("7531"), pin("9642")
VERIFY_SO = command("00200081", SO_PIN)
VERIFY_USER = command("00200083", USER_PIN)
PHASE = "00CA018300"


def in_administration(bench: CardBench) -> None:
    assert bench.ok(PHASE) == "20"


def select(bench: CardBench, file_id: str = "") -> str:
    return bench.send(command("00A40800", "5015" + file_id, "00"))


def create(bench: CardBench, file_id: str, size: int, access: str) -> None:
    """Create an EF in 5015 as the client does: look for it, select the DF, create, select."""
    assert select(bench, file_id) == "6A82"
    assert select(bench).endswith(OK)
    in_administration(bench)
    control = f"8002{size:04X}8201018302{file_id}8501008609{access}"
    bench.ok(command("00E00000", tlv("62", control)))
    assert select(bench, file_id) == tlv("6F", control) + OK


def write(bench: CardBench, file_id: str, content: str, verify: str = VERIFY_SO) -> None:
    bench.ok("00A4080C025015")
    bench.ok(verify)
    bench.ok(command("00A4080C", "5015" + file_id))

    for start in range(0, len(content), 510):
        bench.ok(command(f"00D6{start // 2:04X}", content[start : start + 510]))


def put_pin(bench: CardBench, id_: str, value: str, tries: str, unblock: str, least: str) -> None:
    bench.ok("00CA018800")
    in_administration(bench)
    parameters = f"02{tries}87{tries}FFFF00{least}"
    assert bench.put_object(f"830200{id_}8508{parameters}860300{id_}{unblock}8F08{value}") == OK


ALWAYS, BY_SO, BY_USER = "00" * 9, "000101010101010000", "0003FFFFFF03030000"


def initialise(bench: CardBench) -> None:
    """As pkcs15-init -C and --store-pin do."""
    assert bench.ok("00CA018D02") == "0300"
    in_administration(bench)
    assert select(bench, "4946") == "6A82"
    assert bench.ok("00A40000023F0000").startswith("6F")
    in_administration(bench)
    conditions = "000100000000010000"
    control = tlv("62", f"81021000820138830250158 40C{AID}8501008609{conditions}".replace(" ", ""))
    bench.ok(command("00E00000", control))
    bench.ok("00A4080C025015")
    in_administration(bench)
    bench.ok("00DA016D0F" + "830101" + "86020000" + "8F06000000000000")
    bench.ok("00A4000C023F00")
    put_pin(bench, "02", SO_PUK, "0A", "FF", "04")
    put_pin(bench, "01", SO_PIN, "02", "02", "06")
    assert len(bench.ok("00CA018100")) == 64
    create(bench, "4401", 0x100, BY_SO)
    write(bench, "4401", "30" * 0x45)
    create(bench, "5031", 0x100, ALWAYS)
    bench.ok("00D600000C" + "A80A30080406" + "3F0050154401")
    assert bench.send("00A40800022F0000") == "6A82"
    assert bench.ok("00A40000023F0000").startswith("6F")
    bench.ok(command("00E00000", tlv("62", "8002008082010183022F00850100" + tlv("86", ALWAYS))))
    assert bench.send("00A40800022F0000").endswith(OK)
    assert bench.ok("00B0000080") == "00" * 0x80
    bench.ok(command("00D60000", "61214F0C".ljust(0x100, "0")))
    create(bench, "5032", 0x41, ALWAYS)
    bench.ok(command("00D60000", "30" * 0x41))
    create(bench, "4946", 0x80, BY_SO)
    write(bench, "4946", "0106" + b"pkcs15".hex().upper() + "00" * 0x78)
    bench.ok("00A4000C023F00")
    put_pin(bench, "04", USER_PUK, "0A", "FF", "04")
    put_pin(bench, "03", USER_PIN, "03", "04", "04")
    write(bench, "4401", "31" * 0x100)


def store_components(bench: CardBench, id_: str, bodies: list[str], algorithm: str) -> None:
    for place, body in enumerate(bodies):
        in_administration(bench)
        option = "02" if place == len(bodies) - 1 else "22"
        head = f"8302{0x20 + place:02X}{id_}8508{option}00{algorithm}00FFFF00008607030303" + "00" * 4
        assert bench.put_object(head + tlv("8F", body)) == OK


def generate(bench: CardBench, id_: str, bits: int) -> rsa.RSAPublicKey:
    """As pkcs15-init -G does, up to the deletion of the temporary file."""
    kind, algorithm = ("05", "0C") if bits == 1024 else ("01", "0A")
    bodies = ["8100" + "FF" * 128] * 2 if bits == 1024 else ["FF" * 128] * 5
    bench.ok("00A4080C025015")
    bench.ok(VERIFY_USER)
    assert select(bench).endswith(OK)
    in_administration(bench)
    bench.ok(command("00E00000", tlv("62", f"800202008201{kind}83027EAD850100" + tlv("86", ALWAYS))))
    store_components(bench, id_, bodies, algorithm)
    bench.ok("0046000008" + f"20{id_}7EAD00100020")
    bench.ok("00A4080C0450157EAD")
    modulus = _from_records(bench) if bits == 1024 else _from_template(bench)
    assert select(bench).endswith(OK)
    in_administration(bench)
    bench.ok("00E40000027EAD")
    return rsa.RSAPublicNumbers(65537, modulus).public_key()


def _from_records(bench: CardBench) -> int:
    modulus, exponent = bench.ok("00B2010400"), bench.ok("00B2020400")
    assert modulus.startswith("10828100")
    assert exponent.startswith("11050400")
    return int(modulus[8:], 16)


def _from_template(bench: CardBench) -> int:
    content = bytes.fromhex(bench.ok("00B0000000") + bench.ok("00B0010000"))
    return int.from_bytes(Tlv.parse_all(content, padding=True)[0].children()[0].value)


def padded(data: bytes, size: int) -> bytes:
    info = bytes.fromhex("3031300D060960864801650304020105000420") + hashlib.sha256(data).digest()
    return b"\x00\x01" + b"\xff" * (size - 3 - len(info)) + b"\x00" + info


def check(key: rsa.RSAPublicKey, signature: bytes) -> None:
    digest = hashlib.sha256(b"text").digest()
    key.verify(signature, digest, padding.PKCS1v15(), Prehashed(SHA256()))


@pytest.fixture
def bench() -> CardBench:
    bench = CardBench()
    initialise(bench)
    return bench


def test_the_card_is_initialised(bench: CardBench) -> None:
    view = CardView(bench.card.image)
    children = ["4401", "5031", "5032", "4946"]
    assert set(view.files) == {"3F00", "3F00/5015", "3F00/2F00", *(f"3F00/5015/{at}" for at in children)}
    assert {at: found.max_tries for at, found in view.pins.items()} == {
        ("3F00", 2): 10,
        ("3F00", 1): 2,
        ("3F00", 4): 10,
        ("3F00", 3): 3,
    }
    assert view.files["3F00/5015/4401"].content == b"\x31" * 0x100


@pytest.mark.parametrize("bits", [1024, 2048])
def test_a_key_is_generated_and_signs_by_deciphering(bench: CardBench, bits: int) -> None:
    key = generate(bench, "10", bits)
    bench.ok("00A4080C025015")
    bench.ok(VERIFY_USER)
    bench.ok("002241B803830110")
    block = b"\0" + padded(b"text", bits // 8)
    check(key, bytes.fromhex(bench.ok(extended("002A8086", block.hex(), "0000"))))


def test_an_imported_key_signs_in_a_chain(bench: CardBench) -> None:
    private = rsa.generate_private_key(65537, 2048)
    numbers = private.private_numbers()
    parts = (numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)
    bench.ok("00A4080C025015")
    bench.ok(VERIFY_SO)
    store_components(bench, "11", [part.to_bytes(128).hex().upper() for part in parts], "8A")
    create(bench, "3104", 0x300, BY_USER)
    write(bench, "3104", "AB" * 0x300, VERIFY_USER)
    bench.ok("00A4080C025015")
    bench.ok(VERIFY_USER)
    bench.ok("002241B603830111")
    block = padded(b"text", 256).hex()
    bench.ok(command("102A9E9A", block[:510]))
    check(private.public_key(), bytes.fromhex(bench.ok(command("002A9E9A", block[510:], "00"))))


def test_a_key_is_deleted_by_overwriting_it(bench: CardBench) -> None:
    generate(bench, "10", 2048)
    bench.ok("80EA0000")
    bench.ok("00A4080C025015")
    overwrite = "83022010" + "850822000A00FFFF0000" + "860703030300000000" + "8F80" + "FF" * 128
    assert bench.put_object(overwrite) == "6982"
    bench.ok(VERIFY_SO)
    store_components(bench, "10", ["FF" * 128] * 5, "0A")
    assert CardView(bench.card.image).keys["3F00/5015", 0x10].kind == ""


def test_pins_are_changed_unblocked_and_counted_while_the_application_is_current(bench: CardBench) -> None:
    bench.ok("00A4080C025015")
    new = pin("8888")
    bench.ok(command("00240083", USER_PIN + new))
    bench.ok(command("002C0083", USER_PUK + USER_PIN))
    assert bench.send(command("00200083", new)) == "6300"
    bench.ok(VERIFY_USER)


def test_the_card_is_erased_file_by_file(bench: CardBench) -> None:
    bench.ok("00A4000C023F00")
    bench.ok("00E40000022F00")
    bench.ok("00A4080C025015")
    listing = bench.ok("8016020000")
    found = [listing[at + 8 : at + 12] for at in range(0, len(listing), 12)]
    assert found == ["4401", "5031", "5032", "4946"]

    for file_id in reversed(found):
        assert select(bench, file_id).endswith(OK)
        bench.ok("00A4080C025015")
        bench.ok(VERIFY_SO)
        bench.ok(command("00A4080C", "5015" + file_id))
        in_administration(bench)
        bench.ok(command("00E40000", file_id))

    bench.ok("00A4080C023F00")
    bench.ok("00E40000025015")
    assert list(CardView(bench.card.image).files) == ["3F00"]
    assert len(CardView(bench.card.image).pins) == 4
