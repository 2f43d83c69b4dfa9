"""NSS's programs use the tokens of the card, with the PKCS#11 library in a database of their own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from support.rig import CONSENTING, SIGNING, certified, issuer

if TYPE_CHECKING:
    from support.rig import Rig

DATABASE = ("-d", "sql:db")
PINS = {SIGNING: "1234", CONSENTING: "4321"}
MESSAGE = "what is signed, or encrypted"


@dataclass
class Nss:
    """The programs, with the library in a fresh database that trusts who issues the certificates."""

    rig: Rig

    def __post_init__(self) -> None:
        (self.rig.folder / "db").mkdir()
        self.rig.write("issuer.pem", issuer().public_bytes(Encoding.PEM).decode())
        self.rig.write("message", MESSAGE)
        self.certutil("-N", "--empty-password")
        self.certutil("-A", "-n", "issuer", "-t", "CT,C,C", "-i", "issuer.pem")
        self.modutil("-force", "-add", "cardtwin", "-libfile", self.rig.library)

    def certutil(self, *arguments: str, succeeds: bool = True) -> str:
        return self.rig.run("certutil", *DATABASE, *arguments, succeeds=succeeds)

    def modutil(self, *arguments: str) -> str:
        return self.rig.run("modutil", "-dbdir", "sql:db", *arguments)

    def cmsutil(self, *arguments: str, label: str = SIGNING) -> str:
        return self.rig.run("cmsutil", *DATABASE, "-p", PINS[label], *arguments)

    def openssl(self, *arguments: str) -> str:
        return self.rig.run("openssl", *arguments)

    def token(self, label: str = SIGNING, pin: str | None = None) -> tuple[str, ...]:
        """Return certutil's options for the token that has a key, and its PIN."""
        return ("-h", self.rig.token(label), "-f", self.rig.write("pin", f"{pin or PINS[label]}\n"))

    def key(self, label: str = SIGNING) -> str:
        """Return the CKA_ID of a key, as certutil lists it."""
        listed = re.findall(rf"< 0> +\w+ +(\w+) +{label}", self.certutil("-K", *self.token(label)))
        assert len(listed) == 1
        return str(listed[0])

    def nicknames(self, label: str = SIGNING) -> list[tuple[str, str]]:
        """Return what certutil lists of a token's certificates: names and trust, which is u with a key."""
        listed = self.certutil("-L", *self.token(label)).partition("JAR/XPI")[2]
        return re.findall(r"(?m)^(.*\S) +(\S+)\s*$", listed)

    def signed(self, label: str = SIGNING) -> str:
        """Let a key on the card sign the message, and return what OpenSSL finds signed."""
        nickname = f"{self.rig.token(label)}:{label}"
        self.cmsutil("-S", "-N", nickname, "-i", "message", "-o", "signed", label=label)
        given = ("-inform", "DER", "-in", "signed", "-CAfile", "issuer.pem", "-out", "verified")
        assert "Verification successful" in self.openssl("cms", "-verify", *given)
        return (self.rig.folder / "verified").read_text()


@pytest.fixture
def nss(rig: Rig) -> Nss:
    return Nss(rig)


@pytest.fixture
def curve_nss(curve_rig: Rig) -> Nss:
    return Nss(curve_rig)


# The module and its tokens


def test_modutil_lists_a_token_for_each_pin(nss: Nss) -> None:
    listed = nss.modutil("-list")
    assert "slots: 2 slots attached\n\tstatus: loaded\n\n\t slot: Emulated reader" in listed

    for label in PINS:
        assert f"token: {nss.rig.token(label)}\n" in listed


def test_modutil_tells_of_a_token_that_wants_its_pin(nss: Nss) -> None:
    told = nss.modutil("-list", "cardtwin")
    main = told.partition(f"Token Name: {nss.rig.token()} ")[2].partition("Slot:")[0]
    assert "Login Type: Login required" in main
    assert "User Pin: Initialized" in main
    assert "PKCS #11 Version 2.40" in told


