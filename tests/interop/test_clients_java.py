"""Java's SunPKCS11 uses the keys on the card, above the PKCS#11 library."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from support.interop import TIMEOUT, program
from support.rig import CONSENTING, MODIFIABLE_KEY, SIGNING, certified, full_card, issuer, opened_rig

if TYPE_CHECKING:
    from support.rig import Rig

SOURCE = Path(__file__).parents[1] / "support" / "TokenClient.java"
MAIN, SIGNATURE = ("1", "1234"), ("2", "4321")
"""The slots, and their PINs."""

MESSAGE = b"what is signed"
HASHES = {
    "SHA1": hashes.SHA1(),  # noqa: S303  # the algorithm's own hash
    "SHA224": hashes.SHA224(),
    "SHA256": hashes.SHA256(),
    "SHA384": hashes.SHA384(),
    "SHA512": hashes.SHA512(),
}
PSS = ("SHA256withRSASSA-PSS", "RSASSA-PSS")
NOT_LOGGED_IN = "refused PKCS11Exception CKR_USER_NOT_LOGGED_IN"
STALE_KEY = "refused PKCS11Exception CKR_KEY_HANDLE_INVALID"
"""What becomes of a private key's handle from before another login (PKCS#11 v2.40, C_Logout)."""

LOGOUT_AFTER_SIGN = "[CSP_PKCS11]\nP11_LogoutAfterSign=1\n"
KEEPS_LOGIN = LOGOUT_AFTER_SIGN + "Sections={0}\n[{0}]\nP11_LogoutAfterSign=0\n"
SIGN = "sign=SHA256withRSA"
TWICE = (SIGN, SIGN)


@pytest.fixture(scope="session")
def classes(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the compiled program is."""
    folder = str(tmp_path_factory.mktemp("classes"))
    subprocess.run([program("javac"), "-d", folder, str(SOURCE)], check=True, timeout=TIMEOUT)
    return folder


@dataclass
class Java:
    """The program above a card."""

    rig: Rig
    classes: str

    def __call__(self, *actions: str, slot: tuple[str, str] = MAIN) -> list[str]:
        """Run it and return what came of each action."""
        (self.rig.folder / "message").write_bytes(MESSAGE)
        quick = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")
        told = self.rig.run(
            "java", *quick, "-cp", self.classes, "TokenClient", self.rig.library, *slot, *actions
        )
        return [
            line.removeprefix(f"{action} ") for line, action in zip(told.splitlines(), actions, strict=True)
        ]

    def certificate(self, label: str = SIGNING) -> x509.Certificate:
        """Return one of the card's certificates, as pkcs11-tool reads it."""
        return x509.load_pem_x509_certificate(
            (self.rig.folder / self.rig.save_certificate(label)).read_bytes()
        )


@pytest.fixture
def java(rig: Rig, classes: str) -> Java:
    return Java(rig, classes)


def verify(key: object, algorithm: str, signature: bytes) -> None:
    """See that a signature is right."""
    digest = HASHES[algorithm.partition("with")[0]] if "with" in algorithm else hashes.SHA256()

    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, MESSAGE, ec.ECDSA(digest))
        return

    assert isinstance(key, rsa.RSAPublicKey)
    mask = padding.PSS(padding.MGF1(digest), digest.digest_size)
    key.verify(signature, MESSAGE, mask if algorithm in PSS else padding.PKCS1v15(), digest)


# The key store


@pytest.mark.parametrize(("label", "slot"), [(SIGNING, MAIN), (CONSENTING, SIGNATURE)])
def test_the_key_store_has_the_key_and_its_certificate(java: Java, label: str, slot: tuple[str, str]) -> None:
    (entry,) = java("certificates", slot=slot)
    told, _, content = entry.rpartition(" ")
    holder = x509.load_der_x509_certificate(bytes.fromhex(content))
    assert told == f"key [{label}]"
    assert holder == java.certificate(label)
    holder.verify_directly_issued_by(issuer())


def test_a_wrong_pin_is_told_and_costs_one_try(java: Java) -> None:
    left = java.rig.tries()
    assert java("load", slot=("1", "9999")) == ["refused PKCS11Exception CKR_PIN_INCORRECT"]
    assert java.rig.tries() == left - 1


@dataclass
class Keytool:
    """keytool with the token of the main slot as its key store."""

    rig: Rig

    def __call__(self, *arguments: str) -> str:
        """Run it."""
        self.rig.write("token.cfg", f"name = Token\nlibrary = {self.rig.library}\nslot = 1\n")
        store = ("-keystore", "NONE", "-storetype", "PKCS11", "-storepass", "1234")
        provider = ("-addprovider", "SunPKCS11", "-providerArg", "token.cfg")
        return self.rig.run("keytool", "-J-XX:TieredStopAtLevel=1", *arguments, *store, *provider)

    def request(self, alias: str) -> x509.CertificateSigningRequest:
        """Return a request for a certificate that a key has signed."""
        self("-certreq", "-alias", alias, "-file", "request")
        return x509.load_pem_x509_csr((self.rig.folder / "request").read_bytes())


@pytest.fixture
def keytool(rig: Rig) -> Keytool:
    return Keytool(rig)


