"""Clients that make keys and objects on the card through our library, use them, and take them away again."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_public_key,
)

from cardtwin.cryptoki.constants import Ckk
from support.opinions import CURVES, is_right, short_name, signing
from support.pkcs11_tool import PIN, Pkcs11Tool
from support.profiles import rsa_key
from support.rig import Rig, issuer, opened_rig
from support.signers import DATA
from support.tokens import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.cryptoki.mechanisms import MechanismSpec
    from support.opinions import PublicKey

SUPPORT = Path(__file__).parent.parent / "support"
GROUPS = {256: "secp256r1", 384: "secp384r1", 521: "secp521r1"}
RSA, ECDSA = (
    {short_name(spec): spec for kind in (Ckk.CKK_RSA, Ckk.CKK_EC) for spec in signing(kind)}[name]
    for name in ("SHA256_RSA_PKCS", "ECDSA_SHA256")
)


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def rig(tmp_path: Path, model: str) -> Iterator[Rig]:
    with opened_rig(tmp_path, model) as rig:
        yield rig


@pytest.fixture
def tool(rig: Rig) -> Pkcs11Tool:
    return Pkcs11Tool(rig, rig.library, label="new")


newer = pytest.mark.parametrize("model", ["cardos-5.3"], indirect=True)
"""Runs a test with the model alone that has keys on curves."""


def labels(tool: Pkcs11Tool) -> list[str]:
    """Return the labels of all objects."""
    return re.findall(r"^  label: +'?(.*?)'?$", tool.as_user("--list-objects"), re.MULTILINE)


def signs(tool: Pkcs11Tool, key: PublicKey, spec: MechanismSpec) -> bool:
    """Whether the new private key, identifier 77, makes right signatures for a public key."""
    return is_right(key, spec, DATA, tool.sign(spec, DATA, "--id", "77"))


# pkcs11-tool


@pytest.mark.parametrize("bits", [1024, 2048])
def test_pkcs11_tool_makes_an_rsa_key_pair_that_signs(tool: Pkcs11Tool, bits: int) -> None:
    tool.as_user("--keypairgen", "--key-type", f"rsa:{bits}", "--label", "new", "--id", "77")
    key = tool.public_key()

    assert key.key_size == bits
    assert signs(tool, key, RSA)
    assert labels(tool).count("new") == 2


@newer
@pytest.mark.parametrize("bits", CURVES)
def test_pkcs11_tool_makes_a_key_pair_on_a_curve_that_signs(tool: Pkcs11Tool, bits: int) -> None:
    tool.as_user("--keypairgen", "--key-type", f"EC:{GROUPS[bits]}", "--label", "new", "--id", "77")
    key = tool.public_key()

    assert key.key_size == bits
    assert signs(tool, key, ECDSA)


@newer
@pytest.mark.parametrize("bits", CURVES)
def test_pkcs11_tool_s_own_test_of_curves_is_passed(tool: Pkcs11Tool, bits: int) -> None:
    before = labels(tool)
    tested = tool.as_user("--session-rw", "--test-ec", "--id", "78", "--key-type", f"EC:{GROUPS[bits]}")

    assert "==> OK" in tested
    assert labels(tool) == before


def test_pkcs11_tool_puts_a_key_with_its_certificate_onto_the_card(tool: Pkcs11Tool) -> None:
    der = rsa_key().private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    (tool.rig.folder / "key").write_bytes(der)
    certificate = issuer().public_bytes(Encoding.DER)
    (tool.rig.folder / "certificate").write_bytes(certificate)
    named = ("--label", "new", "--id", "77")
    tool.as_user("--write-object", "key", "--type", "privkey", "--usage-sign", *named)
    tool.as_user("--write-object", "certificate", "--type", "cert", *named)

    assert signs(tool, rsa_key().public_key(), RSA)
    tool("--read-object", "--type", "cert", "--label", "new", "--output-file", "read")
    assert (tool.rig.folder / "read").read_bytes() == certificate


@newer
@pytest.mark.parametrize("bits", CURVES)
def test_pkcs11_tool_puts_a_key_on_a_curve_onto_the_card(tool: Pkcs11Tool, bits: int) -> None:
    private = ec.generate_private_key(CURVES[bits])
    der = private.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    (tool.rig.folder / "key").write_bytes(der)
    tool.as_user("--write-object", "key", "--type", "privkey", "--usage-sign", "--label", "new", "--id", "77")

    assert signs(tool, private.public_key(), ECDSA)


def test_pkcs11_tool_writes_data_reads_them_and_deletes_them(tool: Pkcs11Tool) -> None:
    before = labels(tool)
    (tool.rig.folder / "data").write_bytes(DATA)
    tool.as_user("--write-object", "data", "--type", "data", "--label", "new", "--application-label", "app")
    tool("--read-object", "--type", "data", "--label", "new", "--output-file", "read")

    assert (tool.rig.folder / "read").read_bytes() == DATA
    tool.as_user("--delete-object", "--type", "data", "--label", "new")
    assert labels(tool) == before


def test_pkcs11_tool_gives_a_key_pair_another_identifier_and_deletes_it(tool: Pkcs11Tool) -> None:
    before = labels(tool)
    tool.as_user("--keypairgen", "--key-type", "rsa:1024", "--label", "new", "--id", "77")

    for half in ("privkey", "pubkey"):
        tool.as_user("--set-id", "79", "--type", half, "--id", "77")

    assert tool.as_user("--list-objects").count("ID:         79\n") == 2

    for half in ("privkey", "pubkey"):
        tool.as_user("--delete-object", "--type", half, "--id", "79")

    assert labels(tool) == before


# p11tool


def gnutls(rig: Rig, model: str, *arguments: str, object_url: str = "") -> str:
    """Run p11tool as the user, with the URL of the token, or of an object on it."""
    url = f"pkcs11:token=cardtwin%20CardOS%20{model[-3:]}{object_url}"
    whole = ("--provider", rig.library, "--batch", "--login", *arguments, url)
    return rig.run("p11tool", *whole, succeeds=True, GNUTLS_PIN=PIN)


def test_p11tool_makes_a_key_pair_that_signs(rig: Rig, model: str) -> None:
    made = ("--generate-privkey", "rsa", "--bits", "2048", "--label", "new", "--outfile", "public")
    gnutls(rig, model, *made)

    assert isinstance(load_pem_public_key((rig.folder / "public").read_bytes()), rsa.RSAPublicKey)
    tested = gnutls(rig, model, "--test-sign", object_url=";object=new;type=private")
    assert "Verifying against public key in the token... ok" in tested


@newer
@pytest.mark.parametrize("group", GROUPS.values())
def test_p11tool_makes_a_key_pair_on_a_curve_that_signs(rig: Rig, model: str, group: str) -> None:
    made = ("--generate-privkey", "ecdsa", "--curve", group, "--label", "new", "--outfile", "public")
    gnutls(rig, model, *made)
    tested = gnutls(rig, model, "--test-sign", object_url=";object=new;type=private")

    assert "Verifying against public key in the token... ok" in tested


def test_p11tool_writes_a_key_and_a_certificate_and_deletes_them(rig: Rig, model: str) -> None:
    before = labels(Pkcs11Tool(rig, rig.library))
    pem = rsa_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (rig.folder / "key").write_bytes(pem)
    certificate = issuer()
    (rig.folder / "certificate").write_bytes(certificate.public_bytes(Encoding.PEM))
    gnutls(rig, model, "--write", "--load-certificate", "certificate", "--label", "new", "--id", "77")
    gnutls(rig, model, "--write", "--load-privkey", "key", "--label", "new", "--id", "77")
    exported = gnutls(rig, model, "--export", object_url=";object=new;type=cert")

    assert x509.load_pem_x509_certificate(exported.strip().encode()) == certificate
    assert signs(Pkcs11Tool(rig, rig.library, label="new"), rsa_key().public_key(), RSA)
    assert "2 objects deleted" in gnutls(rig, model, "--delete", object_url=";object=new")
    assert labels(Pkcs11Tool(rig, rig.library)) == before


# Python


@pytest.mark.parametrize("package", ["python_pkcs11", "pykcs11"])
def test_python_makes_keys_and_data_and_destroys_them(rig: Rig, model: str, package: str) -> None:
    groups = list(GROUPS.values()) if model == "cardos-5.3" else []
    programs = str(SUPPORT / f"{package}_programs.py")
    told = rig.run(sys.executable, programs, "writing", rig.library, PIN, *groups)
    found: dict[str, Any] = json.loads(told)

    assert found["right"] == [True] * (1 + len(groups))
    assert bytes.fromhex(found["value"]) == b"value"
    pairs = [[kind, label] for label in ("rsa", *groups) for kind in ("PRIVATE_KEY", "PUBLIC_KEY")]
    assert found["during"] == sorted([*found["before"], *pairs, ["DATA", "text"]])
    assert found["after"] == found["before"]
