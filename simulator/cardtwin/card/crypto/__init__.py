"""The card's cryptography: frozen keys and pure functions that know no files, objects or commands."""

from cardtwin.card.crypto import authentication, des, startkey
from cardtwin.card.crypto.ec import Curve, EcPrivateKey
from cardtwin.card.crypto.errors import (
    CryptoError,
    KeyFormatError,
    PaddingError,
    SecureMessagingError,
    UnsupportedKeyError,
)
from cardtwin.card.crypto.padding import pad_pss, pad_signature, unpad_encryption, unpad_signature
from cardtwin.card.crypto.rsa import RsaPrivateKey, RsaPublicKey

__all__ = [
    "CryptoError",
    "Curve",
    "EcPrivateKey",
    "KeyFormatError",
    "PaddingError",
    "RsaPrivateKey",
    "RsaPublicKey",
    "SecureMessagingError",
    "UnsupportedKeyError",
    "authentication",
    "des",
    "pad_pss",
    "pad_signature",
    "startkey",
    "unpad_encryption",
    "unpad_signature",
]