def test_keytool_lists_the_key_and_requests_a_certificate(keytool: Keytool) -> None:
    listed = keytool("-list")
    assert "Your keystore contains 1 entry" in listed
    assert f"{SIGNING}, PrivateKeyEntry" in listed
    request = keytool.request(SIGNING)
    assert request.is_signature_valid
    assert request.subject.rfc4514_string() == rf"CN=Holder\, {SIGNING}"


def test_keytool_puts_a_key_with_its_certificate_on_the_card_and_takes_it_away(keytool: Keytool) -> None:
    keytool("-genkeypair", "-keyalg", "RSA", "-keysize", "2048", "-alias", "new", "-dname", "CN=New")
    tool = ("--module", keytool.rig.library, "--slot", "1", "--list-objects", "--type", "cert")
    assert "CN=New" in keytool.rig.run("pkcs11-tool", *tool)
    assert keytool.request("new").is_signature_valid
    keytool("-delete", "-alias", "new")
    listed = keytool("-list")
    assert SIGNING in listed
    assert "new" not in listed


@pytest.mark.parametrize("model", ["cardos-4.4", "cardos-5.3"])
def test_keytool_installs_a_reply_for_a_key_that_the_profile_made_modifiable(
    tmp_path: Path, model: str
) -> None:
    with opened_rig(tmp_path, model, image=full_card(model, MODIFIABLE_KEY)) as rig:
        keytool = Keytool(rig)
        request = keytool.request(SIGNING)
        reply = certified(request)
        chain = (each.public_bytes(Encoding.PEM).decode() for each in (reply, issuer()))
        rig.write("reply", "".join(chain))

        told = keytool("-importcert", "-noprompt", "-alias", SIGNING, "-file", "reply")
        assert "Certificate reply was installed in keystore" in told
        listed = keytool("-list", "-v", "-alias", SIGNING)
        assert "Entry type: PrivateKeyEntry" in listed
        serial = re.search(r"^Serial number: (\w+)$", listed, re.MULTILINE)
        assert serial
        assert int(serial[1], 16) == reply.serial_number

        again = keytool.request(SIGNING)  # signed with the key that it was before
        assert again.is_signature_valid
        assert again.public_key() == request.public_key()


# What the key does


def test_every_rsa_signature_is_right(java: Java) -> None:
    algorithms = [*(f"{name}withRSA" for name in HASHES), *PSS]
    signatures = java(*(f"sign={algorithm}" for algorithm in algorithms))
    key = java.certificate().public_key()

    for algorithm, signature in zip(algorithms, signatures, strict=True):
        verify(key, algorithm, bytes.fromhex(signature))


def test_every_ecdsa_signature_is_right(curve_rig: Rig, classes: str) -> None:
    java = Java(curve_rig, classes)
    algorithms = [f"{name}withECDSA" for name in HASHES]
    signatures = java(*(f"sign={algorithm}" for algorithm in algorithms))
    key = java.certificate().public_key()

    for algorithm, signature in zip(algorithms, signatures, strict=True):
        verify(key, algorithm, bytes.fromhex(signature))


def test_what_is_encrypted_for_the_certificate_is_decrypted(java: Java) -> None:
    key = java.certificate().public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    (java.rig.folder / "encrypted").write_bytes(key.encrypt(b"a secret", padding.PKCS1v15()))
    assert java("decrypt=encrypted") == ["a secret"]


def test_random_numbers_are_the_card_s(java: Java) -> None:
    first, second = java("random", "random")
    assert first != second
    assert len(first) == 32


# Logins that end


def test_a_program_with_a_section_of_its_own_signs_twice(tmp_path: Path, classes: str) -> None:
    with opened_rig(tmp_path, config=KEEPS_LOGIN.format("java.exe"), program="java.exe") as rig:
        java = Java(rig, classes)
        key = java.certificate().public_key()

        for signature in java(*TWICE):
            verify(key, "SHA256withRSA", bytes.fromhex(signature))


def test_a_section_is_found_by_the_name_of_the_executable(tmp_path: Path, classes: str) -> None:
    with opened_rig(tmp_path, config=KEEPS_LOGIN.format("java")) as rig:
        assert not any("refused" in told for told in Java(rig, classes)(*TWICE))


@pytest.mark.parametrize("config", [LOGOUT_AFTER_SIGN, KEEPS_LOGIN.format("other.exe")])
def test_without_it_the_second_signature_needs_another_login_and_the_key_anew(
    tmp_path: Path, classes: str, config: str
) -> None:
    with opened_rig(tmp_path, config=config, program="java.exe") as rig:
        java = Java(rig, classes)
        first, *told, last = java(*TWICE, "key", "login", SIGN, "key", SIGN)
        assert told == [NOT_LOGGED_IN, "gone", "done", STALE_KEY, "there"]
        assert rig.results("C_SignInit")[1] == "CKR_USER_NOT_LOGGED_IN"

        for signature in (first, last):
            verify(java.certificate().public_key(), "SHA256withRSA", bytes.fromhex(signature))


def test_a_key_that_wants_its_pin_for_each_signature_never_gets_it_from_java(java: Java) -> None:
    assert java(SIGN, "login", SIGN, slot=SIGNATURE) == [
        NOT_LOGGED_IN,
        "done",
        NOT_LOGGED_IN,
    ]
