"""The objects of a token, from its PKCS#15 directories to PKCS#11's attributes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cardtwin import pkcs15
from cardtwin.cryptoki.constants import UNAVAILABLE_INFORMATION, Cka, Ckc, CkcCategory, Ckk, Ckm, Cko
from cardtwin.cryptoki.keys.public import EcKey, RsaKey, curve_of_size, numbers_of, read_public_key
from cardtwin.cryptoki.objects.model import CryptokiObject
from cardtwin.cryptoki.objects.oids import encoded
from cardtwin.cryptoki.values import Attribute
from cardtwin.iso7816 import Tlv, TlvFormatError
from cardtwin.middleware import CARD_ERASER, ENCRYPTED_PINS, ObjectClass
from cardtwin.pkcs15 import CommonFlags, KeyAccess, KeyUsage
from cardtwin.plan import persinfo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardtwin.cryptoki.keys.public import PublicNumbers
    from cardtwin.middleware import TokenObject

__all__ = ["SENSITIVE_OF_KEYS", "certificate_attributes", "objects_of", "packed", "read_certificate"]

SENSITIVE_OF_KEYS: Final[Mapping[Ckk, frozenset[int]]] = {
    Ckk.CKK_RSA: frozenset(
        {
            Cka.CKA_PRIVATE_EXPONENT,
            Cka.CKA_PRIME_1,
            Cka.CKA_PRIME_2,
            Cka.CKA_EXPONENT_1,
            Cka.CKA_EXPONENT_2,
            Cka.CKA_COEFFICIENT,
        }
    ),
    Ckk.CKK_EC: frozenset({Cka.CKA_VALUE}),
}
"""What of a private key never leaves the card, by key type."""

_KEY_TYPES: Final = {pkcs15.KeyAlgorithm.RSA: Ckk.CKK_RSA, pkcs15.KeyAlgorithm.EC: Ckk.CKK_EC}
_GENERATION: Final = {Ckk.CKK_RSA: Ckm.CKM_RSA_PKCS_KEY_PAIR_GEN, Ckk.CKK_EC: Ckm.CKM_EC_KEY_PAIR_GEN}
_SIGNS: Final = KeyUsage.SIGN | KeyUsage.NON_REPUDIATION


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the token shows, with the contents of its files and the public keys by identifier."""

    objects: Sequence[tuple[TokenObject, bytes]]
    certificates: Mapping[bytes, x509.Certificate]
    keys: Mapping[bytes, PublicNumbers]
    application: tuple[int, ...]


def objects_of(
    objects: Sequence[tuple[TokenObject, bytes]], application: tuple[int, ...]
) -> tuple[CryptokiObject, ...]:
    """Return the objects that a token shows.

    A place for a certificate in which there is none is no object.

    Args:
        objects: The token's objects with the contents of their files, empty where there is none.
        application: The path of the PKCS#15 application's DF.
    """
    seen = _Seen(objects, *_public_halves(objects), application)
    shown: dict[object, CryptokiObject] = {}

    for place, (found, content) in enumerate(objects):
        attributes = _ATTRIBUTES[found.object_class](seen, found, content)

        if attributes is not None:
            thing = _object(seen, found, attributes)
            shown[thing.identity if thing.identity not in shown else (thing.identity, place)] = thing

    return tuple(shown.values())


def _object(seen: _Seen, found: TokenObject, attributes: dict[int, bytes]) -> CryptokiObject:
    entry = found.entry
    identifier = getattr(entry, "id", b"")
    is_key = isinstance(entry, pkcs15.PrivateKey)
    return CryptokiObject(
        attributes=_common(found) | attributes,
        sensitive=SENSITIVE_OF_KEYS[_KEY_TYPES[entry.algorithm]]
        if isinstance(entry, pkcs15.PrivateKey)
        else frozenset(),
        identity=(found.object_class, identifier, found.label, found.path, getattr(entry, "reference", None)),
        stored=found,
        public=seen.keys.get(identifier) if is_key or isinstance(entry, pkcs15.PublicKey) else None,
        place=(found.path or seen.application) if is_key else (),
        key_bits=entry.size if isinstance(entry, pkcs15.PrivateKey | pkcs15.PublicKey) else None,
    )


