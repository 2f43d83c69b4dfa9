"""OpenSC's own programs use an AuthentIC V2 card on Cosmo 5, by their driver oberthur.

What OpenSC 0.23 can't do there it can't with a real card either. It takes "no hash" for a hash, and so
refuses each signature by itself. To unblock a PIN it verifies the PUK, reads the reset code, and then finds
fault with its own arguments. Erasing asks for the officer's PIN on a terminal. None of that depends on
OpenSSL.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cardtwin.card import CardView
from cardtwin.card import image as images
from cardtwin.entropy import SeededEntropy
from cardtwin.targets.issuing import issue
from support.interop import Desk, opened_desk, shared_library
from support.rig import issuer

if TYPE_CHECKING:
    from pathlib import Path

    from cardtwin.card import CardImage

MODEL = "authentic-2"
OFFICER = ("--so-pin", "12345678")
ID = ("--auth-id", "53434D")
PIN = (*ID, "--pin", "1234")


@pytest.fixture(scope="session")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> CardImage:
    """The image of a card that pkcs15-init has initialised; key 45 was generated on it."""
    with opened_desk(tmp_path_factory.mktemp("awp")) as desk:
        card = desk.insert(MODEL, issue("authentic-2", SeededEntropy("awp")).image)
        both = ("-C", "-P", "-a", "53434D", "-l", "Twin", "--pin", "1234", "--puk", "87654321")
        desk.run("pkcs15-init", *both, *OFFICER)
        desk.run("pkcs15-init", "-G", "rsa/2048", "-i", "45", "-u", "sign,decrypt", "-l", "Made", *PIN)
        return card.image


@pytest.fixture
def used(desk: Desk, initialised: CardImage) -> Desk:
    """A desk with such a card, and a message."""
    desk.insert(MODEL, initialised)
    (desk.folder / "message").write_text("for the card alone\n")
    return desk


def headers(desk: Desk) -> set[str]:
    """Return CLA, INS and P1 of the commands so far."""
    return {command[:3].hex().upper() for command in desk.commands}


def deciphered(desk: Desk, key: str) -> str:
    """Let OpenSSL encipher the message with a key that OpenSC reads, and the card decipher it."""
    desk.run("pkcs15-tool", "--read-public-key", key, "-o", "public.pem")
    encipher = ("-encrypt", "-pubin", "-inkey", "public.pem", "-in", "message", "-out", "secret")
    desk.run("openssl", "pkeyutl", *encipher)
    desk.run("pkcs15-crypt", "-c", "-k", key, "--pin", "1234", "--pkcs1", "-R", "-i", "secret", "-o", "plain")
    return (desk.folder / "plain").read_text()


def test_an_empty_card_is_recognised(desk: Desk) -> None:
    desk.insert(MODEL, issue("authentic-2", SeededEntropy("awp")).image)
    assert "AuthentIC v5" in desk.run("opensc-tool", "-n")
    assert "00 00 1A 4D" in desk.run("opensc-tool", "--serial")


def test_an_initialised_card_is_listed_whole(used: Desk) -> None:
    dump = used.run("pkcs15-tool", "-D")
    assert "PKCS#15 Card [Twin]" in dump
    kinds = re.findall(r"^(PIN|Private RSA Key|Public RSA Key) \[(.*)\]", dump, re.MULTILINE)
    assert kinds == [
        ("PIN", "SO PIN"),
        ("PIN", "SCM"),
        ("Private RSA Key", "Made"),
        ("Public RSA Key", "Made"),
    ]


def test_the_pin_is_defined_only_while_the_officer_s_is_verified(desk: Desk) -> None:
    card = desk.insert(MODEL, issue("authentic-2", SeededEntropy("awp")).image)
    desk.run("pkcs15-init", "-C", "-l", "Twin", "--pin", "1234", "--puk", "87654321", *OFFICER)
    define = ("-P", "-a", "53434D", "-l", "Main", "--pin", "1234", "--puk", "87654321", *OFFICER)
    assert "Security status not satisfied" in desk.run("pkcs15-init", *define, succeeds=False)
    assert [key.id for key in card.image.objects] == [4]


def test_a_pin_is_verified_and_changed(used: Desk) -> None:
    used.run("pkcs15-tool", "--verify-pin", *PIN)
    used.run("pkcs15-tool", "--change-pin", *PIN, "--new-pin", "4321")
    used.run("pkcs15-tool", "--verify-pin", *PIN, succeeds=False)
    assert "Tries left     : 4" in used.run("pkcs15-tool", "--list-pins")
    used.run("pkcs15-tool", "--verify-pin", *ID, "--pin", "4321")


def test_the_card_deciphers_with_a_key_made_on_it(used: Desk) -> None:
    assert deciphered(used, "45") == "for the card alone\n"


def test_a_key_is_stored_used_and_deleted(used: Desk) -> None:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    (used.folder / "own.pem").write_bytes(pem)
    used.run("pkcs15-init", "-S", "own.pem", "-i", "46", "-u", "sign,decrypt", "-l", "Stored", *PIN)
    assert "90D801" in headers(used), "the modulus comes in two pieces"
    assert deciphered(used, "46") == "for the card alone\n"
    assert "Deleted 2 objects" in used.run("pkcs15-init", "-D", "privkey,pubkey", "-i", "46", *PIN)
    assert "Stored" not in used.run("pkcs15-tool", "-D")
    assert deciphered(used, "45") == "for the card alone\n"


def test_a_certificate_is_stored_and_read(used: Desk) -> None:
    pem = issuer().public_bytes(Encoding.PEM)
    (used.folder / "holder.pem").write_bytes(pem)
    used.run("pkcs15-init", "-X", "holder.pem", "-i", "47", "-l", "Certificate", *PIN)
    listed = used.run("pkcs15-tool", "--list-certificates")
    found = re.search(r"\tID\s*: (\w+)", listed)
    assert found
    used.run("pkcs15-tool", "--read-certificate", found[1], "-o", "again.pem")
    assert (used.folder / "again.pem").read_bytes() == pem


@pytest.mark.parametrize("mechanism", ["RSA-PKCS", "SHA256-RSA-PKCS"])
def test_opensc_refuses_to_sign_before_it_chooses_the_key(used: Desk, mechanism: str) -> None:
    module = ("--module", shared_library("opensc-pkcs11.so"), "--login", "--pin", "1234")
    sign = ("--sign", "-m", mechanism, "--id", "45", "-i", "message", "-o", "signature")
    told = used.run("pkcs11-tool", *module, *sign, succeeds=False)
    assert "CKR_FUNCTION_NOT_SUPPORTED" in told
    assert not {"002241", "002A9E"} & headers(used)


def test_opensc_does_not_get_to_the_reset_of_a_pin(used: Desk) -> None:
    unblock = ("--unblock-pin", *ID, "--puk", "12345678", "--new-pin", "4321")
    assert "Invalid arguments" in used.run("pkcs15-tool", *unblock, succeeds=False)
    assert any(command[:4] == bytes.fromhex("00200084") and command[4:] for command in used.commands)
    assert "002C00" not in headers(used)
    used.run("pkcs15-tool", "--verify-pin", *PIN)


def test_keys_are_told_apart_by_their_files(initialised: CardImage) -> None:
    view = CardView(initialised)
    assert {place: key.kind for place, key in view.keys.items()} == {("3F00/5011/9002", 0x3000): "RSA-2048"}


def test_an_initialised_card_is_kept_in_a_file(initialised: CardImage, tmp_path: Path) -> None:
    images.save(initialised, tmp_path / "card.image")
    assert images.load(tmp_path / "card.image") == initialised
