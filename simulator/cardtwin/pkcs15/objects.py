"""PKCS#15 objects as values: what the directory files list. Clauses are those of ISO/IEC 7816-15:2016."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cardtwin.pkcs15.flags import CommonFlags, KeyAccess, KeyUsage, PinFlags, PinType
from cardtwin.pkcs15.paths import Path

__all__ = [
    "AnyObject",
    "Certificate",
    "DataObject",
    "KeyAlgorithm",
    "OtherObject",
    "Pin",
    "PrivateKey",
    "PublicKey",
]


_NO_FLAGS: Final = CommonFlags(0)
_NO_USAGE: Final = KeyUsage(0)
_NO_PATH: Final = Path(b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A PIN or PUK (8.9).

    Attributes:
        id: Its authId: what other objects name in their `auth_id`.
        label: What users see.
        reference: Its number on the card, 0 to 255, as VERIFY takes it.
        flags: What kind it is.
        type: How the characters are stored.
        min_length: The fewest characters.
        stored_length: The bytes stored, padding included.
        max_length: The most characters; None where the stored length says it.
        pad: The padding byte.
        path: The DF that is selected before the PIN is verified.
        common: Private, modifiable.
        auth_id: The PIN that unblocks this one.
    """

    id: bytes
    label: str
    reference: int
    flags: PinFlags = PinFlags.INITIALIZED | PinFlags.NEEDS_PADDING
    type: PinType = PinType.ASCII_NUMERIC
    min_length: int = 4
    stored_length: int = 8
    max_length: int | None = None
    pad: int | None = None
    path: Path | None = None
    common: CommonFlags = _NO_FLAGS
    auth_id: bytes | None = None


class KeyAlgorithm(StrEnum):
    """Kinds of keys that have attributes here."""

    RSA = "rsa"
    EC = "ec"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateKey:
    """A private key (8.4).

    Attributes:
        id: The identifier that it shares with its public key and certificate.
        label: What users see.
        algorithm: RSA or EC.
        size: The modulus, or the field, in bits; None where an EC key doesn't say.
        usage: What it is for.
        access: How it came to be, and whether it can leave.
        reference: Its number on the card; None where the path says enough.
        path: The DF or EF of the key, or its value in DER.
        common: Private, modifiable.
        auth_id: The PIN to be verified before its use.
        user_consent: After how many uses the PIN is asked for again; None never.
        subject: The name of the key's owner, in DER; empty where it isn't told.
    """

    id: bytes
    label: str
    algorithm: KeyAlgorithm = KeyAlgorithm.RSA
    size: int | None = None
    usage: KeyUsage = _NO_USAGE
    access: KeyAccess | None = None
    reference: int | None = None
    path: Path | bytes = _NO_PATH
    native: bool = True
    common: CommonFlags = CommonFlags.PRIVATE
    auth_id: bytes | None = None
    user_consent: int | None = None
    subject: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A public key (8.5); attributes as those of a private key."""

    id: bytes
    label: str
    algorithm: KeyAlgorithm = KeyAlgorithm.RSA
    size: int | None = None
    usage: KeyUsage = _NO_USAGE
    access: KeyAccess | None = None
    reference: int | None = None
    path: Path | bytes = _NO_PATH
    native: bool = True
    common: CommonFlags = _NO_FLAGS
    auth_id: bytes | None = None
    user_consent: int | None = None
    subject: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """An X.509 certificate (8.7).

    Attributes:
        id: The identifier that it shares with its keys.
        label: What users see.
        authority: Whether it is a CA's.
        path: The EF, or the piece of one, that holds it; or the certificate itself in DER.
        common: Private, modifiable.
        auth_id: The PIN that guards it.
    """

    id: bytes
    label: str
    authority: bool = False
    path: Path | bytes
    common: CommonFlags = _NO_FLAGS
    auth_id: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataObject:
    """A data container with opaque contents (8.8).

    Attributes:
        label: What users see.
        application: The application's name; None is absent, which an empty name is not.
        oid: The application's object identifier, in dots.
        path: The EF, or the piece of one, that holds the contents; or these in DER.
        common: Private, modifiable.
        auth_id: The PIN that guards it.
    """

    label: str
    application: str | None = None
    oid: str | None = None
    path: Path | bytes
    common: CommonFlags = _NO_FLAGS
    auth_id: bytes | None = None


@dataclass(frozen=True, slots=True)
class OtherObject:
    """An entry of a kind that has no class here, or one that is broken inside: kept as it is."""

    der: bytes = field(repr=False)
    reason: str = ""


AnyObject = Pin | PrivateKey | PublicKey | Certificate | DataObject | OtherObject
