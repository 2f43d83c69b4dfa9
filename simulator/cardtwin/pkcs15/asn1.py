"""The ASN.1 of ISO/IEC 7816-15:2016 (PKCS#15 v1.1, section 6), as asn1crypto classes.

The standard's module has IMPLICIT TAGS; a tag before a parameter of a parameterised type, or before a CHOICE,
is explicit (X.680, 31.2.7), which is why ``[0]`` and ``[1]`` of an object are. asn1crypto passes over
elements behind the declared ones: that is the reader's part of an extension mark.
"""
# mypy: disable-error-code=misc
# ruff: noqa: RUF012  # mutable class attributes are asn1crypto's own way to declare fields

from __future__ import annotations

from typing import ClassVar

from asn1crypto.core import (
    Any,
    BitString,
    Boolean,
    Choice,
    Enumerated,
    GeneralizedTime,
    Integer,
    ObjectIdentifier,
    OctetString,
    Sequence,
    SequenceOf,
    UTF8String,
)

__all__ = [
    "AlgorithmInfo",
    "Any",
    "AuthenticationType",
    "BitString",
    "CertificateType",
    "Choice",
    "DataType",
    "DirectoryEntry",
    "Integer",
    "ObjectValue",
    "PathAsn1",
    "PathOrObjects",
    "PrivateKeyType",
    "PublicKeyType",
    "TokenInfoAsn1",
    "UTF8String",
]

_OPTIONAL = {"optional": True}


def _implicit(number: int) -> dict[str, object]:
    return {"implicit": number, "optional": True}


class PathAsn1(Sequence):
    """Path."""

    _fields = [("path", OctetString), ("index", Integer, _OPTIONAL), ("length", Integer, _implicit(0))]


class Direct(Sequence):
    """The inside of ``direct [0]``, left as it is: a SEQUENCE only so that the tag is a constructed one."""


class ObjectValue(Choice):
    """ObjectValue, and ReferencedValue in it; a URL is none of ours."""

    _alternatives = [("indirect", PathAsn1), ("direct", Direct, {"implicit": 0})]


class CommonObjectAttributes(Sequence):
    """CommonObjectAttributes."""

    _fields = [
        ("label", UTF8String, _OPTIONAL),
        ("flags", BitString, _OPTIONAL),
        ("auth_id", OctetString, _OPTIONAL),
        ("user_consent", Integer, _OPTIONAL),
    ]


class CommonKeyAttributes(Sequence):
    """CommonKeyAttributes; dates and algorithm references are passed over."""

    _fields = [
        ("id", OctetString),
        ("usage", BitString),
        ("native", Boolean, {"default": True}),
        ("access_flags", BitString, _OPTIONAL),
        ("key_reference", Integer, _OPTIONAL),
    ]


class SubclassAttributes(Sequence):
    """CommonPrivateKeyAttributes and CommonPublicKeyAttributes, left as they are; all in them is optional."""

    _fields: ClassVar[list[tuple[str, object]]] = []


class RsaKeyAttributes(Sequence):
    """PrivateRSAKeyAttributes, PublicRSAKeyAttributes."""

    _fields = [("value", ObjectValue), ("modulus_length", Integer)]


class EcKeyAttributes(Sequence):
    """PrivateECKeyAttributes, PublicECKeyAttributes; the number is what OpenSC reads as the field's size."""

    _fields = [("value", ObjectValue), ("field_size", Integer, _OPTIONAL)]


class _KeyObject(Sequence):
    _fields = [
        ("common", CommonObjectAttributes),
        ("key", CommonKeyAttributes),
        ("sub", SubclassAttributes, {"explicit": 0, "optional": True}),
    ]


class RsaKeyObject(_KeyObject):
    """PrivateKeyObject and PublicKeyObject of RSA."""

    _fields = [*_KeyObject._fields, ("type", RsaKeyAttributes, {"explicit": 1})]


class EcKeyObject(_KeyObject):
    """PrivateKeyObject and PublicKeyObject of EC."""

    _fields = [*_KeyObject._fields, ("type", EcKeyAttributes, {"explicit": 1})]


class PrivateKeyType(Choice):
    """PrivateKeyType."""

    _alternatives = [("rsa", RsaKeyObject), ("ec", EcKeyObject, {"implicit": 0})]


class PublicKeyType(PrivateKeyType):
    """PublicKeyType: the same alternatives."""


