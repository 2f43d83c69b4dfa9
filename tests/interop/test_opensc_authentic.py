"""OpenSC's own programs use an AuthentIC card on Cosmo 7, by their driver authentic.

What OpenSC 0.23 can't do there it can't with a real card either. It has no commands that make the
application, a DF or a PIN. Keys it would make, but it takes the length of their conditions for an error
before it sends any command: pkcs15-init -G and -S end so. With extended lengths it refuses to decipher, again
by itself. None of that depends on OpenSSL. Secure messaging is not tried: no condition asks for it.
"""

from __future__ import annotations

import re
from collections import Counter

import pytest

from cardtwin.entropy import SeededEntropy
from cardtwin.targets.issuing import IssuedCard, issue_authentic
from support.interop import EXTENDED, Desk, shared_library

MODEL = "authentic-3"
PIN = ("--auth-id", "01", "--pin", "1234")
KEY = ("-k", "01", "--pin", "1234", "--pkcs1")


@pytest.fixture(scope="session")
def authentic() -> IssuedCard:
    """An issued card."""
    return issue_authentic(SeededEntropy("authentic"))


@pytest.fixture
def used(desk: Desk, authentic: IssuedCard) -> Desk:
    """A desk with such a card, and a message to be signed."""
    desk.insert(MODEL, authentic.image)
    (desk.folder / "message").write_text("signed on the card\n")
    return desk


def public_key(desk: Desk) -> str:
    """Let OpenSC read the certificate; return the name of a file with its key."""
    desk.run("pkcs15-tool", "--read-certificate", "01", "-o", "holder.pem")
    desk.run("openssl", "x509", "-in", "holder.pem", "-noout", "-pubkey", "-out", "public.pem")
    return "public.pem"


def written(desk: Desk) -> list[bytes]:
    """Return the commands so far that make or change keys and files."""
    return [command for command in desk.commands if command[1] in {0x47, 0xD6, 0xDB, 0xE0, 0xE4}]


def test_the_card_is_recognised_and_listed_whole(used: Desk) -> None:
    assert "AuthentIC 3.2.2" in used.run("opensc-tool", "-n")
    assert "00 00 1B 5C" in used.run("opensc-tool", "--serial")
    dump = used.run("pkcs15-tool", "-D")
    assert "PKCS#15 Card [cardtwin AuthentIC]" in dump
    kinds = re.findall(r"^(PIN|Private RSA Key|X.509 Certificate)\b", dump, re.MULTILINE)
    assert kinds == ["PIN", "PIN", "Private RSA Key", "X.509 Certificate"]


def test_a_pin_is_verified_changed_blocked_and_unblocked(used: Desk) -> None:
    used.run("pkcs15-tool", "--verify-pin", *PIN)
    used.run("pkcs15-tool", "--change-pin", *PIN, "--new-pin", "654321")

    for _ in range(5):
        used.run("pkcs15-tool", "--verify-pin", *PIN, succeeds=False)

    used.run("pkcs15-tool", "--verify-pin", "--auth-id", "01", "--pin", "654321", succeeds=False)
    unblock = ("--auth-id", "01", "--puk", "12345678", "--new-pin", "1234")
    used.run("pkcs15-tool", "--unblock-pin", *unblock)
    used.run("pkcs15-tool", "--verify-pin", *PIN)


@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_a_digest_that_the_card_completes_makes_a_signature_that_openssl_verifies(
    used: Desk, digest: str
) -> None:
    used.run("openssl", "dgst", f"-{digest}", "-binary", "-out", "digest", "message")
    named = f"--{digest.replace('sha', 'sha-')}"
    used.run("pkcs15-crypt", "-s", *KEY, named, "-R", "-i", "digest", "-o", "signature")
    assert used.verified(digest, public_key(used), "signature", "message")


def test_the_card_deciphers_what_openssl_has_enciphered(used: Desk) -> None:
    encipher = ("-encrypt", "-pubin", "-inkey", public_key(used), "-in", "message", "-out", "secret")
    used.run("openssl", "pkeyutl", *encipher)
    used.run("pkcs15-crypt", "-c", *KEY, "-R", "-i", "secret", "-o", "plain")
    assert (used.folder / "plain").read_text() == "signed on the card\n"
    assert [command for command in used.commands if command[:4] == bytes.fromhex("102A8086")]


def test_with_extended_lengths_opensc_deciphers_nothing_and_asks_the_card_nothing(used: Desk) -> None:
    used.config = EXTENDED
    (used.folder / "secret").write_bytes(bytes(256))
    told = used.run("pkcs15-crypt", "-c", *KEY, "-R", "-i", "secret", "-o", "plain", succeeds=False)
    assert "Decrypt failed: Invalid arguments" in told
    assert not [command for command in used.commands if command[1] == 0x2A]


def test_through_pkcs11_the_whole_test_of_pkcs11_tool_passes(used: Desk) -> None:
    module = ("--module", shared_library("opensc-pkcs11.so"), "--login", "--pin", "1234")
    tested = used.run("pkcs11-tool", *module, "--test")
    assert "all 4 signature functions seem to work" in tested
    assert Counter(re.findall(r"(\S+): OK", tested))["SHA256-RSA-PKCS"] == 1
    assert "No errors" in tested


def test_pkcs15_init_stores_and_deletes_a_certificate(used: Desk) -> None:
    public_key(used)
    used.run("pkcs15-init", "-X", "holder.pem", "-i", "45", "-l", "Another", *PIN)
    assert "X.509 Certificate [Another]" in used.run("pkcs15-tool", "-D")
    used.run("pkcs15-tool", "--read-certificate", "45", "-o", "again.pem")
    assert (used.folder / "again.pem").read_bytes() == (used.folder / "holder.pem").read_bytes()
    assert "Deleted 1 objects" in used.run("pkcs15-init", "-D", "cert", "-i", "45", *PIN)
    assert "Another" not in used.run("pkcs15-tool", "-D")
    assert [command[1] for command in written(used) if command[1] != 0xD6] == [0xE0, 0xE4]


def test_pkcs15_init_ends_before_it_makes_a_key(used: Desk) -> None:
    used.run("openssl", "genrsa", "-out", "own.pem", "2048")
    generated = used.run("pkcs15-init", "-G", "rsa/2048", "-i", "45", *PIN, succeeds=False)
    stored = used.run("pkcs15-init", "-S", "own.pem", "-i", "46", *PIN, succeeds=False)
    assert "Failed to generate key: Invalid data" in generated
    assert "Failed to store private key: Invalid data" in stored
    assert not written(used)


def test_pkcs15_init_makes_neither_an_application_nor_a_pin(desk: Desk, authentic: IssuedCard) -> None:
    card = desk.insert(MODEL, authentic.image)
    pin = ("--pin", "1234", "--puk", "12345678", "--so-pin", "12345678")
    made = desk.run("pkcs15-init", "-P", "-a", "03", "-l", "Second", *pin, succeeds=False)
    assert "Not supported" in made
    assert not written(desk)
    assert card.image.files == authentic.image.files
