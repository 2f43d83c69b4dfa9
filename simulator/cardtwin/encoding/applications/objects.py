"""Keys and certificates as objects of PKCS#11, put on a token; what fails takes back what it has begun."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from cardtwin.cryptoki.constants import Cka, Ckc, CkcCategory, Ckk, Cko
from cardtwin.cryptoki.keys.public import numbers_of
from cardtwin.cryptoki.values import Attribute
from cardtwin.encoding.errors import FunctionFailedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cryptography.hazmat.primitives.asymmetric import ec

    from cardtwin.encoding.applications.formats import Delivered, PrivateKey
    from cardtwin.encoding.applications.session import SlotSession

__all__ = ["identifier_of", "taking_back", "write_authorities", "write_certificate", "write_delivered"]


@contextmanager
def taking_back(session: SlotSession) -> Iterator[list[int]]:
    """Destroy the objects that the block has made and listed, if it fails."""
    made: list[int] = []

    try:
        yield made
    except BaseException:
        for handle in reversed(made):
            with suppress(FunctionFailedError):
                session.destroy(handle)

        raise


def write_delivered(session: SlotSession, delivered: Delivered, label: str, made: list[int]) -> None:
    """Write a key, where one came, and its certificate; what is made is added to `made`.

    A key that the token has already stays.
    """
    certificate = delivered.certificate
    identifier = identifier_of(session, certificate)

    if delivered.key is not None and not _has_key(session, identifier):
        made.append(session.create(_private_key(delivered.key, certificate, identifier, label)))

    write_certificate(session, certificate, label, made, identifier=identifier)


def write_certificate(
    session: SlotSession,
    certificate: x509.Certificate,
    label: str,
    made: list[int],
    *,
    identifier: bytes,
) -> None:
    """Write a certificate in place of what the token has under its identifier."""
    for handle in session.find(_of_class(Cko.CKO_CERTIFICATE), Attribute(Cka.CKA_ID, identifier)):
        session.destroy(handle)

    made.append(session.create(_certificate(certificate, identifier, label)))


def write_authorities(
    session: SlotSession, certificates: Sequence[x509.Certificate], made: list[int]
) -> None:
    """Write the certificates of authorities that the token doesn't have yet."""
    for certificate in certificates:
        der = certificate.public_bytes(Encoding.DER)

        if session.find(_of_class(Cko.CKO_CERTIFICATE), Attribute(Cka.CKA_VALUE, der)):
            continue

        identifier = x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest
        category = Attribute.of(
            Cka.CKA_CERTIFICATE_CATEGORY, int(CkcCategory.CK_CERTIFICATE_CATEGORY_AUTHORITY)
        )
        made.append(session.create((*_certificate(certificate, identifier, _name_of(certificate)), category)))


def identifier_of(session: SlotSession, certificate: x509.Certificate) -> bytes:
    """Return the CKA_ID of the key on the token that a certificate is for; else its public key's SHA-1."""
    numbers = numbers_of(certificate.public_key())

    if numbers is None:
        return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest

    info = numbers.info()

    for handle in session.find(_of_class(Cko.CKO_PRIVATE_KEY)):
        if session.read(handle, Cka.CKA_PUBLIC_KEY_INFO) == info:
            return session.read(handle, Cka.CKA_ID)

    return numbers.identifier


def _has_key(session: SlotSession, identifier: bytes) -> bool:
    return bool(session.find(_of_class(Cko.CKO_PRIVATE_KEY), Attribute(Cka.CKA_ID, identifier)))


def _of_class(kind: Cko) -> Attribute:
    return Attribute.of(Cka.CKA_CLASS, int(kind))


def _certificate(certificate: x509.Certificate, identifier: bytes, label: str) -> tuple[Attribute, ...]:
    return (
        _of_class(Cko.CKO_CERTIFICATE),
        Attribute.of(Cka.CKA_CERTIFICATE_TYPE, int(Ckc.CKC_X_509)),
        Attribute.of(Cka.CKA_TOKEN, value=True),
        Attribute.of(Cka.CKA_LABEL, label or _name_of(certificate)),
        Attribute(Cka.CKA_ID, identifier),
        Attribute(Cka.CKA_SUBJECT, certificate.subject.public_bytes()),
        Attribute(Cka.CKA_VALUE, certificate.public_bytes(Encoding.DER)),
    )


def _name_of(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()


def _private_key(
    key: PrivateKey, certificate: x509.Certificate, identifier: bytes, label: str
) -> tuple[Attribute, ...]:
    common = (
        _of_class(Cko.CKO_PRIVATE_KEY),
        Attribute.of(Cka.CKA_TOKEN, value=True),
        Attribute.of(Cka.CKA_PRIVATE, value=True),
        Attribute.of(Cka.CKA_SENSITIVE, value=True),
        Attribute.of(Cka.CKA_EXTRACTABLE, value=False),
        Attribute.of(Cka.CKA_LABEL, label or _name_of(certificate)),
        Attribute(Cka.CKA_ID, identifier),
        Attribute(Cka.CKA_SUBJECT, certificate.subject.public_bytes()),
    )
    value = _rsa_value(key) if isinstance(key, rsa.RSAPrivateKey) else _ec_value(key)
    return (*common, *value, *_uses(certificate, rsa_key=isinstance(key, rsa.RSAPrivateKey)))


def _uses(certificate: x509.Certificate, *, rsa_key: bool) -> tuple[Attribute, ...]:
    """Return what a key is for, as its certificate's key usage says; without one, all that it can do."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        signs = opens = agrees = True
    else:
        signs = usage.digital_signature or usage.content_commitment
        opens = usage.key_encipherment or usage.data_encipherment
        agrees = usage.key_agreement

    return (
        Attribute.of(Cka.CKA_SIGN, value=signs),
        Attribute.of(Cka.CKA_DECRYPT, value=opens and rsa_key),
        Attribute.of(Cka.CKA_DERIVE, value=agrees and not rsa_key),
    )


def _rsa_value(key: rsa.RSAPrivateKey) -> tuple[Attribute, ...]:
    numbers = key.private_numbers()
    values = {
        Cka.CKA_MODULUS: numbers.public_numbers.n,
        Cka.CKA_PUBLIC_EXPONENT: numbers.public_numbers.e,
        Cka.CKA_PRIVATE_EXPONENT: numbers.d,
        Cka.CKA_PRIME_1: numbers.p,
        Cka.CKA_PRIME_2: numbers.q,
        Cka.CKA_EXPONENT_1: numbers.dmp1,
        Cka.CKA_EXPONENT_2: numbers.dmq1,
        Cka.CKA_COEFFICIENT: numbers.iqmp,
    }
    kind = Attribute.of(Cka.CKA_KEY_TYPE, int(Ckk.CKK_RSA))
    return (kind, *(Attribute(name, _bytes(number)) for name, number in values.items()))


def _ec_value(key: ec.EllipticCurvePrivateKey) -> tuple[Attribute, ...]:
    numbers = numbers_of(key.public_key())
    assert numbers is not None, "what is delivered is looked at before"
    params = numbers.attributes()[Cka.CKA_EC_PARAMS]
    size = (key.key_size + 7) // 8
    return (
        Attribute.of(Cka.CKA_KEY_TYPE, int(Ckk.CKK_EC)),
        Attribute(Cka.CKA_EC_PARAMS, params),
        Attribute(Cka.CKA_VALUE, key.private_numbers().private_value.to_bytes(size)),
    )


def _bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)
