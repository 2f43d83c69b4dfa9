"""What Certificate Manager makes, judged by OpenSSL: chains, lists, answers, PKCS #12, signatures."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cardtwin.entropy import SystemEntropy
from cardtwin.issuance.manager import KeyUsage, Store
from support.interop import TIMEOUT, program
from support.managers import PASSPHRASE, Office, procedure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cardtwin.issuance.manager import IssuedToken

SIGN = frozenset({KeyUsage.DIGITAL_SIGNATURE})


@dataclass
class Desk:
    """An office whose clock is OpenSSL's, a token that it has issued, and a folder with its files."""

    office: Office
    token: IssuedToken
    folder: Path

    def put(self, name: str, content: bytes) -> str:
        (self.folder / name).write_bytes(content)
        return str(self.folder / name)

    def pem(self, name: str, *certificates: x509.Certificate) -> str:
        return self.put(name, b"".join(found.public_bytes(Encoding.PEM) for found in certificates))

    def openssl(self, *arguments: str, good: bool = True) -> str:
        command = (program("openssl"), *arguments)
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False)
        output = (done.stdout + done.stderr).decode()
        assert (done.returncode == 0) is good, output
        return output


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Store(tmp_path / "state", PASSPHRASE, SystemEntropy()) as store:
        office = Office(store)
        office.now = datetime.now(UTC)
        office.enrol()
        office.put_in_effect()
        yield Desk(office, office.issue(SIGN), tmp_path)


def test_openssl_verifies_the_chain_and_finds_the_revoked_one_in_the_list(desk: Desk) -> None:
    first, second = (found.certificate for found in desk.token.certificates)
    issuing, root = desk.token.issuers
    trusted, above = desk.pem("root.pem", root), desk.pem("issuing.pem", issuing)
    leaf, other = desk.pem("first.pem", first), desk.pem("second.pem", second)
    revocation = desk.office.manager.revocation
    revocation.revoke(first, x509.ReasonFlags.key_compromise)
    lists = [
        x509.load_der_x509_crl(revocation.crl(name)).public_bytes(Encoding.PEM)
        for name in ("Issuing CA", "Root CA")
    ]
    crl = desk.put("lists.pem", b"".join(lists))
    checked = ("verify", "-x509_strict", "-CAfile", trusted, "-untrusted", above)
    assert desk.openssl(*checked, leaf, other).count("OK") == 2
    listed = (*checked, "-crl_check_all", "-CRLfile", crl)
    assert "certificate revoked" in desk.openssl(*listed, leaf, good=False)
    desk.openssl(*listed, other)
    assert "verify OK" in desk.openssl("crl", "-in", crl, "-noout", "-CAfile", above)
    assert "Key Compromise" in desk.openssl("crl", "-in", crl, "-noout", "-text")


def test_openssl_is_answered_about_good_revoked_and_unknown_certificates(desk: Desk) -> None:
    first, second = (found.certificate for found in desk.token.certificates)
    issuing, root = desk.token.issuers
    trusted, above = desk.pem("root.pem", root), desk.pem("issuing.pem", issuing)
    desk.office.manager.revocation.revoke(first, x509.ReasonFlags.superseded)
    serials = {f"{first.serial_number}": "revoked", f"{second.serial_number}": "good", "4711": "unknown"}

    for serial, status in serials.items():
        for digest in ("-sha1", "-sha256"):
            asked = str(desk.folder / "asked")
            about = ("-issuer", above, digest, "-serial", serial)
            desk.openssl("ocsp", *about, "-reqout", asked)
            answer = desk.office.manager.revocation.answer((desk.folder / "asked").read_bytes())
            answered = desk.put("answered", answer)
            trust = ("-CAfile", trusted, "-verify_other", above)
            told = desk.openssl("ocsp", "-reqin", asked, "-respin", answered, *trust)
            assert "Response verify OK" in told
            assert "nonce" not in told.lower()
            assert f"{serial}: {status}" in desk.openssl(
                "ocsp", *about, "-no_nonce", "-respin", answered, *trust
            )


def test_openssl_opens_the_archived_key_with_the_password_and_not_without(desk: Desk) -> None:
    (content,) = desk.token.archived
    file = desk.put("archived.p12", content)
    word = PASSPHRASE.reveal().decode()
    told = desk.openssl("pkcs12", "-in", file, "-passin", f"pass:{word}", "-nodes")
    assert "PRIVATE KEY" in told
    assert "CN = Jane" in told or "CN=Jane" in told
    desk.openssl("pkcs12", "-in", file, "-passin", "pass:another", "-nodes", good=False)


@pytest.mark.parametrize("officer", ["anna", "ben"])
def test_openssl_verifies_an_officer_s_signature(desk: Desk, officer: str) -> None:
    issuing, root = desk.token.issuers
    request = desk.office.manager.workbench.save(procedure())
    message = desk.put("signature.p7s", desk.office.signature(request, officer))
    trust = ("-CAfile", desk.pem("cas.pem", root, issuing))
    content = desk.folder / "content"
    desk.openssl(
        "cms", "-verify", "-inform", "DER", "-in", message, *trust, "-purpose", "any", "-out", str(content)
    )
    assert content.read_bytes() == request.content


def test_openssl_reads_the_attribute_certificate_s_structure(desk: Desk) -> None:
    (encoded,) = desk.token.attributes
    told = desk.openssl("asn1parse", "-inform", "DER", "-in", desk.put("attribute.ac", encoded))
    assert ":role" in told
    assert "ecdsa-with-SHA256" in told
