"""OpenSSL's programs use the keys on the card, by libp11's engine above the PKCS#11 library."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from support.interop import TIMEOUT
from support.profiles import rsa_key
from support.rig import CONSENTING, SIGNING, issuer

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from support.rig import Rig

ENGINE = ("-engine", "pkcs11", "-keyform", "engine")
PSS = ("-sigopt", "rsa_padding_mode:pss")
CONFIGURATION = """openssl_conf = initialisation
[initialisation]
engines = engines
[engines]
pkcs11 = card
[card]
engine_id = pkcs11
MODULE_PATH = {}
init = 0
[req]
distinguished_name = name
[name]
"""
NAMES = ("-nameopt", "RFC2253")
HOLDER = f"depth=0 CN=Holder\\, {SIGNING}"
REQUEST = "GET / HTTP/1.0\r\n\r\n"


@dataclass
class Openssl:
    """The program, with the engine configured."""

    rig: Rig

    def __post_init__(self) -> None:
        self.rig.write("openssl.cnf", CONFIGURATION.format(self.rig.library))
        self.rig.write("message", "what is signed")

    def __call__(self, *arguments: str, told: str = "", succeeds: bool = True) -> str:
        """Run it."""
        return self.rig.run("openssl", *arguments, told=told, succeeds=succeeds, OPENSSL_CONF="openssl.cnf")

    def uri(self, kind: str, label: str = SIGNING, pin: str | None = None) -> str:
        """Return the URI of an object on the card."""
        pin_value = "" if pin is None else f";pin-value={pin}"
        return f"pkcs11:token={quote(self.rig.token(label))};object={quote(label)};type={kind}{pin_value}"

    @property
    def key(self) -> str:
        """The key that signs, with its PIN."""
        return self.uri("private", pin="1234")

    def sign(self, key: str, *options: str, told: str = "", succeeds: bool = True) -> str:
        """Sign the message on the card."""
        command = ("dgst", "-sha256", *ENGINE, "-sign", key, *options, "-out", "signature", "message")
        return self(*command, told=told, succeeds=succeeds)

    def verify(self, label: str = SIGNING, *options: str) -> None:
        """See that the signature is by the certificate's key, without the card."""
        public = self("x509", "-in", self.rig.save_certificate(label), "-noout", "-pubkey")
        self.rig.write("public", public)
        command = ("dgst", "-sha256", "-verify", "public", *options, "-signature", "signature")
        assert "Verified OK" in self(*command, "message")
        self.rig.write("other", "something else")
        assert "Verification failure" in self(*command, "other", succeeds=False)


@pytest.fixture
def openssl(rig: Rig) -> Openssl:
    return Openssl(rig)


@pytest.fixture
def curve_openssl(curve_rig: Rig) -> Openssl:
    return Openssl(curve_rig)


# Signatures


def test_a_file_signed_on_the_card_is_verified_by_its_certificate(openssl: Openssl) -> None:
    openssl.sign(openssl.key)
    openssl.verify()


def test_a_file_signed_with_pss_on_the_card_is_verified_by_its_certificate(openssl: Openssl) -> None:
    openssl.sign(openssl.key, *PSS, "-sigopt", "rsa_pss_saltlen:digest")
    openssl.verify(SIGNING, *PSS)


def test_a_file_signed_with_a_key_on_a_curve_is_verified_by_its_certificate(curve_openssl: Openssl) -> None:
    curve_openssl.sign(curve_openssl.key)
    curve_openssl.verify()


def test_the_engine_verifies_with_the_public_key_on_the_card(openssl: Openssl) -> None:
    openssl.sign(openssl.key)
    command = ("dgst", "-sha256", *ENGINE, "-verify", openssl.uri("public"), "-signature", "signature")
    assert "Verified OK" in openssl(*command, "message")


def test_a_request_for_a_certificate_is_signed_on_the_card(openssl: Openssl) -> None:
    openssl("req", "-new", *ENGINE, "-key", openssl.key, "-subj", "/CN=Somebody", "-out", "request")
    told = openssl("req", "-in", "request", "-verify", "-noout", "-subject", "-pubkey", *NAMES)
    assert "verify OK" in told
    assert "CN=Somebody" in told
    assert openssl("x509", "-in", openssl.rig.save_certificate(), "-noout", "-pubkey") in told


