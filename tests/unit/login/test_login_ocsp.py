"""What the responder answers, answer by answer."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from cardtwin.login.ocsp import OcspError, ask, is_revoked
from support.access import CURVE_KEY, World
from support.authorities import company

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec


def answer(
    world: World,
    certificate: x509.Certificate,
    nonce: bytes | None,
    *,
    responder: x509.Certificate | None = None,
    signer: ec.EllipticCurvePrivateKey | None = None,
    delegate: x509.Certificate | None = None,
    age: timedelta = timedelta(0),
    until: timedelta | None = timedelta(days=1),
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    others: tuple[x509.Certificate, ...] = (),
) -> bytes:
    issuing = world.company.issuing
    this = world.now - age
    end = None if until is None else this + until
    builder = ocsp.OCSPResponseBuilder().add_response(
        certificate, issuing, SHA256(), status, this, end, None, None
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, delegate or responder or issuing)

    if delegate is not None:
        builder = builder.certificates([*others, delegate])

    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)

    return builder.sign(signer or world.company.ca().key, SHA256()).public_bytes(Encoding.DER)


def judged(world: World, **options: object) -> bool:
    certificate = world.certify()
    question = ask(certificate, world.company.issuing, b"n" * 32)
    nonce = options.pop("nonce", b"n" * 32)
    other = options.pop("certificate", certificate)
    return is_revoked(question, answer(world, other, nonce, **options), world.now)  # type: ignore[arg-type]


def delegate(
    world: World, *purposes: ObjectIdentifier, signer: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "responder")])
    start = world.now - timedelta(days=1)
    key = CURVE_KEY.public_key()
    builder = x509.CertificateBuilder(
        world.company.issuing.subject, name, key, 5, start, start + timedelta(days=9)
    )

    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)

    return builder.sign(signer, SHA256())


def test_a_good_answer_says_that_nothing_is_revoked(world: World) -> None:
    assert not judged(world)


def test_a_delegate_of_the_issuer_may_answer(world: World) -> None:
    responder = delegate(world, ExtendedKeyUsageOID.OCSP_SIGNING, signer=world.company.ca().key)
    assert not judged(world, delegate=responder, signer=CURVE_KEY)


def test_an_answer_without_an_end_is_believed_for_its_nonce(world: World) -> None:
    assert not judged(world, until=None)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"nonce": b"m" * 32}, "another request"),
        ({"age": timedelta(days=2)}, "not of this time"),
        ({"age": timedelta(minutes=-6)}, "not of this time"),
        ({"until": None, "nonce": None}, "neither an end nor"),
        ({"status": ocsp.OCSPCertStatus.UNKNOWN}, "does not know"),
    ],
    ids=["nonce", "old", "of the future", "endless", "unknown"],
)
def test_an_answer_that_cannot_be_believed_tells_nothing(
    world: World, options: dict[str, object], why: str
) -> None:
    with pytest.raises(OcspError, match=why):
        judged(world, **options)


def test_an_answer_signed_by_somebody_else_tells_nothing(world: World) -> None:
    other = company(world, "another")

    with pytest.raises(OcspError, match="nobody who may"):
        judged(world, responder=other.issuing, signer=other.ca().key)


def test_an_answer_about_another_certificate_tells_nothing(world: World) -> None:
    with pytest.raises(OcspError, match="another certificate"):
        judged(world, certificate=world.certify())


def test_other_certificates_in_an_answer_do_not_hide_the_delegates(world: World) -> None:
    responder = delegate(world, ExtendedKeyUsageOID.OCSP_SIGNING, signer=world.company.ca().key)
    without = delegate(world, signer=world.company.ca().key)
    stranger = delegate(world, ExtendedKeyUsageOID.OCSP_SIGNING, signer=CURVE_KEY)
    others = (world.company.root, without, stranger)
    assert not judged(world, delegate=responder, signer=CURVE_KEY, others=others)


def test_an_answer_with_an_extension_twice_tells_nothing(world: World) -> None:
    certificate = world.certify()
    question = ask(certificate, world.company.issuing, b"n" * 32)
    answered: Any = asn1_ocsp.OCSPResponse.load(answer(world, certificate, b"n" * 32))
    basic = answered["response_bytes"]["response"].parsed
    extensions = basic["tbs_response_data"]["response_extensions"]
    extensions.append(extensions[0].copy())
    answered["response_bytes"]["response"] = asn1_ocsp.BasicOCSPResponse.load(basic.dump(force=True))

    with pytest.raises(OcspError, match="broken"):
        is_revoked(question, answered.dump(force=True), world.now)


@pytest.mark.parametrize("purposes", [(), (ExtendedKeyUsageOID.CLIENT_AUTH,)], ids=["none", "another"])
def test_a_delegate_without_the_purpose_may_not_answer(
    world: World, purposes: tuple[ObjectIdentifier, ...]
) -> None:
    responder = delegate(world, *purposes, signer=world.company.ca().key)

    with pytest.raises(OcspError):
        judged(world, delegate=responder, signer=CURVE_KEY)


def test_a_delegate_of_nobody_may_not_answer(world: World) -> None:
    responder = delegate(world, ExtendedKeyUsageOID.OCSP_SIGNING, signer=CURVE_KEY)

    with pytest.raises(OcspError):
        judged(world, delegate=responder, signer=CURVE_KEY)


@pytest.mark.parametrize(
    ("sent", "why"),
    [(b"", "broken"), (b"\x30\x03\x0a\x01\x03", "the responder says TRY_LATER"), (b"no answer", "broken")],
)
def test_what_is_no_answer_tells_nothing(world: World, sent: bytes, why: str) -> None:
    question = ask(world.certify(), world.company.issuing, b"n" * 32)

    with pytest.raises(OcspError, match=why):
        is_revoked(question, sent, world.now)
