"""Templates: what C_CreateObject and its kin are given, and which rules an object of a class has."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.constants import UNAVAILABLE_INFORMATION, Cka, Ckc, Ckk, Cko, name_of
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.publickeys import RsaKey, from_attributes
from cardtwin.cryptoki.tokenobjects import certificate_attributes, packed, read_certificate
from cardtwin.middleware import Ckr

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cardtwin.cryptoki.values import Attribute

__all__ = ["CHANGEABLE", "check", "completed", "given", "sensitive_of"]


class Form(Enum):
    """What an attribute's value is."""

    BOOL = "CK_BBOOL"
    ULONG = "CK_ULONG"
    TEXT = "RFC 2279 string"
    BYTES = "bytes"
    DATE = "CK_DATE"


@dataclass(frozen=True, slots=True)
class Field:
    """An attribute of a class of objects.

    Attributes:
        form: What its value is.
        default: Its value where the template doesn't have it; None where the template must, or it follows.
        settable: Whether a template may have it.
    """

    form: Form
    default: bool | int | str | bytes | None = None
    settable: bool = True


_NO, _YES = Field(Form.BOOL, default=False), Field(Form.BOOL, default=True)
_BYTES, _TEXT, _DATE = (
    Field(Form.BYTES, default=b""),
    Field(Form.TEXT, default=""),
    Field(Form.DATE, default=""),
)
_NEEDED, _NUMBER = Field(Form.BYTES), Field(Form.ULONG)

_COMMON: Final[dict[int, Field]] = {
    Cka.CKA_CLASS: _NUMBER,
    Cka.CKA_TOKEN: _NO,
    Cka.CKA_PRIVATE: _NO,
    Cka.CKA_MODIFIABLE: _YES,
    Cka.CKA_LABEL: _TEXT,
    Cka.CKA_COPYABLE: _YES,
    Cka.CKA_DESTROYABLE: _YES,
}
_KEY: Final[dict[int, Field]] = _COMMON | {
    Cka.CKA_KEY_TYPE: _NUMBER,
    Cka.CKA_ID: _BYTES,
    Cka.CKA_START_DATE: _DATE,
    Cka.CKA_END_DATE: _DATE,
    Cka.CKA_DERIVE: _NO,
    Cka.CKA_LOCAL: Field(Form.BOOL, default=False, settable=False),
    Cka.CKA_KEY_GEN_MECHANISM: Field(Form.ULONG, UNAVAILABLE_INFORMATION, settable=False),
}
_FIELDS: Final[Mapping[int, Mapping[int, Field]]] = {
    Cko.CKO_DATA: _COMMON | {Cka.CKA_APPLICATION: _TEXT, Cka.CKA_OBJECT_ID: _BYTES, Cka.CKA_VALUE: _BYTES},
    Cko.CKO_CERTIFICATE: _COMMON
    | {
        Cka.CKA_CERTIFICATE_TYPE: _NUMBER,
        Cka.CKA_TRUSTED: Field(Form.BOOL, default=False, settable=False),
        Cka.CKA_CERTIFICATE_CATEGORY: Field(Form.ULONG, 0),
        Cka.CKA_START_DATE: _DATE,
        Cka.CKA_END_DATE: _DATE,
        Cka.CKA_SUBJECT: _BYTES,
        Cka.CKA_ID: _BYTES,
        Cka.CKA_ISSUER: _BYTES,
        Cka.CKA_SERIAL_NUMBER: _BYTES,
        Cka.CKA_VALUE: _NEEDED,
        Cka.CKA_URL: _TEXT,
        Cka.CKA_HASH_OF_SUBJECT_PUBLIC_KEY: _BYTES,
        Cka.CKA_HASH_OF_ISSUER_PUBLIC_KEY: _BYTES,
        Cka.CKA_JAVA_MIDP_SECURITY_DOMAIN: Field(Form.ULONG, 0),
    },
    Cko.CKO_PUBLIC_KEY: _KEY
    | {
        Cka.CKA_SUBJECT: _BYTES,
        Cka.CKA_ENCRYPT: _YES,
        Cka.CKA_VERIFY: _YES,
        Cka.CKA_VERIFY_RECOVER: _NO,
        Cka.CKA_WRAP: _NO,
        Cka.CKA_TRUSTED: Field(Form.BOOL, default=False, settable=False),
    },
    Cko.CKO_SECRET_KEY: _KEY
    | {
        Cka.CKA_SENSITIVE: _NO,
        Cka.CKA_EXTRACTABLE: _YES,
        Cka.CKA_ENCRYPT: _NO,
        Cka.CKA_DECRYPT: _NO,
        Cka.CKA_SIGN: _NO,
        Cka.CKA_VERIFY: _NO,
        Cka.CKA_WRAP: _NO,
        Cka.CKA_UNWRAP: _NO,
        Cka.CKA_VALUE: _NEEDED,
        Cka.CKA_VALUE_LEN: _NUMBER,
        Cka.CKA_ALWAYS_SENSITIVE: Field(Form.BOOL, default=False, settable=False),
        Cka.CKA_NEVER_EXTRACTABLE: Field(Form.BOOL, default=False, settable=False),
        Cka.CKA_WRAP_WITH_TRUSTED: _NO,
    },
}
_PUBLIC_NUMBERS: Final[Mapping[int, Mapping[int, Field]]] = {
    Ckk.CKK_RSA: {
        Cka.CKA_MODULUS: _NEEDED,
        Cka.CKA_PUBLIC_EXPONENT: _NEEDED,
        Cka.CKA_MODULUS_BITS: Field(Form.ULONG, settable=False),
    },
    Ckk.CKK_EC: {Cka.CKA_EC_PARAMS: _NEEDED, Cka.CKA_EC_POINT: _NEEDED},
}
_SECRET_TYPES: Final = {Ckk.CKK_GENERIC_SECRET: None, Ckk.CKK_AES: {16, 24, 32}}

