"""The certificate authority judged by OpenSSL: requests that it has made, and what is issued for them."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from cardtwin.entropy import SystemEntropy
from cardtwin.issuance.authority import (
    Authority,
    Contents,
    KeyArchive,
    KeyUsage,
    MemoryRecords,
    RequestRefusedError,
    pkcs12_file,
    read_request,
)
from cardtwin.issuance.manager import Store
from cardtwin.issuance.manager.records import StoredRecords
from support.interop import TIMEOUT, program
from support.managers import PASSPHRASE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cardtwin.issuance.authority import Records

ENCIPHERS = frozenset({KeyUsage.KEY_ENCIPHERMENT})


@dataclass
class Desk:
    """An authority whose clock is OpenSSL's, and a folder."""

    records: Records
    folder: Path

    def __post_init__(self) -> None:
        self.authority = Authority(self.records, SystemEntropy(), lambda: datetime.now(UTC))

    def openssl(self, *arguments: str, good: bool | None = True) -> str:
        command = (program("openssl"), *arguments)
        done = subprocess.run(command, cwd=self.folder, capture_output=True, timeout=TIMEOUT, check=False)
        output = (done.stdout + done.stderr).decode()
        assert good is None or (done.returncode == 0) is good, output
        return output

    def pem(self, name: str, *certificates: x509.Certificate) -> None:
        (self.folder / name).write_bytes(b"".join(found.public_bytes(Encoding.PEM) for found in certificates))

    def request(self, kind: str, usage: str) -> bytes:
        """Let OpenSSL make a key and a request."""
        key = {"rsa": ("rsa:2048",), "curve": ("ec", "-pkeyopt", "ec_paramgen_curve:P-384")}[kind]
        made = ("-keyout", "key.pem", "-nodes", "-outform", "DER", "-out", "request.der")
        extension = ("-addext", f"keyUsage=critical,{usage}")
        self.openssl("req", "-new", "-newkey", *key, *made, "-subj", "/CN=Jane", *extension)
        return (self.folder / "request.der").read_bytes()


@pytest.fixture(params=["in memory", "in a file"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    if request.param == "in memory":
        yield Desk(MemoryRecords(), tmp_path)
        return

    with Store(tmp_path / "state", PASSPHRASE, SystemEntropy()) as store:
        yield Desk(StoredRecords(store), tmp_path)


@pytest.mark.parametrize("kind", ["rsa", "curve"])
def test_openssl_takes_the_certificate_for_its_request(desk: Desk, kind: str) -> None:
    asked = read_request(desk.request(kind, "digitalSignature"))
    certificate = desk.authority.certify(Contents(asked.subject, asked.key, asked.usage))
    issuing, root = desk.authority.chain(certificate)
    desk.pem("leaf.pem", certificate)
    desk.pem("issuing.pem", issuing)
    desk.pem("root.pem", root)
    above = ("-CAfile", "root.pem", "-untrusted", "issuing.pem")
    assert "leaf.pem: OK" in desk.openssl("verify", "-x509_strict", *above, "leaf.pem")
    public = desk.openssl("pkey", "-in", "key.pem", "-pubout")
    assert desk.openssl("x509", "-in", "leaf.pem", "-noout", "-pubkey") == public
    told = desk.openssl("x509", "-in", "leaf.pem", "-noout", "-subject", "-ext", "keyUsage")
    assert "CN = Jane" in told or "CN=Jane" in told
    assert "critical" in told
    assert "Digital Signature" in told


def test_a_request_that_openssl_calls_false_is_refused(desk: Desk) -> None:
    content = bytearray(desk.request("rsa", "digitalSignature"))
    content[-1] ^= 1
    (desk.folder / "false.der").write_bytes(content)
    told = desk.openssl("req", "-inform", "DER", "-in", "false.der", "-verify", "-noout", good=None)
    # Whether the program also ends with an error depends on its version.
    assert "verify OK" not in told
    assert "fail" in told.lower()

    with pytest.raises(RequestRefusedError):
        read_request(bytes(content))


def test_openssl_deciphers_with_the_archived_key_what_it_enciphered_for_the_certificate(desk: Desk) -> None:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Jane")])
    certificate = desk.authority.certify(Contents(name, key.public_key(), ENCIPHERS))
    archive = KeyArchive(desk.records)
    archive.put("Jane", certificate, key)
    desk.pem("leaf.pem", certificate)
    (desk.folder / "plain").write_bytes(b"for Jane")
    desk.openssl("cms", "-encrypt", "-binary", "-aes256", "-in", "plain", "-out", "secret", "leaf.pem")
    (found,) = archive.of("Jane", ENCIPHERS)
    above = desk.authority.chain(certificate)
    (desk.folder / "key.p12").write_bytes(
        pkcs12_file("Jane", found.certificate, found.key, PASSPHRASE, above)
    )
    password = ("-passin", f"pass:{PASSPHRASE.reveal().decode()}")
    told = desk.openssl("pkcs12", "-in", "key.p12", *password, "-nokeys")
    assert told.count("BEGIN CERTIFICATE") == 3
    desk.openssl("pkcs12", "-in", "key.p12", *password, "-nodes", "-nocerts", "-out", "key.pem")
    desk.openssl("cms", "-decrypt", "-in", "secret", "-inkey", "key.pem", "-out", "deciphered")
    assert (desk.folder / "deciphered").read_bytes() == b"for Jane"


def test_openssl_agrees_with_list_and_answer(desk: Desk) -> None:
    asked = read_request(desk.request("curve", "digitalSignature"))
    contents = Contents(asked.subject, asked.key, asked.usage)
    first, second = desk.authority.certify(contents), desk.authority.certify(contents)
    desk.authority.revocation.revoke(first, x509.ReasonFlags.cessation_of_operation)
    desk.pem("first.pem", first)
    desk.pem("second.pem", second)
    desk.pem("issuing.pem", desk.authority.issuing)
    desk.pem("root.pem", desk.authority.root)
    crl = x509.load_der_x509_crl(desk.authority.revocation.crl())
    (desk.folder / "list.pem").write_bytes(crl.public_bytes(Encoding.PEM))
    above = ("-CAfile", "root.pem", "-untrusted", "issuing.pem")
    checked = ("verify", *above, "-crl_check", "-CRLfile", "list.pem")
    assert "certificate revoked" in desk.openssl(*checked, "first.pem", good=False)
    assert "second.pem: OK" in desk.openssl(*checked, "second.pem")

    for name, status in (("first.pem", "revoked"), ("second.pem", "good")):
        about = ("-issuer", "issuing.pem", "-cert", name)
        desk.openssl("ocsp", *about, "-reqout", "asked")
        answer = desk.authority.revocation.answer((desk.folder / "asked").read_bytes())
        (desk.folder / "answered").write_bytes(answer)
        trust = ("-CAfile", "root.pem", "-verify_other", "issuing.pem")
        told = desk.openssl("ocsp", *about, "-no_nonce", "-respin", "answered", *trust)
        assert "Response verify OK" in told
        assert f"{name}: {status}" in told