def _public_halves(
    objects: Sequence[tuple[TokenObject, bytes]],
) -> tuple[dict[bytes, x509.Certificate], dict[bytes, PublicNumbers]]:
    certificates: dict[bytes, x509.Certificate] = {}
    keys: dict[bytes, PublicNumbers] = {}

    for found, content in objects:
        if isinstance(found.entry, pkcs15.Certificate) and (certificate := read_certificate(content)):
            certificates.setdefault(found.entry.id, certificate)

    certified = ((identifier, key_of(certificate)) for identifier, certificate in certificates.items())

    for identifier, key in chain(_listed(objects), certified, _halves(objects), _beside_pins(objects)):
        if key is not None:
            keys.setdefault(identifier, key)

    return certificates, keys


_Keys = Iterator[tuple[bytes, "PublicNumbers | None"]]


def _listed(objects: Sequence[tuple[TokenObject, bytes]]) -> _Keys:
    for found, content in objects:
        if isinstance(entry := found.entry, pkcs15.PublicKey):
            yield entry.id, read_public_key(_value(entry, content), entry.size)


def _halves(objects: Sequence[tuple[TokenObject, bytes]]) -> _Keys:
    for found, content in objects:
        if isinstance(entry := found.entry, pkcs15.PrivateKey):
            yield entry.id, read_public_key(content, entry.size)


def _beside_pins(objects: Sequence[tuple[TokenObject, bytes]]) -> _Keys:
    """Yield the key that stands beside the encrypted PINs, where its certificate will be written later."""
    for found, content in objects:
        if found.label == ENCRYPTED_PINS and isinstance(found.entry, pkcs15.Certificate):
            yield found.entry.id, _only_key(content)


def _only_key(content: bytes) -> PublicNumbers | None:
    if not persinfo.recognises(content):
        return None

    keys = persinfo.parse(content).public_keys
    return read_public_key(keys[0][1]) if len(keys) == 1 else None


def _value(entry: pkcs15.PublicKey, content: bytes) -> bytes:
    return entry.path if isinstance(entry.path, bytes) else content


def first_element(content: bytes) -> bytes:
    """Return the first DER element of a file, without what fills it up; empty where there is none."""
    try:
        _, end = next(Tlv.walk(content, padding=True))
    except (TlvFormatError, StopIteration):
        return b""

    return content[:end]


def read_certificate(content: bytes) -> x509.Certificate | None:
    """Return the certificate at the beginning of a file; None where there is none."""
    try:
        return x509.load_der_x509_certificate(first_element(content))
    except ValueError:
        return None


def key_of(certificate: x509.Certificate) -> PublicNumbers | None:
    """Return a certificate's public key; None where it is of no kind that is known here."""
    try:
        return numbers_of(certificate.public_key())
    except (ValueError, UnsupportedAlgorithm):
        return None


def _common(found: TokenObject) -> dict[int, bytes]:
    entry = found.entry
    flags = getattr(entry, "common", CommonFlags(0))
    return packed(
        {
            Cka.CKA_TOKEN: True,
            Cka.CKA_PRIVATE: found.private,
            Cka.CKA_LABEL: found.label,
            Cka.CKA_MODIFIABLE: CommonFlags.MODIFIABLE in flags,
            Cka.CKA_COPYABLE: entry is not None and not isinstance(entry, pkcs15.PrivateKey),
            Cka.CKA_DESTROYABLE: _destroyable(found),
        }
    )


def _destroyable(found: TokenObject) -> bool:
    """Whether C_DestroyObject does something.

    It does with the Card Eraser, with what programs have made (it is modifiable), and with certificates that
    have a file of their own. What else the profile has made stays.
    """
    if found.entry is None:
        return found.label == CARD_ERASER

    path = found.entry.path if isinstance(found.entry, pkcs15.Certificate) else None
    in_own_file = isinstance(path, pkcs15.Path) and path.index is None
    modifiable = CommonFlags.MODIFIABLE in getattr(found.entry, "common", CommonFlags(0))
    return (in_own_file or modifiable) and found.label != ENCRYPTED_PINS


def packed(values: Mapping[Cka, bool | int | str | bytes]) -> dict[int, bytes]:
    """Return values as the bytes of attributes."""
    return {kind: Attribute.of(kind, value).value for kind, value in values.items()}


