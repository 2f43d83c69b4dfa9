"""Templates: what C_CreateObject and its kin are given, and which object that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.constants import Cka, Ckc, Ckk, Cko, name_of
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.keys.private import read_private_key
from cardtwin.cryptoki.keys.public import RsaKey, from_attributes
from cardtwin.cryptoki.objects.fields import FIELDS, NUMBERS, SECRET_TYPES, USES, Form
from cardtwin.cryptoki.objects.shown import (
    SENSITIVE_OF_KEYS,
    certificate_attributes,
    packed,
    read_certificate,
)
from cardtwin.cryptoki.values import Attribute
from cardtwin.iso7816 import Tlv
from cardtwin.middleware import Ckr

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from cardtwin.cryptoki.keys.public import PublicNumbers
    from cardtwin.cryptoki.objects.fields import Field

__all__ = ["check", "completed", "defaults", "fields_of", "given", "sensitive_of", "with_uses"]

_KEY_PAIRS: Final = {Cko.CKO_PUBLIC_KEY, Cko.CKO_PRIVATE_KEY}
_ALL_USES: Final = frozenset(
    {
        Cka.CKA_ENCRYPT,
        Cka.CKA_DECRYPT,
        Cka.CKA_SIGN,
        Cka.CKA_SIGN_RECOVER,
        Cka.CKA_VERIFY,
        Cka.CKA_VERIFY_RECOVER,
        Cka.CKA_WRAP,
        Cka.CKA_UNWRAP,
        Cka.CKA_DERIVE,
    }
)
_FALSE: Final = b"\0"
_FROM_CERTIFICATE: Final = (
    Cka.CKA_SUBJECT,
    Cka.CKA_ISSUER,
    Cka.CKA_SERIAL_NUMBER,
    Cka.CKA_PUBLIC_KEY_INFO,
)


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
    filled = defaults(fields) | values
    object_class = filled_class(filled)

    if object_class in _KEY_PAIRS:
        filled = with_uses(filled, attributes)

    return _FOLLOWING[object_class](filled)


def defaults(fields: Mapping[int, Field]) -> dict[int, bytes]:
    """Return the values of what a template can leave out."""
    return packed({Cka(kind): field.default for kind, field in fields.items() if field.default is not None})


def with_uses(attributes: dict[int, bytes], told: Collection[int]) -> dict[int, bytes]:
    """Return a key's attributes with its uses: a private key whose template tells none signs, and deciphers.

    Raises:
        CryptokiError: CKR_TEMPLATE_INCONSISTENT: the key is to be used as such keys aren't, or asks for the
            PIN each time without being private (v2.40, 4.9).
    """
    object_class, key_type = (
        int.from_bytes(attributes[kind], "little") for kind in (Cka.CKA_CLASS, Cka.CKA_KEY_TYPE)
    )
    uses = USES[object_class, key_type]

    for kind in _ALL_USES - set(uses):
        if attributes.get(kind, _FALSE) != _FALSE:
            raise CryptokiError(Ckr.CKR_TEMPLATE_INCONSISTENT, f"such keys are not for {kind.name}")

    consent, private = (
        attributes.get(kind, _FALSE) != _FALSE for kind in (Cka.CKA_ALWAYS_AUTHENTICATE, Cka.CKA_PRIVATE)
    )

    if consent and not private:
        raise CryptokiError(Ckr.CKR_TEMPLATE_INCONSISTENT, "CKA_ALWAYS_AUTHENTICATE is for private objects")

    if object_class != Cko.CKO_PRIVATE_KEY or any(kind in told for kind in uses):
        return attributes

    return attributes | packed(dict.fromkeys(uses[:2], True))


def filled_class(attributes: Mapping[int, bytes]) -> int:
    """Return CKO_*."""
    return int.from_bytes(attributes[Cka.CKA_CLASS], "little")


def _fields(attributes: Mapping[int, Attribute]) -> Mapping[int, Field]:
    if Cka.CKA_CLASS not in attributes:
        raise CryptokiError(Ckr.CKR_TEMPLATE_INCOMPLETE, "CKA_CLASS is missing")

    kind = attributes[Cka.CKA_CLASS].ulong

    if kind not in FIELDS:
        raise CryptokiError(Ckr.CKR_ATTRIBUTE_VALUE_INVALID, f"{name_of(Cko, kind)} is not made here")

    if kind not in _KEY_PAIRS:
        return FIELDS[kind]

    if Cka.CKA_KEY_TYPE not in attributes:
        raise CryptokiError(Ckr.CKR_TEMPLATE_INCOMPLETE, "CKA_KEY_TYPE is missing")

    return fields_of(kind, attributes[Cka.CKA_KEY_TYPE].ulong)


def fields_of(object_class: int, key_type: int) -> Mapping[int, Field]:
    """Return the attributes of public or private keys of a type.

    Raises:
        CryptokiError: CKR_ATTRIBUTE_VALUE_INVALID: there are no such keys here.
    """
    if (object_class, key_type) not in NUMBERS:
        raise CryptokiError(Ckr.CKR_ATTRIBUTE_VALUE_INVALID, "keys of a pair are RSA or EC here")

    return {**FIELDS[object_class], **NUMBERS[object_class, key_type]}


def check(attribute: Attribute, fields: Mapping[int, Field]) -> None:
    """See that an attribute may be there, and has a value of its kind; errors as completed()."""
    field = fields.get(attribute.type)
    name = name_of(Cka, attribute.type)

    if field is None:
        raise CryptokiError(Ckr.CKR_ATTRIBUTE_TYPE_INVALID, f"such objects have no {name}")

    if not field.settable:
        raise CryptokiError(Ckr.CKR_ATTRIBUTE_READ_ONLY, f"{name} follows from other things")

    check_value(attribute, field.form)

    if field.fixed and field.default is not None and attribute != Attribute.of(attribute.type, field.default):
        raise CryptokiError(Ckr.CKR_ATTRIBUTE_READ_ONLY, f"{name} has its default here")


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
    field = FIELDS.get(object_class, {}).get(kind)
    return field.form if field else None


def sensitive_of(attributes: Mapping[int, bytes]) -> frozenset[int]:
    """Return what of a session object is not shown: the value of a sensitive or unextractable key."""
    object_class = filled_class(attributes)

    if object_class not in {Cko.CKO_SECRET_KEY, Cko.CKO_PRIVATE_KEY}:
        return frozenset()

    if attributes[Cka.CKA_SENSITIVE] == _FALSE and attributes[Cka.CKA_EXTRACTABLE] != _FALSE:
        return frozenset()

    if object_class == Cko.CKO_SECRET_KEY:
        return frozenset({Cka.CKA_VALUE})

    return SENSITIVE_OF_KEYS[Ckk(int.from_bytes(attributes[Cka.CKA_KEY_TYPE], "little"))]


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
    known = {kind: {b"", own[kind]} for kind in _FROM_CERTIFICATE}
    # Java's SunPKCS11 gives the number's octets alone, and not their DER (v2.40, 4.6.3).
    known[Cka.CKA_SERIAL_NUMBER].add(Tlv.parse(own[Cka.CKA_SERIAL_NUMBER]).value)

    for kind, values in known.items():
        if attributes[kind] not in values:
            raise CryptokiError(Ckr.CKR_TEMPLATE_INCONSISTENT, f"{kind.name} is not the certificate's")

    said = {kind: value for kind, value in attributes.items() if value or kind not in own}
    return {**own, **said, **{kind: own[kind] for kind in known}}


def _public_key(attributes: dict[int, bytes]) -> dict[int, bytes]:
    key = from_attributes(attributes)
    bits = packed({Cka.CKA_MODULUS_BITS: key.bits}) if isinstance(key, RsaKey) else {}
    _require_info(attributes, key)
    return attributes | key.attributes() | bits


def _private_key(attributes: dict[int, bytes]) -> dict[int, bytes]:
    value = read_private_key(attributes)
    _require_info(attributes, value.public)
    return attributes | value.attributes()


def _require_info(attributes: Mapping[int, bytes], key: PublicNumbers) -> None:
    """See that CKA_PUBLIC_KEY_INFO, where it is told, is the key's."""
    if attributes[Cka.CKA_PUBLIC_KEY_INFO] not in {b"", key.info()}:
        raise CryptokiError(Ckr.CKR_TEMPLATE_INCONSISTENT, "CKA_PUBLIC_KEY_INFO is not the key's")


def _secret_key(attributes: dict[int, bytes]) -> dict[int, bytes]:
    kind = int.from_bytes(_needs(attributes, Cka.CKA_KEY_TYPE), "little")
    value = _needs(attributes, Cka.CKA_VALUE)
    lengths = SECRET_TYPES.get(Ckk(kind), set()) if kind in SECRET_TYPES else set()

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
    Cko.CKO_PRIVATE_KEY: _private_key,
    Cko.CKO_SECRET_KEY: _secret_key,
}
