"""P10: a key pair on the card, a PKCS#10 request signed by it, and the certificate that is issued."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from cardtwin.cryptoki.constants import Cka, Ckk, Ckm, Cko
from cardtwin.cryptoki.keys.public import numbers_of
from cardtwin.cryptoki.values import Attribute, Mechanism
from cardtwin.encoding.applications.formats import encode
from cardtwin.encoding.applications.objects import taking_back, write_certificate
from cardtwin.encoding.applications.registry import ApplicationRun, part
from cardtwin.encoding.errors import ApplicationError, AuthorityError
from cardtwin.encoding.values import FieldRef, Terms
from cardtwin.iso7816 import Tlv

if TYPE_CHECKING:
    from cardtwin.encoding.applications.session import SlotSession
    from cardtwin.encoding.description import Application

__all__ = ["DEFAULT_KEY_SIZE", "is_request"]

DEFAULT_KEY_SIZE: Final = 2048
"""The modulus of a new key in bits where KeySize doesn't say it (rule ``encoding.p10``)."""

_EXPONENT: Final = bytes.fromhex("010001")
_SHA256_RSA: Final = bytes.fromhex("300D06092A864886F70D01010B0500")
_SHA256_ECDSA: Final = bytes.fromhex("300A06082A8648CE3D040302")
_TAKEN: Final = ("KeyArchivalRequest", "WriteP12Data", "WriteCertificate", "WriteCertKeyList")
"""Flags of applications that get their certificates otherwise."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """A key pair on the token.

    Attributes:
        private: The handle of the private key.
        identifier: CKA_ID.
        info: SubjectPublicKeyInfo in DER.
        label: The key's label.
    """

    private: int
    identifier: bytes
    info: bytes
    label: str


def is_request(application: Application) -> bool:
    """Whether an application has a certificate issued for a key on the card: CertTempl, and no other way."""
    settings = application.settings
    return settings.get("CertTempl") is not None and not any(settings.flag(name) for name in _TAKEN)


@part("P10", is_request)
def _request(run: ApplicationRun) -> None:
    authority = run.run.server.authority

    if authority is None:
        raise AuthorityError("no certificate authority is there to issue a certificate")

    session = run.session

    with taking_back(session) as made:
        pair = _pair(run, session, made)
        request = _signed(session, pair, _subject(run))
        issued = authority.issue(request, run.text("CertTempl"), run.serial)
        certificate = _checked(issued, pair)
        write_certificate(session, certificate, pair.label, made, identifier=pair.identifier)

    setting = run.setting("Certificate")

    if setting is not None and isinstance(setting.value, FieldRef):
        run.run.fields[setting.value.name] = encode(issued)


def _pair(run: ApplicationRun, session: SlotSession, made: list[int]) -> _Pair:
    """Return the pair that ObjectCriteria names; a new one where there are none, or KeySize says its size."""
    setting = run.setting("ObjectCriteria")
    terms = setting.value if setting is not None and isinstance(setting.value, Terms) else None
    size = int(run.text("KeySize") or 0)
    found = [] if terms is None else session.find(*criteria(terms))

    if len({session.read(handle, Cka.CKA_ID) for handle in found}) > 1:
        raise ApplicationError(
            f"[Application_{run.application.name}]: {len(found)} objects meet ObjectCriteria"
        )

    if found:
        return _existing(run, session, session.read(found[0], Cka.CKA_ID), size)

    if terms is not None and not size:
        raise ApplicationError(f"[Application_{run.application.name}]: no object meets ObjectCriteria")

    return _generated(run, session, size or DEFAULT_KEY_SIZE, made)


def criteria(terms: Terms) -> list[Attribute]:
    """Return the attributes that ObjectCriteria asks for."""
    values = [Attribute.of(Cka[each.attribute], each.value) for each in terms.criteria]
    return [Attribute.of(Cka.CKA_CLASS, int(Cko[terms.subject])), *values]


def _existing(run: ApplicationRun, session: SlotSession, identifier: bytes, size: int) -> _Pair:
    of_class = Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_PRIVATE_KEY))
    keys = session.find(of_class, Attribute(Cka.CKA_ID, identifier))

    if not keys:
        raise ApplicationError(f"[Application_{run.application.name}]: the token has no such private key")

    modulus = session.read(keys[0], Cka.CKA_MODULUS)

    if size and int.from_bytes(modulus).bit_length() != size:
        raise ApplicationError(f"[Application_{run.application.name}]: the key has not {size} bits")

    return _pair_of(run, session, keys[0])


def _pair_of(run: ApplicationRun, session: SlotSession, private: int) -> _Pair:
    label = session.read(private, Cka.CKA_LABEL).decode()
    info = session.read(private, Cka.CKA_PUBLIC_KEY_INFO)

    if not info:
        raise ApplicationError(
            f"[Application_{run.application.name}]: the token tells no public half of the key {label!r}"
        )

    return _Pair(private, session.read(private, Cka.CKA_ID), info, label)


def _generated(run: ApplicationRun, session: SlotSession, size: int, made: list[int]) -> _Pair:
    setting = run.setting("ObjectCriteria")
    wanted = setting.value.criteria if setting is not None and isinstance(setting.value, Terms) else ()
    label = next((each.value for each in wanted if each.attribute == "CKA_LABEL"), run.text("CertTempl"))
    common = (Attribute.of(Cka.CKA_TOKEN, value=True), Attribute.of(Cka.CKA_LABEL, label))
    public, private = session.generate(
        Mechanism(Ckm.CKM_RSA_PKCS_KEY_PAIR_GEN),
        (
            *common,
            Attribute.of(Cka.CKA_MODULUS_BITS, size),
            Attribute(Cka.CKA_PUBLIC_EXPONENT, _EXPONENT),
            Attribute.of(Cka.CKA_VERIFY, value=True),
        ),
        (
            *common,
            Attribute.of(Cka.CKA_PRIVATE, value=True),
            Attribute.of(Cka.CKA_SENSITIVE, value=True),
            Attribute.of(Cka.CKA_SIGN, value=True),
            Attribute.of(Cka.CKA_DECRYPT, value=session.decrypts),
        ),
    )
    made += [public, private]
    return _pair_of(run, session, private)


def _subject(run: ApplicationRun) -> x509.Name:
    """Return the request's subject: template and card serial number (rule ``encoding.p10``)."""
    names = [x509.NameAttribute(x509.NameOID.COMMON_NAME, run.text("CertTempl")[:64])]

    if run.serial:
        names.append(x509.NameAttribute(x509.NameOID.SERIAL_NUMBER, run.serial))

    return x509.Name(names)


