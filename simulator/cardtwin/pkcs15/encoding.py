"""Objects as DER (X.690): what is written into the directory files."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING

from cardtwin.iso7816 import Tlv
from cardtwin.pkcs15 import asn1
from cardtwin.pkcs15.errors import Pkcs15Error
from cardtwin.pkcs15.flags import named_bits
from cardtwin.pkcs15.objects import (
    Certificate,
    DataObject,
    KeyAlgorithm,
    OtherObject,
    Pin,
    PrivateKey,
    PublicKey,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from enum import Flag

    from cardtwin.pkcs15.objects import AnyObject
    from cardtwin.pkcs15.paths import Path

__all__ = ["encode_directory", "encode_object", "path_fields"]


def encode_directory(objects: Iterable[AnyObject]) -> bytes:
    """Return the content of a directory file: the objects' DER, one after the other.

    Raises:
        Pkcs15Error: A value has no encoding.
    """
    return b"".join(encode_object(item) for item in objects)


def encode_object(item: AnyObject) -> bytes:
    """Return the DER of one object.

    Raises:
        Pkcs15Error: A value has no encoding: a negative number, an object identifier that is none.
    """
    try:
        return _encode(item)
    except (ValueError, TypeError) as error:
        raise Pkcs15Error(f"{type(item).__name__} {getattr(item, 'label', '')!r}: {error}") from error


@singledispatch
def _encode(item: object) -> bytes:
    raise TypeError(f"{type(item).__name__} is no PKCS#15 object")


@_encode.register
def _(item: Pin) -> bytes:
    attributes = {
        "flags": named_bits(item.flags),
        "type": item.type.value,
        "min_length": item.min_length,
        "stored_length": item.stored_length,
        "max_length": item.max_length,
        "reference": item.reference,
        "pad": None if item.pad is None else bytes((item.pad,)),
        "path": path_fields(item.path) if item.path else None,
    }
    return _dump(
        asn1.AuthenticationType("pin", {
            "common": _common(item.label, item.common, item.auth_id),
            "authentication": {"id": item.id},
            "type": _present(attributes),
        })
    )  # fmt: skip


@_encode.register
def _(item: PrivateKey) -> bytes:
    return _key(asn1.PrivateKeyType, item)


@_encode.register
def _(item: PublicKey) -> bytes:
    return _key(asn1.PublicKeyType, item)


@_encode.register
def _(item: Certificate) -> bytes:
    return _dump(
        asn1.CertificateType("x509", {
            "common": _common(item.label, item.common, item.auth_id),
            "certificate": {"id": item.id, "authority": item.authority},
            "type": {"value": _value(item.path)},
        })
    )  # fmt: skip


@_encode.register
def _(item: DataObject) -> bytes:
    names = {"application_name": item.application, "application_oid": item.oid}
    return _dump(
        asn1.DataType("opaque", {
            "common": _common(item.label, item.common, item.auth_id),
            "data": names,
            "value": _value(item.path),
        })
    )  # fmt: skip


@_encode.register
def _(item: OtherObject) -> bytes:
    return item.der


def path_fields(path: Path) -> dict[str, object]:
    """Return the elements of a Path that are there."""
    return _present({"path": path.value, "index": path.index, "length": path.length})


def _key(kind: type[asn1.PrivateKeyType], item: PrivateKey | PublicKey) -> bytes:
    size = "modulus_length" if item.algorithm is KeyAlgorithm.RSA else "field_size"
    attributes = {
        "id": item.id,
        "usage": named_bits(item.usage),
        "native": item.native,
        "access_flags": None if item.access is None else named_bits(item.access),
        "key_reference": item.reference,
    }
    common = _common(item.label, item.common, item.auth_id) | _present({"user_consent": item.user_consent})
    sub = asn1.SubclassAttributes.load(Tlv(0x30, item.subject).encode()) if item.subject else None
    return _dump(
        kind(item.algorithm.value, {
            "common": common,
            "key": _present(attributes),
            "sub": sub,
            "type": {"value": _value(item.path)} | _present({size: item.size}),
        })
    )  # fmt: skip


def _common(label: str, flags: Flag, auth_id: bytes | None) -> dict[str, object]:
    return {"label": label, "flags": named_bits(flags) or None, "auth_id": auth_id}


def _value(path: Path | bytes) -> asn1.ObjectValue:
    if isinstance(path, bytes):
        value: asn1.ObjectValue = asn1.ObjectValue.load(Tlv(0xA0, path).encode())
        return value

    return asn1.ObjectValue("indirect", path_fields(path))


def _present(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


def _dump(value: asn1.Choice) -> bytes:
    return bytes(value.dump())