CHANGEABLE: Final = frozenset(
    {
        Cka.CKA_LABEL,
        Cka.CKA_ID,
        Cka.CKA_SUBJECT,
        Cka.CKA_APPLICATION,
        Cka.CKA_OBJECT_ID,
        Cka.CKA_START_DATE,
        Cka.CKA_END_DATE,
        Cka.CKA_DERIVE,
        Cka.CKA_ENCRYPT,
        Cka.CKA_DECRYPT,
        Cka.CKA_SIGN,
        Cka.CKA_VERIFY,
        Cka.CKA_VERIFY_RECOVER,
        Cka.CKA_WRAP,
        Cka.CKA_UNWRAP,
        Cka.CKA_SENSITIVE,
        Cka.CKA_EXTRACTABLE,
    }
)
"""What C_SetAttributeValue may change. CKA_SENSITIVE only becomes true, CKA_EXTRACTABLE only false."""


def given(template: Sequence[Attribute]) -> dict[int, Attribute]:
    """Return a template's attributes by type.

    Raises:
        CryptokiError: CKR_TEMPLATE_INCONSISTENT: one is there twice.
    """
    found = {each.type: each for each in template}

    if len(found) != len(template):
        raise CryptokiError(Ckr.CKR_TEMPLATE_INCONSISTENT, "an attribute is there twice")

    return found


def completed(template: Sequence[Attribute]) -> dict[int, bytes]:
    """Return the attributes of an object that a template describes, defaults filled in.

    Raises:
        CryptokiError: CKR_TEMPLATE_INCOMPLETE, CKR_TEMPLATE_INCONSISTENT, CKR_ATTRIBUTE_TYPE_INVALID,
            CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_VALUE_INVALID, CKR_CURVE_NOT_SUPPORTED.
    """
    attributes = given(template)
    fields = _fields(attributes)

    for each in template:
        check(each, fields)

    values = {kind: each.value for kind, each in attributes.items()}
    defaults = {kind: field.default for kind, field in fields.items() if field.default is not None}
    filled = packed({Cka(kind): value for kind, value in defaults.items()}) | values
    return _FOLLOWING[filled_class(filled)](filled)


def filled_class(attributes: Mapping[int, bytes]) -> int:
    """Return CKO_*."""
    return int.from_bytes(attributes[Cka.CKA_CLASS], "little")


def _fields(attributes: Mapping[int, Attribute]) -> Mapping[int, Field]:
    if Cka.CKA_CLASS not in attributes:
        raise CryptokiError(Ckr.CKR_TEMPLATE_INCOMPLETE, "CKA_CLASS is missing")

    kind = attributes[Cka.CKA_CLASS].ulong

    if kind not in _FIELDS:
        raise CryptokiError(Ckr.CKR_ATTRIBUTE_VALUE_INVALID, f"{name_of(Cko, kind)} is not made here")

    fields = _FIELDS[kind]

    if kind != Cko.CKO_PUBLIC_KEY:
        return fields

    if Cka.CKA_KEY_TYPE not in attributes:
        raise CryptokiError(Ckr.CKR_TEMPLATE_INCOMPLETE, "CKA_KEY_TYPE is missing")

    key_type = attributes[Cka.CKA_KEY_TYPE].ulong

    if key_type not in _PUBLIC_NUMBERS:
        raise CryptokiError(Ckr.CKR_ATTRIBUTE_VALUE_INVALID, "public keys are RSA or EC here")

    return {**fields, **_PUBLIC_NUMBERS[key_type]}