def _signed(session: SlotSession, pair: _Pair, subject: x509.Name) -> bytes:
    """Return a CertificationRequest (RFC 2986) in DER."""
    version, attributes = Tlv(0x02, b"\0").encode(), Tlv(0xA0).encode()
    info = Tlv(0x30, version + subject.public_bytes() + pair.info + attributes).encode()
    kind = int.from_bytes(session.read(pair.private, Cka.CKA_KEY_TYPE), "little")

    if kind == Ckk.CKK_RSA:
        algorithm = _SHA256_RSA
        signature = session.sign(Mechanism(Ckm.CKM_SHA256_RSA_PKCS), pair.private, info)
    else:
        algorithm = _SHA256_ECDSA
        raw = session.sign(Mechanism(Ckm.CKM_ECDSA), pair.private, hashlib.sha256(info).digest())
        signature = _der(raw)

    return Tlv(0x30, info + algorithm + Tlv(0x03, b"\0" + signature).encode()).encode()


def _der(signature: bytes) -> bytes:
    half = len(signature) // 2
    return encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))


def _checked(der: bytes, pair: _Pair) -> x509.Certificate:
    """Return the certificate that was issued, which has to be the key's."""
    try:
        certificate = x509.load_der_x509_certificate(der)
    except ValueError:
        raise AuthorityError("what the certificate authority has issued is no certificate") from None

    numbers = numbers_of(certificate.public_key())

    if numbers is None or numbers.info() != pair.info:
        raise AuthorityError("the certificate that was issued is for another key")

    return certificate
