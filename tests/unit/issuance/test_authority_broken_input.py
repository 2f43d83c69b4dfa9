"""What an authority says to requests that no library likes."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.entropy import SystemEntropy
from cardtwin.issuance.authority import (
    Authority,
    Contents,
    ForeignCertificateError,
    KeySizeRefusedError,
    MemoryRecords,
    NameRefusedError,
    PasswordRefusedError,
    RequestRefusedError,
    alternative_emails,
    new_key,
    pkcs12_file,
    read_request,
    subject_of,
)
from cardtwin.plan import Secret
from support.profiles import rsa_key

KEY = ec.generate_private_key(ec.SECP256R1())
AUTHORITY = Authority(MemoryRecords(), SystemEntropy(), lambda: datetime.now(UTC))


def test_ocsp_by_a_hash_that_nobody_knows_is_unauthorized() -> None:
    authority = Authority(MemoryRecords(), SystemEntropy(), lambda: datetime.now(UTC))
    asked = ocsp.OCSPRequestBuilder().add_certificate(authority.issuing, authority.root, SHA256()).build()
    known, unknown = bytes.fromhex("608648016503040201"), bytes.fromhex("608648016503040279")
    answer = authority.revocation.answer(asked.public_bytes(Encoding.DER).replace(known, unknown))
    assert ocsp.load_der_ocsp_response(answer).response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED


def test_a_request_of_a_version_that_there_is_not_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    built = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, SHA256())
    wrong = built.public_bytes(Encoding.DER).replace(b"\x02\x01\x00", b"\x02\x01\x05", 1)

    with pytest.raises(RequestRefusedError, match="broken"):
        read_request(wrong)


def test_ocsp_with_an_extension_twice_is_malformed() -> None:
    authority = Authority(MemoryRecords(), SystemEntropy(), lambda: datetime.now(UTC))
    builder = ocsp.OCSPRequestBuilder().add_certificate(authority.issuing, authority.root, SHA256())
    der = (
        builder.add_extension(x509.OCSPNonce(b"nonce one"), critical=False).build().public_bytes(Encoding.DER)
    )
    nonces: Any = asn1_ocsp.OCSPRequest.load(der)
    extensions = nonces["tbs_request"]["request_extensions"]
    extensions.append(extensions[0].copy())
    twice = nonces.dump(force=True)

    with pytest.raises(x509.DuplicateExtension):
        _ = ocsp.load_der_ocsp_request(twice).extensions

    answer = authority.revocation.answer(twice)
    assert ocsp.load_der_ocsp_response(answer).response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


@pytest.mark.parametrize(
    ("oid", "text", "rule"),
    [
        (x509.NameOID.COMMON_NAME, "", "1 to 64 characters"),
        (x509.NameOID.COMMON_NAME, "x" * 65, "1 to 64 characters"),
        (x509.NameOID.COMMON_NAME, "\ud800", "1 to 64 characters"),
        (x509.NameOID.SERIAL_NUMBER, "", "PrintableString"),
        (x509.NameOID.SERIAL_NUMBER, "4711_ä", "PrintableString"),
        (x509.NameOID.SERIAL_NUMBER, "4" * 65, "PrintableString"),
    ],
)
def test_a_text_that_no_certificate_has_is_told_with_the_rule(
    oid: x509.ObjectIdentifier, text: str, rule: str
) -> None:
    with pytest.raises(NameRefusedError, match=rule):
        subject_of([(oid, text)])


@given(st.text(max_size=70), st.sampled_from([x509.NameOID.COMMON_NAME, x509.NameOID.SERIAL_NUMBER]))
def test_a_subject_that_is_not_refused_can_be_certified(text: str, oid: x509.ObjectIdentifier) -> None:
    with suppress(NameRefusedError):
        contents = Contents(subject_of([(oid, text)]), KEY.public_key())
        certificate = AUTHORITY.certify(contents)
        assert certificate.subject.get_attributes_for_oid(oid)[0].value == text


@pytest.mark.parametrize("address", ["Jane <jane@example.com>", "jäne@example.com"])
def test_an_address_that_no_certificate_has_is_told_with_the_rule(address: str) -> None:
    with pytest.raises(NameRefusedError, match="local@domain in ASCII"):
        alternative_emails(address)


def test_a_ca_without_a_name_that_a_certificate_has_is_not_made() -> None:
    with pytest.raises(NameRefusedError, match="64 characters"):
        AUTHORITY.ca("x" * 65)


def test_a_chain_above_a_foreign_certificate_is_told_to_be_none() -> None:
    other = Authority(MemoryRecords(), SystemEntropy(), lambda: datetime.now(UTC), issuing="Foreign CA")
    subject = subject_of([(x509.NameOID.COMMON_NAME, "Jane")])

    with pytest.raises(ForeignCertificateError, match="no CA 'CN=Foreign CA' here"):
        AUTHORITY.chain(other.certify(Contents(subject, KEY.public_key())))


@pytest.mark.parametrize("bits", [-1, 0, 512, 1023, 8193, 1 << 40])
def test_a_key_of_a_size_that_is_not_made_is_told_with_the_rule(bits: int) -> None:
    with pytest.raises(KeySizeRefusedError, match="1024 to 8192 bits"):
        new_key(bits)


def test_a_password_that_is_no_text_is_refused_and_not_told() -> None:
    certificate = AUTHORITY.issuing

    with pytest.raises(PasswordRefusedError, match="UTF-8") as refused:
        pkcs12_file("name", certificate, rsa_key("archived"), Secret(b"abc\xff"))

    assert "abc" not in str(refused.value)

    with pytest.raises(NameRefusedError):
        pkcs12_file("\ud800", certificate, rsa_key("archived"), Secret(b"abc"))