def _data(_seen: _Seen, found: TokenObject, content: bytes) -> dict[int, bytes] | None:
    entry = found.entry
    named = entry if isinstance(entry, pkcs15.DataObject) else None
    identifier = encoded(named.oid) if named and named.oid else b""
    return packed(
        {
            Cka.CKA_CLASS: int(Cko.CKO_DATA),
            Cka.CKA_APPLICATION: (named.application or "") if named else "",
            Cka.CKA_OBJECT_ID: identifier,
            Cka.CKA_VALUE: content if found.label != ENCRYPTED_PINS else first_element(content),
        }
    )


def _x509(seen: _Seen, found: TokenObject, content: bytes) -> dict[int, bytes] | None:
    entry, certificate = found.entry, read_certificate(content)

    if not isinstance(entry, pkcs15.Certificate) or certificate is None:
        return None

    category = CkcCategory.CK_CERTIFICATE_CATEGORY_UNSPECIFIED

    if entry.authority:
        category = CkcCategory.CK_CERTIFICATE_CATEGORY_AUTHORITY
    elif any(
        isinstance(other.entry, pkcs15.PrivateKey) and other.entry.id == entry.id for other, _ in seen.objects
    ):
        category = CkcCategory.CK_CERTIFICATE_CATEGORY_TOKEN_USER

    return certificate_attributes(first_element(content), certificate) | packed(
        {
            Cka.CKA_ID: entry.id,
            Cka.CKA_TRUSTED: False,
            Cka.CKA_CERTIFICATE_CATEGORY: int(category),
        }
    )


def certificate_attributes(der: bytes, certificate: x509.Certificate) -> dict[int, bytes]:
    """Return what of a certificate object follows from the certificate itself."""
    serial = certificate.serial_number
    length = serial.bit_length() // 8 + 1
    return packed(
        {
            Cka.CKA_CLASS: int(Cko.CKO_CERTIFICATE),
            Cka.CKA_CERTIFICATE_TYPE: int(Ckc.CKC_X_509),
            Cka.CKA_SUBJECT: certificate.subject.public_bytes(),
            Cka.CKA_ISSUER: certificate.issuer.public_bytes(),
            Cka.CKA_SERIAL_NUMBER: Tlv(0x02, serial.to_bytes(length, signed=True)).encode(),
            Cka.CKA_START_DATE: certificate.not_valid_before_utc.strftime("%Y%m%d"),
            Cka.CKA_END_DATE: certificate.not_valid_after_utc.strftime("%Y%m%d"),
            Cka.CKA_VALUE: der,
            Cka.CKA_PUBLIC_KEY_INFO: _key_info(certificate),
            Cka.CKA_URL: "",
            Cka.CKA_HASH_OF_SUBJECT_PUBLIC_KEY: b"",
            Cka.CKA_HASH_OF_ISSUER_PUBLIC_KEY: b"",
            Cka.CKA_JAVA_MIDP_SECURITY_DOMAIN: 0,
        }
    )