def test_modutil_changes_the_pin(nss: Nss) -> None:
    files = ("-pwfile", nss.rig.write("old", "1234\n"), "-newpwfile", nss.rig.write("new", "567890\n"))
    nss.modutil("-force", "-changepw", nss.rig.token(), *files)
    assert SIGNING in nss.certutil("-K", *nss.token(pin="567890"))


# Certificates and keys


@pytest.mark.parametrize("label", PINS)
def test_certutil_lists_the_certificate_with_its_key(nss: Nss, label: str) -> None:
    assert nss.nicknames(label) == [(f"{nss.rig.token(label)}:{label}", "u,u,u")]


def test_certutil_reads_the_certificate(nss: Nss) -> None:
    read = nss.certutil("-L", *nss.token(), "-n", f"{nss.rig.token()}:{SIGNING}", "-a")
    holder = x509.load_pem_x509_certificate(read.encode())
    assert holder.subject.rfc4514_string() == rf"CN=Holder\, {SIGNING}"
    holder.verify_directly_issued_by(issuer())


@pytest.mark.parametrize("label", PINS)
def test_certutil_lists_the_key(nss: Nss, label: str) -> None:
    assert len(nss.key(label)) == 40


def test_certutil_lists_a_key_on_a_curve(curve_nss: Nss) -> None:
    assert re.search(rf"< 0> +ec +\w+ +{SIGNING}", curve_nss.certutil("-K", *curve_nss.token()))


def test_a_wrong_pin_is_told_and_costs_one_try(nss: Nss) -> None:
    left = nss.rig.tries()
    assert "Incorrect password/PIN" in nss.certutil("-K", *nss.token(pin="9999"), succeeds=False)
    assert nss.rig.tries() == left - 1


def test_a_key_made_on_the_card_gets_its_certificate(nss: Nss) -> None:
    (nss.rig.folder / "noise").write_bytes(bytes(range(64)))
    wanted = ("-k", "rsa", "-g", "2048", "-s", "CN=Somebody", "-z", "noise", "-a", "-o", "request")
    nss.certutil("-R", *nss.token(), *wanted)
    request = x509.load_pem_x509_csr((nss.rig.folder / "request").read_bytes())
    nss.rig.write("new.pem", certified(request).public_bytes(Encoding.PEM).decode())
    nss.certutil("-A", *nss.token(), "-n", "New", "-t", ",,", "-i", "new.pem")

    assert request.is_signature_valid
    assert nss.nicknames() == [(f"{nss.rig.token()}:{label}", "u,u,u") for label in (SIGNING, "New")]
    nss.certutil("-F", *nss.token(), "-n", f"{nss.rig.token()}:New")
    assert nss.nicknames() == [(f"{nss.rig.token()}:{SIGNING}", "u,u,u")]
    nss.key()


# Signatures and decryption


@pytest.mark.parametrize("label", PINS)
def test_a_request_for_a_certificate_is_signed_on_the_card(nss: Nss, label: str) -> None:
    key = ("-k", nss.key(label))
    nss.certutil("-R", *nss.token(label), *key, "-s", "CN=Somebody", "-a", "-o", "request")
    request = x509.load_pem_x509_csr((nss.rig.folder / "request").read_bytes())
    holder = x509.load_pem_x509_certificate((nss.rig.folder / nss.rig.save_certificate(label)).read_bytes())
    assert request.is_signature_valid
    assert request.subject.rfc4514_string() == "CN=Somebody"
    assert request.public_key() == holder.public_key()


@pytest.mark.parametrize("label", PINS)
def test_a_message_signed_on_the_card_is_verified_by_openssl(nss: Nss, label: str) -> None:
    assert nss.signed(label) == MESSAGE


def test_a_message_signed_with_a_key_on_a_curve_is_verified_by_openssl(curve_nss: Nss) -> None:
    assert curve_nss.signed() == MESSAGE


def test_a_message_that_openssl_encrypted_is_decrypted_on_the_card(nss: Nss) -> None:
    encrypted = ("-in", "message", "-outform", "DER", "-out", "encrypted")
    nss.openssl("cms", "-encrypt", "-aes256", *encrypted, nss.rig.save_certificate())
    nss.cmsutil("-D", "-i", "encrypted", "-o", "decrypted")
    assert (nss.rig.folder / "decrypted").read_text() == MESSAGE
