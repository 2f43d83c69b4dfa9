"""Private keys for tests of the card: keys, padded blocks, and the commands that use them."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from cardtwin.card.crypto import RsaPrivateKey
from cardtwin.entropy import SeededEntropy
from support.cardbench import CardBench, extended

KEY = RsaPrivateKey.generate(SeededEntropy("keys"), 2048)
SMALL = RsaPrivateKey.generate(SeededEntropy("keys"), 1024)
DIGEST = hashlib.sha256(b"data").digest()
DIGEST_INFO = bytes.fromhex("3031300D060960864801650304020105000420") + DIGEST
PADDED = b"\x00\x01" + b"\xff" * (256 - 3 - len(DIGEST_INFO)) + b"\x00" + DIGEST_INFO
SIGN, DECIPHER = "002A9E9A", "002A8086"
P256 = "06082A8648CE3D030107"


def crt(key: RsaPrivateKey) -> list[str]:
    return [number.to_bytes(key.size // 2).hex() for number in (key.p, key.q, key.dp, key.dq, key.qinv)]


def two_parts(key: RsaPrivateKey) -> list[str]:
    prefix = bytes((key.size + 1, 0))
    return [(prefix + number.to_bytes(key.size)).hex() for number in (key.n, key.d)]


def verified(signature: str, key: RsaPrivateKey = KEY) -> None:
    key.public.to_cryptography().verify(
        bytes.fromhex(signature), DIGEST, padding.PKCS1v15(), Prehashed(SHA256())
    )


def whole(bench: CardBench, header: str, data: bytes) -> str:
    """Send data with extended lengths."""
    return bench.send(extended(header, data.hex(), "0000"))


def generated(
    bench: CardBench, parts: list[str], *, kind: str, algorithm: str, access: str = "00" * 7
) -> str:
    bench.create_ef("7EAD", 0x200, kind=kind)
    bench.put_key(0x10, parts, algorithm=algorithm, access=access)
    return bench.send("00460000082010 7EAD00100020".replace(" ", ""))
