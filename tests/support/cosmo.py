"""A Cosmo card with IAS-ECC that is personalised by its own commands, as OpenSC's driver expects it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin import pkcs15
from cardtwin.iso7816 import Tlv
from cardtwin.pkcs15 import Algorithm, CommonFlags, DirectoryKind, KeyUsage, PinFlags
from support.cardbench import CardBench, command, tlv

if TYPE_CHECKING:
    from collections.abc import Mapping

AWP = "E828BD080FF2504F5420415750"
"""The name of the application: Oberthur's own, as eID cards on Cosmo 8 have it."""

PIN, PUK = 1, 2
KEY = 1
KEY_ID = b"\x45"
ALGORITHMS = (
    Algorithm(1, 0x0001, operations=(0, 1), card_reference=0x02),
    Algorithm(2, 0x0001, operations=(0, 0, 0, 0, 0, 1), card_reference=0x1A),
    Algorithm(3, 0x0250, operations=(0, 0, 0, 0, 0, 0, 1), oid="2.16.840.1.101.3.4.2.1", card_reference=0x40),
    Algorithm(4, 0x0040, operations=(0, 1), oid="1.2.840.113549.1.1.11", card_reference=0x42),
)


def rules(mode: int, *conditions: int) -> str:
    """Return access rules: a mode byte, and a condition for each of its bits."""
    return tlv("A1", tlv("8C", bytes((mode, *conditions)).hex()))


class CosmoBench(CardBench):
    """A powered Cosmo, and the commands that most tests begin with."""

    def __init__(self, model: str = "cosmo-8.2", **more: object) -> None:
        super().__init__(model, **more)  # type: ignore[arg-type]  # those of the base

    def create(self, file_id: str, size: int, *conditions: int, mode: int = 0x43) -> None:
        """Create an EF with the conditions DELETE, UPDATE, READ, or those of another mode byte."""
        head = f"8002{size:04X}8201018302{file_id}8800"
        self.ok(command("00E00000", tlv("62", head + rules(mode, *(conditions or (0, 0, 0))))))

    def create_application(self, file_id: str, aid: str = AWP, *conditions: int, mode: int = 0x42) -> None:
        """Create a DF with the conditions DELETE and CREATE, or those of another mode byte."""
        head = f"8201388302{file_id}{tlv('84', aid)}8800"
        self.ok(command("00E00000", tlv("62", head + rules(mode, *(conditions or (0, 0))))))

    def write(self, content: bytes) -> None:
        """Write the current EF."""
        for at in range(0, len(content), 0xE0):
            self.ok(command(f"00D6{at:04X}", content[at : at + 0xE0].hex()))

    def put(self, class_: int, number: int, *objects: str) -> str:
        """Send PUT DATA for a data object and return the response; long ones are chained."""
        inner = "".join(objects)
        sdo = Tlv(0xBF0000 | (class_ | 0x80) << 8 | number, bytes.fromhex(inner))
        data = Tlv.constructed(0x70, (sdo,)).encode().hex()

        while len(data) > 2 * 0xFF:
            self.ok(command("10DB3FFF", data[: 2 * 0xFF]))
            data = data[2 * 0xFF :]

        return self.send(command("00DB3FFF", data))

    def get(self, class_: int, number: int, what: str) -> str:
        """Send GET DATA for a data object and return the response."""
        sdo = tlv(f"BF{class_ | 0x80:02X}{number:02X}", f"{what}80")
        return self.send(command("00CB3FFF", tlv("4D", tlv("70", sdo)), "00"))

    def put_user(
        self, number: int, value: str, *, reset: int = 0xFF, tries: int = 3, length: int = 8
    ) -> None:
        """Store a PIN that may be verified and changed by anybody, and reset by whoever is said."""
        body = value.encode().ljust(length, b"\xff").hex()
        values = f"8001{length:02X}810104{tlv('82', body)}"
        parameters = tlv("A0", f"9A01{tries:02X}9B01{tries:02X}{rules(0x73, 0, 0, reset, 0xFF, 0)}")
        assert self.put(0x01, number, parameters, tlv("7F41", values)) == "9000"

    def put_pair(self, number: int, *, use: int = 0, size: int = 256, mode: int = 0x7B) -> None:
        """Store a pair of keys without value: use by whoever is said, all else by anybody."""
        conditions = (use, use, use, 0, 0, 0)
        parameters = tlv("A0", f"8002{size:04X}{rules(mode, *conditions)}")
        assert self.put(0x10, number, parameters) == "9000"
        assert self.put(0x20, number, parameters) == "9000"

    def generate(self, number: int) -> None:
        """Generate a pair of keys that is there."""
        self.send(command("00470000", f"7003BF90{number:02X}", "00"))


def personalised(model: str = "cosmo-8.2") -> CosmoBench:
    """Return a card with a token: PIN 1 (1234) that PUK 2 (87654321) resets, and a key pair under the PIN."""
    bench = CosmoBench(model)
    bench.put_user(PUK, "87654321", tries=10)
    bench.put_user(PIN, "1234", reset=0x10 | PUK)
    application = pkcs15.Application(bytes.fromhex(AWP), "Twin")
    bench.create("2F00", 64)
    bench.write(pkcs15.encode_ef_dir([application]))
    bench.create_application("5015")
    bench.put_pair(KEY, use=0x10 | PIN)
    bench.generate(KEY)

    for file_id, content in _contents().items():
        bench.create(file_id, len(content) + 16)
        bench.write(content)
        bench.ok("00A4080C025015")

    bench.reset()
    return bench


def _contents() -> Mapping[str, bytes]:
    lists = {
        DirectoryKind.AUTH_OBJECTS: 0x7001,
        DirectoryKind.PRIVATE_KEYS: 0x7002,
        DirectoryKind.PUBLIC_KEYS: 0x7004,
    }
    odf = [pkcs15.DirectoryPath(kind, pkcs15.Path.of(file_id)) for kind, file_id in lists.items()]
    info = pkcs15.TokenInfo(
        serial=bytes.fromhex("0102030405060708"), manufacturer="cardtwin", label="Twin", algorithms=ALGORITHMS
    )
    flags = PinFlags.INITIALIZED | PinFlags.NEEDS_PADDING
    pins = [
        pkcs15.Pin(id=b"\x02", label="PUK", reference=PUK, flags=flags | PinFlags.UNBLOCKING_PIN, pad=0xFF),
        pkcs15.Pin(id=b"\x01", label="PIN", reference=PIN, flags=flags, pad=0xFF, auth_id=b"\x02"),
    ]
    usage = KeyUsage.SIGN | KeyUsage.DECRYPT
    private = pkcs15.PrivateKey(
        id=KEY_ID,
        label="Key",
        size=2048,
        usage=usage,
        reference=KEY,
        common=CommonFlags.PRIVATE,
        auth_id=b"\x01",
    )
    public = pkcs15.PublicKey(id=KEY_ID, label="Key", size=2048, usage=KeyUsage.VERIFY, reference=KEY)
    return {
        "5031": pkcs15.encode_odf(odf),
        "5032": info.encode(),
        "7001": pkcs15.encode_directory(pins),
        "7002": pkcs15.encode_directory([private]),
        "7004": pkcs15.encode_directory([public]),
    }
