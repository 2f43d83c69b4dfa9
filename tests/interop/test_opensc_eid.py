"""OpenSC's own programs use an eID card on Cosmo 8.1, by their driver esteid2018."""

from __future__ import annotations

import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cardtwin.entropy import SeededEntropy
from cardtwin.targets.issuing import IssuedCard, issue_eid
from support.interop import Desk, shared_library

MODEL = "eid-8.1"
PIN1, PIN2, PUK = "1234", "123456", "12345678"


@pytest.fixture(scope="session")
def eid() -> IssuedCard:
    """An issued card."""
    return issue_eid(SeededEntropy("eid"))


@pytest.fixture
def used(desk: Desk, eid: IssuedCard) -> Desk:
    """A desk with such a card, and who holds it in a file."""
    desk.insert(MODEL, eid.image)
    (desk.folder / "message").write_text("signed on the card\n")
    return desk


def pkcs11(desk: Desk, *arguments: str) -> str:
    return desk.run("pkcs11-tool", "--module", shared_library("opensc-pkcs11.so"), *arguments)


def public_key(desk: Desk, number: str) -> str:
    """Let OpenSC read a certificate; return the name of a file with its key."""
    desk.run("pkcs15-tool", "--read-certificate", number, "-o", f"{number}.pem")
    desk.run("openssl", "x509", "-in", f"{number}.pem", "-noout", "-pubkey", "-out", f"{number}.pub")
    return f"{number}.pub"


def test_the_card_is_recognised_and_listed_whole(used: Desk) -> None:
    assert "EstEID 2018" in used.run("opensc-tool", "-n")
    dump = used.run("pkcs15-tool", "-D")
    assert "PKCS#15 Card [TWIN,CARD,00000000000]" in dump
    assert "Serial number  : CT0000001" in dump
    assert re.findall(r"Tries left     : (\d+)", dump) == ["3", "3", "3"]
    kinds = re.findall(r"^(PIN|Private EC Key|X.509 Certificate) \[(.*)\]", dump, re.MULTILINE)
    labels = ["Isikutuvastus", "Allkirjastamine"]
    assert kinds == [
        *(("PIN", label) for label in ("PIN1", "PIN2", "PUK")),
        *(("Private EC Key", label) for label in labels),
        *(("X.509 Certificate", label) for label in labels),
    ]


@pytest.mark.parametrize(("number", "label"), [("1", "Isikutuvastus"), ("2", "Allkirjastamine")])
def test_certificates_are_read_whole_and_their_issuer_is_theirs(
    used: Desk, eid: IssuedCard, number: str, label: str
) -> None:
    used.run("pkcs15-tool", "--read-certificate", number, "-o", "holder.pem")
    read = x509.load_pem_x509_certificate((used.folder / "holder.pem").read_bytes())
    assert read.public_bytes(Encoding.DER) == eid.certificates[label]
    issuer = x509.load_der_x509_certificate(eid.certificates["issuer"])
    (used.folder / "issuer.pem").write_bytes(issuer.public_bytes(Encoding.PEM))
    assert "holder.pem: OK" in used.run("openssl", "verify", "-CAfile", "issuer.pem", "holder.pem")


def test_the_tries_of_pin1_are_counted_down_in_the_list(used: Desk) -> None:
    for left in "210":
        used.run("pkcs15-tool", "--verify-pin", "--auth-id", "01", "--pin", "0000", succeeds=False)
        # Of the other PINs OpenSC 0.23 asks nothing: its loop ends after the first one.
        listed = used.run("pkcs15-tool", "--list-pins")
        assert re.findall(r"Tries left     : (\d+)", listed) == [left, "3", "3"]


@pytest.mark.parametrize(("number", "old", "new"), [("01", PIN1, "4321"), ("02", PIN2, "654321")])
def test_a_pin_is_changed_blocked_and_unblocked_by_the_puk(
    used: Desk, number: str, old: str, new: str
) -> None:
    pin = ("--auth-id", number)
    used.run("pkcs15-tool", "--verify-pin", *pin, "--pin", old)
    used.run("pkcs15-tool", "--change-pin", *pin, "--pin", old, "--new-pin", new)

    for _ in range(3):
        used.run("pkcs15-tool", "--verify-pin", *pin, "--pin", old, succeeds=False)

    used.run("pkcs15-tool", "--verify-pin", *pin, "--pin", new, succeeds=False)
    used.run("pkcs15-tool", "--unblock-pin", *pin, "--puk", PUK, "--new-pin", old)
    used.run("pkcs15-tool", "--verify-pin", *pin, "--pin", old)


def test_the_puk_is_changed_as_a_pin_is(used: Desk) -> None:
    used.run("pkcs15-tool", "--change-pin", "--auth-id", "03", "--pin", PUK, "--new-pin", "87654321")
    unblock = ("--unblock-pin", "--auth-id", "01", "--new-pin", PIN1, "--puk")
    used.run("pkcs15-tool", *unblock, PUK, succeeds=False)
    used.run("pkcs15-tool", *unblock, "87654321")


@pytest.mark.parametrize("mechanism", ["ECDSA-SHA256", "ECDSA-SHA384"])
def test_the_authentication_key_signs_and_openssl_verifies(used: Desk, mechanism: str) -> None:
    sign = ("--sign", "-m", mechanism, "--id", "01", "-i", "message", "-o", "signature")
    pkcs11(used, "--login", "--pin", PIN1, *sign, "--signature-format", "openssl")
    digest = mechanism.removeprefix("ECDSA-").lower()
    assert used.verified(digest, public_key(used, "1"), "signature", "message")


def test_the_signature_key_signs_with_pin2_and_openssl_verifies(used: Desk) -> None:
    sign = ("--sign", "-m", "ECDSA-SHA384", "--id", "02", "-i", "message", "-o", "signature")
    pkcs11(used, "--slot", "1", "--login", "--pin", PIN2, *sign, "--signature-format", "openssl")
    assert used.verified("sha384", public_key(used, "2"), "signature", "message")
    told = [command for command in used.commands if command[:4] == bytes.fromhex("00200085") and command[4:]]
    assert len(told) == 2, "PIN2 is verified at login, and again for the signature"


def test_the_authentication_key_agrees_with_openssl_on_a_key(used: Desk) -> None:
    used.run("openssl", "ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", "peer.pem")
    used.run("openssl", "pkey", "-in", "peer.pem", "-pubout", "-outform", "DER", "-out", "peer.der")
    derive = ("--derive", "-m", "ECDH1-DERIVE", "--id", "01", "-i", "peer.der", "-o", "shared")
    pkcs11(used, "--login", "--pin", PIN1, *derive)
    ours = ("-derive", "-inkey", "peer.pem", "-peerkey", public_key(used, "1"), "-out", "expected")
    used.run("openssl", "pkeyutl", *ours)
    assert (used.folder / "shared").read_bytes() == (used.folder / "expected").read_bytes()
