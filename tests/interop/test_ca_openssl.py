"""What applications of encodings make, judged by OpenSSL: request, certificates, PKCS#12 file."""

from __future__ import annotations

import base64
import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from cardtwin.encoding import Engine, ServerSide
from cardtwin.entropy import SeededEntropy
from cardtwin.issuance import LocalAuthority
from cardtwin.middleware import Installation, PersonalDesktopClient
from cardtwin.plan.cms import CmsPinBlobCodec
from cardtwin.targets.programs import EmulatedProgram
from support.encodings import job
from support.interop import TIMEOUT, program
from support.programs import PIN, Desk

if TYPE_CHECKING:
    from pathlib import Path

    from cardtwin.plan import Secret

APPLICATIONS = """
[Application_A]
CertTempl=signing
CardSerialNumberField=SERIAL
ObjectCriteria=CKO_PUBLIC_KEY,CKA_LABEL,string,"Digital Signature"

[Application_B]
CertTempl=encryption
CardSerialNumberField=SERIAL
KeyArchivalRequest=true
WriteP12Data=true
Certificate=P12
P12PASSWORD=#a password
"""


class Noting(LocalAuthority):
    """An authority that keeps the requests."""

    def __init__(self) -> None:
        super().__init__(entropy=SeededEntropy("openssl"))
        self.requests: list[bytes] = []

    def issue(self, request: bytes, template: str, serial: str) -> bytes:
        self.requests.append(request)
        return super().issue(request, template, serial)


def openssl(*arguments: str, told: bytes = b"") -> str:
    command = (program("openssl"), *arguments)
    done = subprocess.run(command, input=told, capture_output=True, timeout=TIMEOUT, check=False)
    output = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, output
    return output


@pytest.mark.parametrize("model", ["cardos-5.3", "cosmo-8.2"])
def test_openssl_takes_what_an_encoding_makes(model: str, tmp_path: Path) -> None:
    desk, authority = Desk(model), Noting()
    client = PersonalDesktopClient(
        desk.manager.context(), Installation(), entropy=SeededEntropy("client"), codec=CmsPinBlobCodec()
    )
    engine = Engine(
        lambda _: client,
        programs=lambda _: EmulatedProgram(lambda: desk.program().application, desk.hub, "java.exe"),
        server=ServerSide(authority),
    )
    values: dict[str, str | Secret | None] = {"PIN": PIN, "SERIAL": "4711", "P12": ""}
    outcome = engine.run(job("PIN=PIN\n", values, read="P12", more=APPLICATIONS))
    assert outcome.error is None

    told = openssl("req", "-inform", "DER", "-verify", "-noout", "-subject", told=authority.requests[0])
    assert "verify OK" in told
    assert "signing" in told
    assert "4711" in told

    for name, certificate in (("root", authority.root), ("issuing", authority.issuing)):
        (tmp_path / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))

    for number, certificate in enumerate(authority.issued):
        path = tmp_path / f"{number}.pem"
        path.write_bytes(certificate.public_bytes(Encoding.PEM))
        above = ("-CAfile", str(tmp_path / "root.pem"), "-untrusted", str(tmp_path / "issuing.pem"))
        assert "OK" in openssl("verify", "-x509_strict", *above, str(path))

    container = tmp_path / "key.p12"
    container.write_bytes(base64.b64decode(str(outcome.fields["P12"])))
    told = openssl("pkcs12", "-in", str(container), "-passin", "pass:a password", "-nodes")
    assert "BEGIN PRIVATE KEY" in told
    assert "BEGIN CERTIFICATE" in told