def test_the_key_that_wants_its_pin_for_each_signature_gets_it_twice(openssl: Openssl) -> None:
    told = openssl.sign(openssl.uri("private", CONSENTING), told="4321\n4321\n")
    assert f"token PIN for {openssl.rig.token(CONSENTING)}" in told
    assert f"key PIN for {CONSENTING}" in told
    openssl.verify(CONSENTING)


def test_a_wrong_pin_is_told_and_costs_one_try(openssl: Openssl) -> None:
    left = openssl.rig.tries()
    assert "PIN incorrect" in openssl.sign(openssl.uri("private", pin="9999"), succeeds=False)
    assert openssl.rig.tries() == left - 1


# Decryption


@pytest.mark.parametrize("padding", ["pkcs1", "oaep"])
def test_what_is_encrypted_for_the_certificate_is_decrypted_on_the_card(
    openssl: Openssl, padding: str
) -> None:
    option = ("-pkeyopt", f"rsa_padding_mode:{padding}")
    certificate = ("-certin", "-inkey", openssl.rig.save_certificate())
    openssl("pkeyutl", "-encrypt", *certificate, *option, "-in", "message", "-out", "encrypted")
    decrypt = ("pkeyutl", "-decrypt", *ENGINE, "-inkey", openssl.key, *option, "-in", "encrypted")
    assert "what is signed" in openssl(*decrypt)


# TLS


@contextmanager
def served(rig: Rig, version: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start OpenSSL's server, which wants a certificate, and return its address; it serves one client."""
    key = rsa_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    rig.write("issuer.pem", issuer().public_bytes(Encoding.PEM).decode())
    rig.write("issuer.key", key)
    own = ("-cert", "issuer.pem", "-key", "issuer.key", f"-{version}", "-www", "-naccept", "1")
    theirs = ("-Verify", "1", "-verify_return_error", "-CAfile", "issuer.pem", *NAMES)
    process = rig.start("openssl", "s_server", "-accept", "127.0.0.1:0", *own, *theirs)

    with process:
        try:
            assert process.stdout is not None
            ready = next((line for line in process.stdout if line.startswith("ACCEPT ")), "")
            assert ready, "the server has ended"
            yield ready.removeprefix("ACCEPT ").strip(), process
        finally:
            process.kill()


def client(address: str, *certificate: str) -> tuple[str, ...]:
    return ("s_client", "-connect", address, "-CAfile", "issuer.pem", "-quiet", *certificate)


def card_certificate(openssl: Openssl) -> tuple[str, ...]:
    return (*ENGINE, "-key", openssl.key, "-cert", openssl.rig.save_certificate())


def meet(openssl: Openssl, version: str) -> tuple[str, str]:
    """Let client and server meet; return what the client was served, and what the server told."""
    with served(openssl.rig, version) as (address, server):
        page = openssl(*client(address, *card_certificate(openssl)), told=REQUEST)
        told, _ = server.communicate(timeout=TIMEOUT)

    assert server.returncode == 0
    return page, told


VERSIONS = pytest.mark.parametrize(
    ("version", "name"), [("tls1_2", "TLSv1.2"), ("tls1_3", "TLSv1.3")], ids=["TLS 1.2", "TLS 1.3"]
)


@VERSIONS
def test_a_server_sees_the_holder_of_the_card(openssl: Openssl, version: str, name: str) -> None:
    page, told = meet(openssl, version)
    assert f"New, {name}, Cipher is" in page
    assert re.search("Peer signature type: rsa.pss", page, re.IGNORECASE)
    assert HOLDER in told
    assert "1 server accepts that finished" in told


@VERSIONS
def test_a_server_sees_the_holder_of_a_key_on_a_curve(
    curve_openssl: Openssl, version: str, name: str
) -> None:
    page, told = meet(curve_openssl, version)
    assert f"New, {name}, Cipher is" in page
    assert HOLDER in told


def test_the_server_lets_nobody_in_without_a_certificate(openssl: Openssl) -> None:
    with served(openssl.rig, "tls1_2") as (address, server):
        assert "alert" in openssl(*client(address), told=REQUEST, succeeds=False)
        told, _ = server.communicate(timeout=TIMEOUT)

    assert "peer did not return a certificate" in told