class CertificateClass(Sequence):
    """CommonCertificateAttributes; what identifies the certificate otherwise is passed over."""

    _fields = [("id", OctetString), ("authority", Boolean, {"default": False})]


class CertificateAttributes(Sequence):
    """X509CertificateAttributes; subject, issuer and serial number are passed over."""

    _fields = [("value", ObjectValue)]


class CertificateObject(Sequence):
    """CertificateObject."""

    _fields = [
        ("common", CommonObjectAttributes),
        ("certificate", CertificateClass),
        ("type", CertificateAttributes, {"explicit": 1}),
    ]


class CertificateType(Choice):
    """CertificateType; only X.509 is ours."""

    _alternatives = [("x509", CertificateObject)]


class DataClass(Sequence):
    """CommonDataContainerObjectAttributes."""

    _fields = [("application_name", UTF8String, _OPTIONAL), ("application_oid", ObjectIdentifier, _OPTIONAL)]


class DataObjectAsn1(Sequence):
    """DataContainerObject with opaque contents."""

    _fields = [
        ("common", CommonObjectAttributes),
        ("data", DataClass),
        ("value", ObjectValue, {"explicit": 1}),
    ]


class DataType(Choice):
    """DataContainerObjectChoice; only opaque objects are ours."""

    _alternatives = [("opaque", DataObjectAsn1)]


class AuthenticationClass(Sequence):
    """CommonAuthenticationObjectAttributes."""

    _fields = [("id", OctetString)]


class PinTypeAsn1(Enumerated):
    """PasswordType."""

    _map = {0: "bcd", 1: "ascii-numeric", 2: "utf8", 3: "half-nibble-bcd", 4: "iso9564-1"}


class PinAttributes(Sequence):
    """PasswordAttributes."""

    _fields = [
        ("flags", BitString),
        ("type", PinTypeAsn1),
        ("min_length", Integer),
        ("stored_length", Integer),
        ("max_length", Integer, _OPTIONAL),
        ("reference", Integer, {"implicit": 0, "default": 0}),
        ("pad", OctetString, _OPTIONAL),
        ("last_change", GeneralizedTime, _OPTIONAL),
        ("path", PathAsn1, _OPTIONAL),
    ]


class AuthenticationObject(Sequence):
    """AuthenticationObject of a password."""

    _fields = [
        ("common", CommonObjectAttributes),
        ("authentication", AuthenticationClass),
        ("type", PinAttributes, {"explicit": 1}),
    ]


class AuthenticationType(Choice):
    """AuthenticationObjectChoice; only passwords are ours."""

    _alternatives = [("pin", AuthenticationObject)]


class PathOrObjects(Choice):
    """PathOrObjects."""

    _alternatives = [("path", PathAsn1), ("objects", Any, {"explicit": 0})]


class DirectoryEntry(Choice):
    """CIOChoice: one entry of EF.ODF."""

    _alternatives = [
        ("private_keys", PathOrObjects, {"explicit": 0}),
        ("public_keys", PathOrObjects, {"explicit": 1}),
        ("trusted_public_keys", PathOrObjects, {"explicit": 2}),
        ("secret_keys", PathOrObjects, {"explicit": 3}),
        ("certificates", PathOrObjects, {"explicit": 4}),
        ("trusted_certificates", PathOrObjects, {"explicit": 5}),
        ("useful_certificates", PathOrObjects, {"explicit": 6}),
        ("data_objects", PathOrObjects, {"explicit": 7}),
        ("auth_objects", PathOrObjects, {"explicit": 8}),
    ]


class AlgorithmInfo(Sequence):
    """AlgorithmInfo."""

    _fields = [
        ("reference", Integer),
        ("algorithm", Integer),
        ("parameters", Any),
        ("operations", BitString),
        ("oid", ObjectIdentifier, _OPTIONAL),
        ("algorithm_reference", Integer, _OPTIONAL),
    ]


class Algorithms(SequenceOf):
    """The list of supported algorithms."""

    _child_spec = AlgorithmInfo


class TokenInfoAsn1(Sequence):
    """CIAInfo, PKCS#15's TokenInfo; what stands behind the algorithms is passed over."""

    _fields = [
        ("version", Integer),
        ("serial", OctetString),
        ("manufacturer", UTF8String, _OPTIONAL),
        ("label", UTF8String, _implicit(0)),
        ("flags", BitString),
        ("se_info", Sequence, _OPTIONAL),
        ("record_info", Sequence, _implicit(1)),
        ("algorithms", Algorithms, _implicit(2)),
    ]
