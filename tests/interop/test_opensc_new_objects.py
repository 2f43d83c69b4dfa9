"""OpenSC's own programs as a third opinion on what our library has put on the card."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_public_key,
)

from support.pkcs11_tool import PIN, Pkcs11Tool
from support.profiles import rsa_key
from support.rig import Rig, issuer, opened_rig
from support.signers import DATA
from support.tokens import OPENSC_FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DIGEST_INFO = bytes.fromhex("3031300D060960864801650304020105000420")
NAMED = ("--label", "new", "--id", "77")


@pytest.fixture(params=OPENSC_FAMILIES)
def rig(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Rig]:
    with opened_rig(tmp_path, request.param) as rig:
        yield rig


@pytest.fixture
def tool(rig: Rig) -> Pkcs11Tool:
    return Pkcs11Tool(rig, rig.library, label="new")


def listed(rig: Rig, what: str) -> str:
    """Return the entry of the object that is called new."""
    text = rig.run("pkcs15-tool", what)
    found = re.search(r"^.*\[new\]\n(?:\t.*\n)+", text, re.MULTILINE)
    assert found, text
    return found[0]


def test_opensc_lists_a_new_key_and_signs_with_it(rig: Rig, tool: Pkcs11Tool) -> None:
    tool.as_user("--keypairgen", "--key-type", "rsa:2048", *NAMED)

    private = listed(rig, "--list-keys")
    assert re.search(r"Usage +: \[0x\w+\], decrypt, sign", private)
    assert re.search(r"Access Flags +: \[0x1D\], sensitive, alwaysSensitive, neverExtract, local", private)
    assert re.search(r"ModLength +: 2048", private)
    assert re.search(r"Auth ID +: 01", private)
    assert re.search(r"ID +: 77", listed(rig, "--list-public-keys"))
    rig.run("pkcs15-tool", "--read-public-key", "77", "--output", "public.pem")
    key = load_pem_public_key((rig.folder / "public.pem").read_bytes())
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(signature(rig, "77"), DATA, padding.PKCS1v15(), hashes.SHA256())


def signature(rig: Rig, identifier: str) -> bytes:
    """Return OpenSC's signature of the data with a key on the card."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(DATA)
    cosmo = rig.image.model.startswith("cosmo-")  # above which release 0.23 signs a DigestInfo alone
    (rig.folder / "hash").write_bytes(DIGEST_INFO * cosmo + digest.finalize())
    files = ("-R", "-i", "hash", "-o", "signature")
    sign = ("-s", "-k", identifier, "--pin", PIN, *(() if cosmo else ("--sha-256",)), "--pkcs1", *files)
    rig.run("pkcs15-crypt", *sign)
    return (rig.folder / "signature").read_bytes()


def test_opensc_signs_with_an_imported_key_and_reads_its_certificate(rig: Rig, tool: Pkcs11Tool) -> None:
    der = rsa_key().private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    (rig.folder / "key").write_bytes(der)
    certificate = issuer()
    (rig.folder / "certificate").write_bytes(certificate.public_bytes(Encoding.DER))
    tool.as_user("--write-object", "key", "--type", "privkey", "--usage-sign", *NAMED)
    tool.as_user("--write-object", "certificate", "--type", "cert", *NAMED)

    rsa_key().public_key().verify(signature(rig, "77"), DATA, padding.PKCS1v15(), hashes.SHA256())
    rig.run("pkcs15-tool", "--read-certificate", "77", "--output", "read")
    assert (rig.folder / "read").read_bytes().strip() == certificate.public_bytes(Encoding.PEM).strip()


def test_opensc_reads_new_data_and_sees_objects_go(rig: Rig, tool: Pkcs11Tool) -> None:
    before = rig.run("pkcs15-tool", "-D")
    (rig.folder / "data").write_bytes(DATA)
    tool.as_user("--write-object", "data", "--type", "data", "--label", "new", "--application-label", "app")
    tool.as_user("--keypairgen", "--key-type", "rsa:1024", *NAMED)
    rig.run("pkcs15-tool", "--read-data-object", "new", "--raw", "--output", "read")
    assert (rig.folder / "read").read_bytes() == DATA
    tool.as_user("--delete-object", "--type", "data", "--label", "new")

    for half in ("privkey", "pubkey"):
        tool.as_user("--delete-object", "--type", half, "--id", "77")

    assert rig.run("pkcs15-tool", "-D") == before


@pytest.mark.parametrize("rig", ["cardos-5.3"], indirect=True)
def test_opensc_lists_a_new_key_on_a_curve(rig: Rig, tool: Pkcs11Tool) -> None:
    tool.as_user("--keypairgen", "--key-type", "EC:secp256r1", *NAMED)

    assert re.search(r"FieldLength +: 256|ModLength +: 256|field_length +: 256", listed(rig, "--list-keys"))
    assert isinstance(tool.public_key(), ec.EllipticCurvePublicKey)
