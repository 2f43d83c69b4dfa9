"""Gemalto's cards: IDClassic 340 personalised by its own commands, IDPrime 940 filled as an image."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from cardtwin.targets.issuing.containers import Container, idprime_image
from support.cardbench import CardBench, command, tlv
from support.cosmo import CosmoBench

if TYPE_CHECKING:
    from cardtwin.card import CardImage

APPLET = "A0000000180C000001634200"
IDPRIME = "A000000018800000000662"
PKCS15 = "A000000063504B43532D3135"
PIN, PUK = 1, 2
KEY, SMALL_KEY = 1, 2
PIN_VALUE = "31323334FFFFFFFF"
VERIFY = command("00200001", PIN_VALUE)


def bare(mode: int, *conditions: int) -> str:
    """Return access rules: a mode byte, and a condition for each of its bits."""
    return tlv("8C", bytes((mode, *conditions)).hex())


class ClassicBench(CosmoBench):
    """A powered IDClassic 340, and the commands that most tests begin with."""

    def __init__(self, model: str = "idclassic-340", **more: object) -> None:
        super().__init__(model, **more)

    def create(self, file_id: str, size: int, *conditions: int, mode: int = 0x43) -> None:
        """Create an EF with the conditions DELETE, UPDATE, READ, or those of another mode byte."""
        head = f"8002{size:04X}8201018302{file_id}"
        self.ok(command("00E00000", tlv("62", head + bare(mode, *(conditions or (0, 0, 0))))))

    def create_application(self, file_id: str, aid: str = PKCS15, *conditions: int, mode: int = 0x42) -> None:
        """Create a DF with the conditions DELETE and CREATE, or those of another mode byte."""
        head = f"81020100 8201388302{file_id}{tlv('84', aid)}".replace(" ", "")
        self.ok(command("00E00000", tlv("62", head + bare(mode, *(conditions or (0, 0))))))

    def whole(self, text: str) -> str:
        """Return all data of a response, which GET RESPONSE may have to bring, as upper-case hex."""
        told = self.send(text)
        data, status = told[:-4], told[-4:]

        while status[:2] == "61":
            told = self.send(f"00C00000{status[2:]}")
            data, status = data + told[:-4], told[-4:]

        assert status == "9000", f"{text} -> {status}"
        return data


def personalised() -> ClassicBench:
    """Return a card: PIN 1 (1234) that PUK 2 (87654321) resets, and in a DF two key pairs under the PIN."""
    bench = ClassicBench()
    bench.put_user(PUK, "87654321", tries=10)
    bench.put_user(PIN, "1234", reset=0x10 | PUK)
    bench.create_application("5015")
    bench.put_pair(KEY, use=0x10 | PIN)
    bench.put_pair(SMALL_KEY, use=0x10 | PIN, size=128)

    for number in (KEY, SMALL_KEY):
        bench.whole(command("00470000", f"7003BF90{number:02X}", "00"))

    bench.reset()
    return bench


@cache
def keys() -> tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey]:
    """Return the keys of the containers of idprime(): RSA-2048, RSA-1024, P-256."""
    return (
        rsa.generate_private_key(65537, 2048),
        rsa.generate_private_key(65537, 1024),  # noqa: S505  # what cards have too
        ec.generate_private_key(ec.SECP256R1()),
    )


def container(
    name: str,
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    *,
    exchange: bool = True,
    sign: bool = False,
) -> Container:
    """Return a container with a key and a certificate of its own."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), 5)
        .not_valid_before(datetime(2025, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2045, 1, 1, tzinfo=UTC))
        .sign(key, SHA256())
    )
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return Container(name, der, certificate.public_bytes(Encoding.DER), exchange=exchange, signature_pin=sign)


@cache
def idprime() -> CardImage:
    """Return an IDPrime with PINs 1234, 5678: a key that does all, one of the second PIN, one on a curve."""
    large, small, curve = keys()
    containers = (
        container("exchange", large),
        container("signature", small, exchange=False, sign=True),
        container("curve", curve),
    )
    return idprime_image(containers, label="Twin", pin=b"1234", signature_pin=b"5678")


def idprime_bench() -> CardBench:
    """Return a powered IDPrime with that on it."""
    return CardBench("idprime-940", image=idprime())
