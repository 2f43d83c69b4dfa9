"""What an authority says to requests that no library likes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from cardtwin.entropy import SystemEntropy
from cardtwin.issuance.authority import Authority, MemoryRecords, RequestRefusedError, read_request


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
