"""OpenSC's own programs use a Cosmo with IAS-ECC, by their driver iasecc.

Digests that the card finishes, SHA1-RSA-PKCS and SHA256-RSA-PKCS, they leave out above OpenSSL 3: the driver
takes the digest's state from OpenSSL's structures, which are hidden there. So do they with a real card.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import pytest

from support.cosmo import personalised
from support.interop import shared_library
from support.rig import opened_rig

if TYPE_CHECKING:
    from pathlib import Path

    from cardtwin.card import CardImage
    from support.interop import Desk

PIN = ("--auth-id", "01", "--pin", "1234")
KEY = ("-k", "45", "--pin", "1234", "--pkcs1")
DIGEST_INFO = bytes.fromhex("3031300D060960864801650304020105000420")


@pytest.fixture(scope="session", params=["cosmo-7", "cosmo-8.2"])
def token(request: pytest.FixtureRequest) -> CardImage:
    """The image of a personalised card of each model."""
    return personalised(request.param).card.image


@pytest.fixture
def used(desk: Desk, token: CardImage) -> Desk:
    """A desk with such a card."""
    desk.insert(token.model, token)
    return desk


def test_the_card_is_recognised_by_its_driver(used: Desk) -> None:
    assert "IAS-ECC" in used.run("opensc-tool", "-n")


def test_a_blank_card_is_recognised_too(desk: Desk) -> None:
    card = desk.insert("cosmo-8.2")
    assert "IAS-ECC" in desk.run("opensc-tool", "-n")
    serial = desk.run("opensc-tool", "--serial").splitlines()[-1]
    assert bytes.fromhex(re.sub(r"[^0-9A-F ]|  .*", "", serial))[:8] == card.image.serial


def test_the_token_is_listed_whole(used: Desk) -> None:
    dump = used.run("pkcs15-tool", "-D")
    assert "PKCS#15 Card [Twin]" in dump
    kinds = re.findall(r"^(PIN|Private RSA Key|Public RSA Key)\b", dump, re.MULTILINE)
    assert kinds == ["PIN", "PIN", "Private RSA Key", "Public RSA Key"]
    assert "e828bd080ff2504f5420415750::" in dump


def test_a_pin_is_verified_changed_blocked_and_unblocked(used: Desk) -> None:
    used.run("pkcs15-tool", "--verify-pin", *PIN)
    used.run("pkcs15-tool", "--change-pin", *PIN, "--new-pin", "654321")

    for _ in range(3):
        used.run("pkcs15-tool", "--verify-pin", *PIN, succeeds=False)

    used.run("pkcs15-tool", "--verify-pin", "--auth-id", "01", "--pin", "654321", succeeds=False)
    unblock = ("--auth-id", "01", "--puk", "87654321", "--new-pin", "1234")
    used.run("pkcs15-tool", "--unblock-pin", *unblock)
    used.run("pkcs15-tool", "--verify-pin", *PIN)


def test_the_puk_is_changed_as_a_pin_is(used: Desk) -> None:
    used.run("pkcs15-tool", "--change-pin", "--auth-id", "02", "--pin", "87654321", "--new-pin", "11112222")
    unblock = ("--auth-id", "01", "--puk", "11112222", "--new-pin", "1234")
    used.run("pkcs15-tool", "--unblock-pin", *unblock)
    assert not [command for command in used.commands if command[:4] == bytes.fromhex("002C0001")]


def test_a_signature_is_verified_by_openssl(used: Desk) -> None:
    (used.folder / "message").write_text("signed on the card\n")
    digest = hashlib.sha256(b"signed on the card\n").digest()
    (used.folder / "info").write_bytes(DIGEST_INFO + digest)
    used.run("pkcs15-tool", "--read-public-key", "45", "-o", "public.pem")
    used.run("pkcs15-crypt", "-s", *KEY, "-R", "-i", "info", "-o", "signature")
    assert used.verified("sha256", "public.pem", "signature", "message")


def test_the_card_deciphers_what_openssl_has_enciphered(used: Desk) -> None:
    (used.folder / "message").write_text("for the card alone\n")
    used.run("pkcs15-tool", "--read-public-key", "45", "-o", "public.pem")
    encipher = ("-encrypt", "-pubin", "-inkey", "public.pem", "-in", "message", "-out", "secret")
    used.run("openssl", "pkeyutl", *encipher)
    used.run("pkcs15-crypt", "-c", *KEY, "-R", "-i", "secret", "-o", "plain")
    assert (used.folder / "plain").read_text() == "for the card alone\n"


def test_through_pkcs11_it_signs_and_tests_itself_up_to_digests_of_the_card_s_own(used: Desk) -> None:
    module = ("--module", shared_library("opensc-pkcs11.so"), "--login", "--pin", "1234")
    tested = used.run("pkcs11-tool", *module, "--test", succeeds=False)
    assert "all 4 signature functions seem to work" in tested
    assert "RSA-PKCS: OK" in tested
    assert "C_Sign failed: rv = CKR_FUNCTION_NOT_SUPPORTED" in tested

    (used.folder / "message").write_text("through PKCS#11\n")
    digest = hashlib.sha256(b"through PKCS#11\n").digest()
    (used.folder / "info").write_bytes(DIGEST_INFO + digest)
    sign = ("--sign", "-m", "RSA-PKCS", "--id", "45", "-i", "info", "-o", "signature")
    used.run("pkcs11-tool", *module, *sign)
    used.run("pkcs15-tool", "--read-public-key", "45", "-o", "public.pem")
    assert used.verified("sha256", "public.pem", "signature", "message")


def test_our_library_signs_with_a_card_that_our_encoding_has_made(tmp_path: Path) -> None:
    with opened_rig(tmp_path, "cosmo-8.2") as rig:
        (tmp_path / "message").write_text("signed on the card\n")
        key = (
            "--module",
            rig.library,
            "--slot",
            "1",
            "--login",
            "--pin",
            "1234",
            "--label",
            "Digital Signature",
        )
        rig.run("pkcs11-tool", *key, "--sign", "-m", "SHA256-RSA-PKCS", "-i", "message", "-o", "signature")
        holder = rig.save_certificate()
        (tmp_path / "public.pem").write_text(rig.run("openssl", "x509", "-in", holder, "-noout", "-pubkey"))
        verify = ("dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "message")
        assert "Verified OK" in rig.run("openssl", *verify)