def _key_info(certificate: x509.Certificate) -> bytes:
    """Return a certificate's SubjectPublicKeyInfo; empty where its key is of a kind that nobody knows."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return b""

    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _public(seen: _Seen, found: TokenObject, _content: bytes) -> dict[int, bytes] | None:
    entry = found.entry

    if not isinstance(entry, pkcs15.PublicKey) or entry.id not in seen.keys:
        return None

    usage, key = entry.usage, seen.keys[entry.id]
    bits = {Cka.CKA_MODULUS_BITS: key.bits} if isinstance(key, RsaKey) else {}
    return (
        _key(seen, entry, Cko.CKO_PUBLIC_KEY)
        | key.attributes()
        | packed(
            {
                Cka.CKA_ENCRYPT: KeyUsage.ENCRYPT in usage,
                Cka.CKA_VERIFY: KeyUsage.VERIFY in usage,
                Cka.CKA_VERIFY_RECOVER: KeyUsage.VERIFY_RECOVER in usage,
                Cka.CKA_WRAP: KeyUsage.WRAP in usage,
                Cka.CKA_DERIVE: KeyUsage.DERIVE in usage,
                Cka.CKA_TRUSTED: False,
                **bits,
            }
        )
    )


def _private(seen: _Seen, found: TokenObject, _content: bytes) -> dict[int, bytes] | None:
    entry = found.entry
    assert isinstance(entry, pkcs15.PrivateKey)
    usage, access = entry.usage, entry.access or KeyAccess.SENSITIVE
    return (
        _key(seen, entry, Cko.CKO_PRIVATE_KEY)
        | _public_of(seen.keys.get(entry.id), entry)
        | packed(
            {
                Cka.CKA_SENSITIVE: True,
                Cka.CKA_EXTRACTABLE: False,
                Cka.CKA_ALWAYS_SENSITIVE: KeyAccess.ALWAYS_SENSITIVE in access,
                Cka.CKA_NEVER_EXTRACTABLE: KeyAccess.NEVER_EXTRACTABLE in access,
                Cka.CKA_DECRYPT: KeyUsage.DECRYPT in usage,
                Cka.CKA_SIGN: bool(_SIGNS & usage),
                Cka.CKA_SIGN_RECOVER: KeyUsage.SIGN_RECOVER in usage,
                Cka.CKA_UNWRAP: KeyUsage.UNWRAP in usage,
                Cka.CKA_DERIVE: KeyUsage.DERIVE in usage,
                Cka.CKA_WRAP_WITH_TRUSTED: False,
                Cka.CKA_ALWAYS_AUTHENTICATE: bool(entry.user_consent),
            }
        )
    )


def _public_of(key: PublicNumbers | None, entry: pkcs15.PrivateKey) -> dict[int, bytes]:
    """Return what a private key shows of its public half; what nobody knows yet is empty."""
    if isinstance(key, RsaKey):
        return key.attributes()

    if isinstance(key, EcKey):
        return {Cka.CKA_EC_PARAMS: key.params, Cka.CKA_PUBLIC_KEY_INFO: key.info()}

    if entry.algorithm is pkcs15.KeyAlgorithm.EC:
        return {Cka.CKA_EC_PARAMS: curve_of_size(entry.size) or b"", Cka.CKA_PUBLIC_KEY_INFO: b""}

    return {Cka.CKA_MODULUS: b"", Cka.CKA_PUBLIC_EXPONENT: b"", Cka.CKA_PUBLIC_KEY_INFO: b""}


def _key(seen: _Seen, entry: pkcs15.PrivateKey | pkcs15.PublicKey, kind: Cko) -> dict[int, bytes]:
    certificate = seen.certificates.get(entry.id)
    local = KeyAccess.LOCAL in (entry.access or KeyAccess(0))
    key_type = _KEY_TYPES[entry.algorithm]
    return packed(
        {
            Cka.CKA_CLASS: int(kind),
            Cka.CKA_KEY_TYPE: int(key_type),
            Cka.CKA_ID: entry.id,
            Cka.CKA_SUBJECT: entry.subject or (certificate.subject.public_bytes() if certificate else b""),
            Cka.CKA_START_DATE: "",
            Cka.CKA_END_DATE: "",
            Cka.CKA_LOCAL: local,
            Cka.CKA_KEY_GEN_MECHANISM: int(_GENERATION[key_type]) if local else UNAVAILABLE_INFORMATION,
        }
    )


_ATTRIBUTES: Final = {
    ObjectClass.DATA: _data,
    ObjectClass.CERTIFICATE: _x509,
    ObjectClass.PUBLIC_KEY: _public,
    ObjectClass.PRIVATE_KEY: _private,
}


def by_pin(objects: Sequence[CryptokiObject], pin_id: bytes) -> Iterator[CryptokiObject]:
    """Yield the keys that a PIN guards, and what shares their identifiers."""
    ids = ids_by_pin(objects, pin_id)
    yield from (thing for thing in objects if getattr(thing.stored and thing.stored.entry, "id", None) in ids)


def ids_by_pin(objects: Sequence[CryptokiObject], pin_id: bytes) -> frozenset[bytes]:
    """Return the identifiers of the keys that a PIN guards."""
    entries = (thing.stored.entry for thing in objects if thing.stored)
    return frozenset(
        entry.id for entry in entries if isinstance(entry, pkcs15.PrivateKey) and entry.auth_id == pin_id
    )
