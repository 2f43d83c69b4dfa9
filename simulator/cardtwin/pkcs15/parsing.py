"""Directory files as cards hold them: filled up with 00 or FF, or with the rest of older contents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from cardtwin.iso7816 import Tlv, TlvFormatError
from cardtwin.pkcs15 import asn1
from cardtwin.pkcs15.flags import CommonFlags, KeyAccess, KeyUsage, PinFlags, PinType, flags_of
from cardtwin.pkcs15.objects import (
    Certificate,
    DataObject,
    KeyAlgorithm,
    OtherObject,
    Pin,
    PrivateKey,
    PublicKey,
)
from cardtwin.pkcs15.paths import Path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "elements",
    "parse_aodf",
    "parse_cdf",
    "parse_dodf",
    "parse_prkdf",
    "parse_pukdf",
    "path_of",
]

_NAME: Final = 0x30

_T = TypeVar("_T")
_K = TypeVar("_K", PrivateKey, PublicKey)

# asn1crypto reads lazily and raises these for contents that don't fit; KeyError: a value that a map lacks.
BROKEN = (ValueError, TypeError, KeyError)


def parse_aodf(content: bytes) -> tuple[Pin | OtherObject, ...]:
    """Return the authentication objects of an EF.AOD. Never fails: what cannot be read is an OtherObject."""
    return tuple(_entry(der, _pin) for der in elements(content))


def parse_prkdf(content: bytes) -> tuple[PrivateKey | OtherObject, ...]:
    """Return the private keys of an EF.PrKD, in the same way."""
    return tuple(_entry(der, _private_key) for der in elements(content))


def parse_pukdf(content: bytes) -> tuple[PublicKey | OtherObject, ...]:
    """Return the public keys of an EF.PuKD, in the same way."""
    return tuple(_entry(der, _public_key) for der in elements(content))


def parse_cdf(content: bytes) -> tuple[Certificate | OtherObject, ...]:
    """Return the certificates of an EF.CD, in the same way."""
    return tuple(_entry(der, _certificate) for der in elements(content))


def parse_dodf(content: bytes) -> tuple[DataObject | OtherObject, ...]:
    """Return the data objects of an EF.DCOD, in the same way."""
    return tuple(_entry(der, _data_object) for der in elements(content))


def elements(content: bytes) -> Iterator[bytes]:
    """Yield the encoded elements from the beginning of a file up to what is none.

    The end is a byte 00 or FF, a tag that is neither SEQUENCE nor a context's, or a length beyond the file:
    cards keep the rest of older, longer contents behind the new one.
    """
    at = 0

    try:
        for _, end in Tlv.walk(content, padding=True):
            if content[at] != 0x30 and content[at] & 0xE0 != 0xA0:
                return

            yield content[at:end]
            at = end
    except TlvFormatError:
        return


def path_of(value: asn1.PathAsn1) -> Path:
    """Return a decoded Path."""
    return Path(value["path"].native, value["index"].native, value["length"].native)


def _entry(der: bytes, read: Callable[[bytes], _T]) -> _T | OtherObject:
    try:
        return read(der)
    except BROKEN as error:
        return OtherObject(der, str(error).split("\n", maxsplit=1)[0])


def _pin(der: bytes) -> Pin:
    entry = asn1.AuthenticationType.load(der).chosen
    label, flags, auth_id = _common(entry["common"])
    pin = entry["type"]
    pad = pin["pad"].native
    path = pin["path"]
    return Pin(
        id=entry["authentication"]["id"].native,
        label=label,
        reference=_byte(pin["reference"].native),
        flags=flags_of(PinFlags, pin["flags"].native),
        type=PinType(int.from_bytes(pin["type"].contents)),
        min_length=pin["min_length"].native,
        stored_length=pin["stored_length"].native,
        max_length=pin["max_length"].native,
        pad=pad[0] if pad else None,
        path=path_of(path) if path.native is not None else None,
        common=flags,
        auth_id=auth_id,
    )


def _private_key(der: bytes) -> PrivateKey:
    return _key(PrivateKey, asn1.PrivateKeyType.load(der))


def _public_key(der: bytes) -> PublicKey:
    return _key(PublicKey, asn1.PublicKeyType.load(der))


def _key(kind: type[_K], choice: asn1.PrivateKeyType) -> _K:
    entry = choice.chosen
    label, flags, auth_id = _common(entry["common"])
    key, attributes = entry["key"], entry["type"]
    access, reference = key["access_flags"].native, key["key_reference"].native
    size = "modulus_length" if choice.name == "rsa" else "field_size"
    return kind(
        id=key["id"].native,
        label=label,
        algorithm=KeyAlgorithm(choice.name),
        size=attributes[size].native,
        usage=flags_of(KeyUsage, key["usage"].native),
        access=None if access is None else flags_of(KeyAccess, access),
        reference=None if reference is None else _byte(reference),
        path=_value(attributes["value"]),
        native=key["native"].native,
        common=flags,
        auth_id=auth_id,
        user_consent=entry["common"]["user_consent"].native,
        subject=_subject(entry["sub"].contents or b""),
    )


def _subject(attributes: bytes) -> bytes:
    """Return subjectName, the first element where it is there; the others have tags of their own."""
    first, end = next(Tlv.walk(attributes), (None, 0))
    return attributes[:end] if first is not None and first.tag == _NAME else b""


def _certificate(der: bytes) -> Certificate:
    entry = asn1.CertificateType.load(der).chosen
    label, flags, auth_id = _common(entry["common"])
    return Certificate(
        id=entry["certificate"]["id"].native,
        label=label,
        authority=entry["certificate"]["authority"].native,
        path=_value(entry["type"]["value"]),
        common=flags,
        auth_id=auth_id,
    )


def _data_object(der: bytes) -> DataObject:
    entry = asn1.DataType.load(der).chosen
    label, flags, auth_id = _common(entry["common"])
    return DataObject(
        label=label,
        application=entry["data"]["application_name"].native,
        oid=entry["data"]["application_oid"].native,
        path=_value(entry["value"]),
        common=flags,
        auth_id=auth_id,
    )


def _common(attributes: asn1.CommonObjectAttributes) -> tuple[str, CommonFlags, bytes | None]:
    flags = flags_of(CommonFlags, attributes["flags"].native or ())
    return attributes["label"].native or "", flags, attributes["auth_id"].native


def _value(value: asn1.ObjectValue) -> Path | bytes:
    if value.name == "indirect":
        return path_of(value.chosen)

    return bytes(value.chosen.contents)


def _byte(reference: int) -> int:
    # Some cards write 82 as the INTEGER 82 instead of 00 82, which is a negative number.
    return reference & 0xFF
