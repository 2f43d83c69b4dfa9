"""GnuTLS's p11tool and certtool above our library."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from cardtwin.cryptoki.constants import Ckk, MechanismFlag
from cardtwin.cryptoki.mechanisms import MECHANISMS
from support.opinions import CURVE_KEY, CURVE_PIN, CURVES, curve_card
from support.pkcs11_tool import PIN, PUK, SIGN_PIN
from support.rig import CONSENTING, SIGNING, Rig, opened_rig
from support.tokens import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIGNATURE_TOKEN = "cardtwin CardOS  (Signature PIN)"
WELL_SIGNED = (
    "Verifying against private key parameters... ok",
    "Verifying against public key in the token... ok",
)


@dataclass
class GnuTls:
    """GnuTLS's programs, and the token that they use."""

    rig: Rig
    token: str
    pin: str = PIN

    def __call__(self, program: str, *arguments: str, succeeds: bool = True, **environment: str) -> str:
        """Run a program."""
        told = {"GNUTLS_PIN": self.pin, **environment}
        return self.rig.run(program, "--provider", self.rig.library, *arguments, succeeds=succeeds, **told)

    def p11tool(self, *arguments: str, succeeds: bool = True, pin: str | None = None) -> str:
        """Run p11tool."""
        return self("p11tool", *arguments, succeeds=succeeds, GNUTLS_PIN=pin or self.pin)

    def url(self, label: str = "", kind: str = "") -> str:
        """Return the URL of the token, or of an object on it (RFC 7512)."""
        rest = f";object={quote(label)};type={kind}" if label else ""
        return f"pkcs11:token={quote(self.token)}{rest}"

    def check_signature(self, label: str, signed_by: str, *options: str) -> None:
        """Let p11tool sign and verify."""
        tested = self.p11tool("--test-sign", "--login", *options, self.url(label, "private"))
        assert f"Signing using {signed_by}... ok" in tested
        assert all(line in tested for line in WELL_SIGNED)


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def gnutls(tmp_path: Path, model: str) -> Iterator[GnuTls]:
    with opened_rig(tmp_path, model) as rig:
        yield GnuTls(rig, f"cardtwin CardOS {model[-3:]}")


