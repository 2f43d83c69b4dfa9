"""A certificate request (PKCS#10, RFC 2986) that a key on a card signs."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cardtwin.iso7816 import Tlv

if TYPE_CHECKING:
    from cryptography.x509 import Name

    from cardtwin.minidriver import Container, MinidriverCard

__all__ = ["certificate_request"]

_SEQUENCE, _INTEGER, _BITS, _ATTRIBUTES = 0x30, 0x02, 0x03, 0xA0
_SHA256_WITH_RSA: Final = bytes.fromhex("300D06092A864886F70D01010B0500")
_DIGEST_INFO: Final = bytes.fromhex("3031300D060960864801650304020105000420")


def certificate_request(card: MinidriverCard, container: Container, subject: Name) -> bytes:
    """Return a request in DER for the key of a container, signed by it (sha256WithRSAEncryption).

    Raises:
        MinidriverError: The card didn't sign.
    """
    key = card.public_key(container.index).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    version, attributes = Tlv(_INTEGER, b"\0").encode(), Tlv(_ATTRIBUTES).encode()
    info = Tlv(_SEQUENCE, version + subject.public_bytes() + key + attributes).encode()
    signature = card.sign(container.index, _DIGEST_INFO + hashlib.sha256(info).digest())
    return Tlv(_SEQUENCE, info + _SHA256_WITH_RSA + Tlv(_BITS, b"\0" + signature).encode()).encode()