def check(attribute: Attribute, fields: Mapping[int, Field]) -> None:
    """See that an attribute may be there, and has a value of its kind; errors as completed()."""
    field = fields.get(attribute.type)
    name = name_of(Cka, attribute.type)

    if field is None:
        raise CryptokiError(Ckr.CKR_ATTRIBUTE_TYPE_INVALID, f"such objects have no {name}")

    if not field.settable:
        raise CryptokiError(Ckr.CKR_ATTRIBUTE_READ_ONLY, f"{name} follows from other things")

    check_value(attribute, field.form)


def check_value(attribute: Attribute, form: Form) -> None:
    """See that a value is of its kind; CKR_ATTRIBUTE_VALUE_INVALID otherwise."""
    match form:
        case Form.BOOL:
            _ = attribute.boolean
        case Form.ULONG:
            _ = attribute.ulong
        case Form.TEXT:
            _ = attribute.text
        case Form.DATE:
            if attribute.value and not (len(attribute.value) == 8 and attribute.value.isdigit()):
                raise CryptokiError(
                    Ckr.CKR_ATTRIBUTE_VALUE_INVALID, "a CK_DATE has eight digits, or is empty"
                )
        case Form.BYTES:
            pass


def form_of(object_class: int, kind: int) -> Form | None:
    """Return what an attribute of a class is; None where the class hasn't got it."""
    field = _FIELDS.get(object_class, {}).get(kind)
    return field.form if field else None


def sensitive_of(attributes: Mapping[int, bytes]) -> frozenset[int]:
    """Return what of a session object is not shown: the value of a sensitive or unextractable secret key."""
    if filled_class(attributes) != Cko.CKO_SECRET_KEY:
        return frozenset()

    hidden = attributes[Cka.CKA_SENSITIVE] != b"\0" or attributes[Cka.CKA_EXTRACTABLE] == b"\0"
    return frozenset({Cka.CKA_VALUE}) if hidden else frozenset()


def _needs(attributes: Mapping[int, bytes], kind: Cka) -> bytes:
    if kind not in attributes:
        raise CryptokiError(Ckr.CKR_TEMPLATE_INCOMPLETE, f"{kind.name} is missing")

    return attributes[kind]


def _certificate(attributes: dict[int, bytes]) -> dict[int, bytes]:
    if int.from_bytes(_needs(attributes, Cka.CKA_CERTIFICATE_TYPE), "little") != Ckc.CKC_X_509:
        raise CryptokiError(Ckr.CKR_ATTRIBUTE_VALUE_INVALID, "certificates are X.509 here")

    der = _needs(attributes, Cka.CKA_VALUE)
    certificate = read_certificate(der)

    if certificate is None:
        raise CryptokiError(Ckr.CKR_ATTRIBUTE_VALUE_INVALID, "CKA_VALUE is no X.509 certificate")

    own = certificate_attributes(der, certificate)

    for kind in (Cka.CKA_SUBJECT, Cka.CKA_ISSUER, Cka.CKA_SERIAL_NUMBER):
        if attributes[kind] not in {b"", own[kind]}:
            raise CryptokiError(Ckr.CKR_TEMPLATE_INCONSISTENT, f"{kind.name} is not the certificate's")

    return {**own, **{kind: value for kind, value in attributes.items() if value or kind not in own}}


def _public_key(attributes: dict[int, bytes]) -> dict[int, bytes]:
    key = from_attributes(attributes)
    bits = packed({Cka.CKA_MODULUS_BITS: key.bits}) if isinstance(key, RsaKey) else {}
    return attributes | key.attributes() | bits


def _secret_key(attributes: dict[int, bytes]) -> dict[int, bytes]:
    kind = int.from_bytes(_needs(attributes, Cka.CKA_KEY_TYPE), "little")
    value = _needs(attributes, Cka.CKA_VALUE)
    lengths = _SECRET_TYPES.get(Ckk(kind), set()) if kind in _SECRET_TYPES else set()

    if not value or (lengths is not None and len(value) not in lengths):
        raise CryptokiError(
            Ckr.CKR_ATTRIBUTE_VALUE_INVALID, f"no {name_of(Ckk, kind)} key has {len(value)} bytes here"
        )

    told = attributes.get(Cka.CKA_VALUE_LEN)

    if told is not None and int.from_bytes(told, "little") != len(value):
        raise CryptokiError(Ckr.CKR_TEMPLATE_INCONSISTENT, "CKA_VALUE_LEN is not the value's")

    return attributes | packed({Cka.CKA_VALUE_LEN: len(value)})


_FOLLOWING: Final[Mapping[int, Callable[[dict[int, bytes]], dict[int, bytes]]]] = {
    Cko.CKO_DATA: lambda attributes: attributes,
    Cko.CKO_CERTIFICATE: _certificate,
    Cko.CKO_PUBLIC_KEY: _public_key,
    Cko.CKO_SECRET_KEY: _secret_key,
}
