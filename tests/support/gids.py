"""A virtual smart card on the bench, initialised by the commands that OpenSC's gids-tool sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from cardtwin.iso7816 import Tlv
from support.cardbench import CardBench, command, tlv

if TYPE_CHECKING:
    from cardtwin.card import CardImage

ADMIN_KEY = bytes.fromhex("010203040506070801020304050607080102030405060708")
PIN = b"12345678"
AID = "A000000397425446590201"
ACTIVATE = "00440000"
APPLICATION = "00A4000C023FFF"
FORGET = "00200082"
STATE = "00CB3FFF045C027F7100"
CHOOSE_ADMIN = "002281A403830180"
MASTER_FILE = "DF1F"
"""The tag of a data object, any one, in the file A000."""

SIGN_AND_DECIPHER = (0xB8, 0x00), (0xB8, 0x80), (0xB8, 0x40), (0xB6, 0x10), (0xB6, 0x50)
SIGN = (0xB6, 0x10), (0xB6, 0x50)


class GidsBench(CardBench):
    """A powered virtual smart card, and the commands that most tests begin with."""

    def __init__(self, image: CardImage | None = None, **more: object) -> None:
        super().__init__("virtual-smart-card", image=image, **more)  # type: ignore[arg-type]  # the base's

    def create_objects(self, file_id: str, attributes: str) -> str:
        """Create a file of data objects and return the response."""
        return self.send(command("00E00000", tlv("62", f"8201398302{file_id}{tlv('8C', attributes)}")))

    def create_key(
        self,
        reference: int,
        uses: tuple[tuple[int, int], ...] = SIGN_AND_DECIPHER,
        *,
        attributes: str = "8F10101000",
        size: int = 0x07,
    ) -> str:
        """Create and activate the file of an RSA key, and return the response to its creation."""
        templates = "".join(
            tlv(f"{tag:02X}", f"8001{padding | size:02X}8301{reference:02X}950140") for tag, padding in uses
        )
        conditions = tlv("8C", attributes) if attributes else ""
        head = f"8201188302B0{reference:02X}{conditions}"
        response = self.send(command("00E00000", tlv("62", head + tlv("A5", templates))))

        if response == "9000":
            self.ok(ACTIVATE)

        return response

    def create_admin_key(self, key: bytes = ADMIN_KEY) -> None:
        """Create the file of the admin key, and give it its value."""
        head = "8201188302B0808C04870020FFA50BA409800102830180950 1C0".replace(" ", "")
        self.ok(command("00E00000", tlv("62", head)))
        self.ok(ACTIVATE)
        assert self.put_admin_key(key) == "9000"

    def put_admin_key(self, key: bytes) -> str:
        """Give the admin key a value and return the response."""
        return self.send(
            command("00DB3FFF", tlv("70", "840180" + tlv("A5", tlv("87", key.hex()) + "8803B073DC")))
        )

    def import_key(self, reference: int, numbers: tuple[int, ...]) -> str:
        """Import an RSAPrivateKey in its numbers, chained, and return the last response."""
        integers = (Tlv(0x02, number.to_bytes(number.bit_length() // 8 + 1)) for number in numbers)
        value = Tlv(0x87, Tlv.constructed(0x30, integers).encode())
        template = Tlv.constructed(0xA5, (Tlv(0x83, b"\x02"), Tlv(0x84, b"\0"), value))
        data = Tlv.constructed(0x70, (Tlv(0x84, bytes((reference,))), template)).encode()
        return self.chained("DB3FFF", data)

    def chained(self, header: str, data: bytes, le: str = "") -> str:
        """Send a command in links of at most 240 bytes and return the response to the last."""
        links = [data[at : at + 240].hex() for at in range(0, len(data), 240)]

        for link in links[:-1]:
            self.ok(command("10" + header, link))

        return self.send(command("00" + header, links[-1], le))

    def response(self, text: str) -> bytes:
        """Return the data of a response that may come in parts."""
        return self.whole(self.send(text))

    def whole(self, told: str) -> bytes:
        """Fetch what is left of a response."""
        data, status = told[:-4], told[-4:]

        while status[:2] == "61":
            told = self.send(f"00C00000{status[2:]}")
            data, status = data + told[:-4], told[-4:]

        assert status == "9000"
        return bytes.fromhex(data)

    def verify(self, pin: bytes = PIN) -> str:
        """Verify the PIN and return the response."""
        return self.send(command("00200080", pin.hex()))

    def prove(self, key: bytes = ADMIN_KEY) -> str:
        """Prove to have the admin key, by an encrypted challenge, and return the last response."""
        self.ok(CHOOSE_ADMIN)
        challenge = self.response("00870000047C02810000")[4:]
        return self.send(command("00870000", tlv("7C", tlv("82", encrypted(key, challenge).hex()))))

    def generate(self, reference: int = 0x81, size: int = 0x07) -> rsa.RSAPublicKey:
        """Generate a key whose file is there."""
        told = self.response(command("00470000", f"AC068001{size:02X}8301{reference:02X}", "00"))
        return public(told)

    def public_key(self, reference: int = 0x81) -> rsa.RSAPublicKey:
        """Read a public key."""
        return public(self.response(command("00CB3FFF", f"70088401{reference:02X}A5037F4980", "00")))


def public(template: bytes) -> rsa.RSAPublicKey:
    """Return the key in a template 7F49."""
    modulus, exponent = (int.from_bytes(found.value) for found in Tlv.parse(template).children())
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def encrypted(key: bytes, data: bytes) -> bytes:
    """Return data encrypted with triple DES in CBC mode."""
    encryptor = Cipher(TripleDES(key), modes.CBC(bytes(8))).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def decrypted(key: bytes, data: bytes) -> bytes:
    """Return data decrypted with triple DES in CBC mode."""
    decryptor = Cipher(TripleDES(key), modes.CBC(bytes(8))).decryptor()
    return decryptor.update(data) + decryptor.finalize()


def prepared(*, activated: bool = True) -> GidsBench:
    """Return a card with PIN, admin key and the files that gids-tool makes, without data objects."""
    bench = GidsBench()
    bench.ok(command("00240180", PIN.hex()))

    for file_id, attributes in (
        ("A000", "033000"),
        ("A010", "033000"),
        ("A011", "0330FF"),
        ("A012", "032000"),
        ("A013", "033030"),
        ("A014", "032020"),
    ):
        assert bench.create_objects(file_id, attributes) == "9000"
        bench.ok(ACTIVATE)

    bench.create_admin_key()

    if activated:
        bench.ok(APPLICATION)
        bench.ok(ACTIVATE)

    return bench