@pytest.fixture(params=CURVES)
def curve_gnutls(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[GnuTls]:
    """With a card whose key is on a curve."""
    with opened_rig(tmp_path, image=curve_card(request.param)) as rig:
        yield GnuTls(rig, "Badge", CURVE_PIN)


def objects(listed: str) -> list[tuple[str, str]]:
    """Return the types and labels of the objects that p11tool lists."""
    return re.findall(r"^\tType: (.*)\n(?:\t(?!Label).*\n)*\tLabel: (.*)$", listed, re.MULTILINE)


def test_both_tokens_are_listed_with_their_urls(gnutls: GnuTls) -> None:
    tokens = gnutls.p11tool("--list-tokens")

    assert re.findall(r"^\tLabel: (.*)$", tokens, re.MULTILINE) == [gnutls.token, SIGNATURE_TOKEN]
    assert tokens.count("Flags: RNG, Requires login\n") == 2
    urls = gnutls.p11tool("--list-token-urls").split()
    assert [url.rpartition("token=")[2] for url in urls] == [quote(gnutls.token), quote(SIGNATURE_TOKEN)]


def test_private_keys_are_listed_after_the_login_alone(gnutls: GnuTls) -> None:
    public = [
        ("Public key (RSA-2048)", SIGNING),
        ("X.509 Certificate (RSA-2048)", SIGNING),
        ("Data", "ProfileId"),
        ("Data", "Card Eraser"),
    ]

    assert objects(gnutls.p11tool("--list-all", gnutls.url())) == public
    listed = gnutls.p11tool("--list-all", "--login", gnutls.url())
    assert sorted(objects(listed)) == sorted([("Private key (RSA-2048)", SIGNING), *public])
    assert "CKA_PRIVATE; CKA_NEVER_EXTRACTABLE; CKA_SENSITIVE" in listed


def test_the_certificate_of_a_private_key_is_found(gnutls: GnuTls) -> None:
    listed = gnutls.p11tool("--list-certs", "--login", gnutls.url())

    assert objects(listed) == [("X.509 Certificate (RSA-2048)", SIGNING)]


def test_the_mechanisms_listed_are_those_that_the_card_can_use(gnutls: GnuTls, model: str) -> None:
    listed = gnutls.p11tool("--list-mechanisms", gnutls.url())
    offered = {
        kind: spec
        for kind, spec in MECHANISMS.items()
        if model != "cardos-4.4" or spec.key_type is not Ckk.CKK_EC
    }
    found = {int(kind, 16): line for kind, line in re.findall(r"^\[(0x\w+)\] (.*)$", listed, re.MULTILINE)}

    assert set(found) == set(offered)
    assert all(set(spec.uses) <= set(found[kind].split()) for kind, spec in offered.items())
    hardware = {kind for kind, spec in offered.items() if spec.flags & ~MechanismFlag.CKF_DIGEST}
    assert {kind for kind, line in found.items() if " hw " in line} == hardware


@pytest.mark.parametrize("name", ["SHA256", "SHA384", "SHA512"])
def test_an_rsa_key_signs_with_each_hash_and_padding(gnutls: GnuTls, name: str) -> None:
    gnutls.check_signature(SIGNING, f"RSA-{name}", "--hash", name.lower())
    gnutls.check_signature(SIGNING, f"RSA-PSS-{name}", "--hash", name.lower(), "--sign-params", "RSA-PSS")


@pytest.mark.parametrize("name", ["SHA256", "SHA384", "SHA512"])
def test_a_key_on_a_curve_signs_with_each_hash(curve_gnutls: GnuTls, name: str) -> None:
    curve_gnutls.check_signature(CURVE_KEY, f"ECDSA-{name}", "--hash", name.lower())


def test_the_consenting_key_signs_with_its_own_pin(gnutls: GnuTls) -> None:
    GnuTls(gnutls.rig, SIGNATURE_TOKEN, SIGN_PIN).check_signature(CONSENTING, "RSA-SHA256")


def test_a_certificate_and_its_key_are_exported(gnutls: GnuTls) -> None:
    exported = gnutls.p11tool("--export", gnutls.url(SIGNING, "cert"))
    certificate = x509.load_pem_x509_certificate(exported.strip().encode())
    gnutls.p11tool("--export-pubkey", "--login", "--outfile", "public.pem", gnutls.url(SIGNING, "private"))

    assert certificate.subject.rfc4514_string() == rf"CN=Holder\, {SIGNING}"
    key = load_pem_public_key((gnutls.rig.folder / "public.pem").read_bytes())
    assert key == certificate.public_key()


def test_certtool_s_request_is_signed_on_the_card(gnutls: GnuTls) -> None:
    (gnutls.rig.folder / "template").write_text('cn = "Holder"\n')
    keys = (
        *("--load-privkey", gnutls.url(SIGNING, "private")),
        *("--load-pubkey", gnutls.url(SIGNING, "public")),
    )
    gnutls("certtool", "--generate-request", "--template", "template", *keys, "--outfile", "request")
    request = x509.load_pem_x509_csr((gnutls.rig.folder / "request").read_bytes().split(b"\n\n")[-1])

    assert request.is_signature_valid
    assert request.subject.rfc4514_string() == "CN=Holder"


def test_random_bytes_are_as_many_as_wanted(gnutls: GnuTls) -> None:
    gnutls.p11tool("--generate-random", "100", "--outfile", "random", gnutls.url())

    assert len((gnutls.rig.folder / "random").read_bytes()) == 100


def test_a_wrong_pin_is_told_and_tried_once(gnutls: GnuTls) -> None:
    private = gnutls.url(SIGNING, "private")
    told = gnutls.p11tool("--test-sign", "--login", private, pin="9999", succeeds=False)

    assert "Wrong PIN has been provided" in told
    gnutls.p11tool("--test-sign", "--login", private, pin="9999", succeeds=False)
    gnutls.check_signature(SIGNING, "RSA-SHA256")


def test_the_security_officer_sets_the_pin_with_the_puk(gnutls: GnuTls) -> None:
    gnutls.p11tool("--initialize-pin", "--set-pin", "565656", "--set-so-pin", PUK, gnutls.url())

    GnuTls(gnutls.rig, gnutls.token, "565656").check_signature(SIGNING, "RSA-SHA256")
