"""OpenSC's own programs use Gemalto's cards: IDClassic by their driver gemsafeV1, IDPrime by idprime.

With the former they decipher with keys of 1024 bits alone. With IDPrime their test of OAEP passes a label,
which no card gets to know; of the second PIN version 0.23 knows nothing. So do they with real cards.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cardtwin.card import CardView
from cardtwin.ppa.shipped import shipped_profile
from cardtwin.targets.issuing.containers import idprime_image
from support.gemalto import container, idprime, keys
from support.interop import shared_library
from support.programs import encoded
from support.rig import full_card, opened_rig

if TYPE_CHECKING:
    from pathlib import Path

    from cardtwin.card import CardImage
    from support.interop import Desk

PIN = ("--auth-id", "01", "--pin", "1234")
IDPRIME_PIN = ("--auth-id", "11", "--pin", "1234")
MESSAGE = b"signed on the card\n"
PSS = ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:-1")
OAEP = ("-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256")


@pytest.fixture(scope="session")
def token() -> CardImage:
    """The image of an IDClassic 340 that our own encoding has made."""
    return full_card("idclassic-340")


@pytest.fixture
def classic(desk: Desk, token: CardImage) -> Desk:
    desk.insert(token.model, token)
    return desk


@pytest.fixture
def prime(desk: Desk) -> Desk:
    desk.insert("idprime-940", idprime())
    (desk.folder / "message").write_bytes(MESSAGE)
    return desk


def module(*arguments: str) -> tuple[str, ...]:
    return ("--module", shared_library("opensc-pkcs11.so"), "--login", "--pin", "1234", *arguments)


def signing_key(desk: Desk, *, certified: bool = True) -> str:
    """Return the id of the key that signs; the public half in its certificate goes to public.pem."""
    found = re.search(
        r"\[Digital Signature\].*?\n\tID\s*: (\w+)", desk.run("pkcs15-tool", "--list-keys"), re.DOTALL
    )
    assert found

    if not certified:
        return found[1]

    desk.run("pkcs15-tool", "--read-certificate", found[1], "-o", "holder.pem")
    public = desk.run("openssl", "x509", "-in", "holder.pem", "-noout", "-pubkey")
    (desk.folder / "public.pem").write_text(public)
    (desk.folder / "message").write_bytes(MESSAGE)
    return found[1]


def test_both_cards_are_recognised_by_their_drivers_even_when_empty(desk: Desk) -> None:
    desk.insert("idclassic-340")
    assert "GemSAFE V1" in desk.run("opensc-tool", "-n")
    desk.manager.remove("Emulated reader")
    desk.insert("idprime-940")
    assert "Gemalto IDPrime (OSv4)" in desk.run("opensc-tool", "-n")


def test_opensc_lists_what_our_encoding_has_made(classic: Desk) -> None:
    dump = classic.run("pkcs15-tool", "-D")
    kinds = re.findall(
        r"^(PIN|Private RSA Key|Public RSA Key|X.509 Certificate|Data object)\b", dump, re.MULTILINE
    )
    assert Counter(kinds) == {
        "PIN": 6,
        "Private RSA Key": 2,
        "Public RSA Key": 2,
        "X.509 Certificate": 4,
        "Data object": 1,
    }
    assert b"cardtwin_IDClassic340".hex().upper() in dump


def test_pins_of_our_encoding_are_verified_changed_and_unblocked(classic: Desk) -> None:
    classic.run("pkcs15-tool", "--change-pin", *PIN, "--new-pin", "654321")

    for _ in range(3):
        classic.run("pkcs15-tool", "--verify-pin", *PIN, succeeds=False)

    classic.run("pkcs15-tool", "--verify-pin", "--auth-id", "01", "--pin", "654321", succeeds=False)
    classic.run("pkcs15-tool", "--unblock-pin", "--auth-id", "01", "--puk", "12345678", "--new-pin", "1234")
    classic.run("pkcs15-tool", "--verify-pin", *PIN)


def test_a_hash_is_signed_with_a_key_of_our_encoding(classic: Desk) -> None:
    key = signing_key(classic)
    (classic.folder / "hash").write_bytes(hashlib.sha256(MESSAGE).digest())
    sign = ("-s", "-k", key, "--pin", "1234", "--pkcs1", "--sha-256", "-R", "-i", "hash", "-o", "signature")
    classic.run("pkcs15-crypt", *sign)
    assert classic.verified("sha256", "public.pem", "signature", "message")


def test_through_pkcs11_it_signs_and_tests_its_signatures(classic: Desk) -> None:
    key = signing_key(classic)
    sign = ("--sign", "-m", "SHA256-RSA-PKCS", "--id", key, "-i", "message", "-o", "signature")
    classic.run("pkcs11-tool", *module(*sign))
    assert classic.verified("sha256", "public.pem", "signature", "message")
    tested = classic.run("pkcs11-tool", *module("--test"), succeeds=False)
    assert "all 4 signature functions seem to work" in tested
    assert "C_Decrypt failed: rv = CKR_ARGUMENTS_BAD" in tested


def test_a_key_of_1024_bits_deciphers(desk: Desk) -> None:
    text = shipped_profile("idclassic-340", "full").read_text()
    text = text.replace("size=2048 use=sign,decipher", "size=1024 use=sign,decipher")
    image = encoded(
        "idclassic-340", text.replace("X_Default SEC_PIN1 value=SECRANDOM(6)", "SEC_PIN1 = '1234'")
    )
    public = CardView(image).keys["3F00/5015", 1]
    assert public.kind == "RSA-1024"
    desk.insert(image.model, image)
    (desk.folder / "public.der").write_bytes(public.public)
    (desk.folder / "message").write_bytes(MESSAGE)
    encipher = ("-encrypt", "-pubin", "-keyform", "DER", "-inkey", "public.der", "-in", "message")
    desk.run("openssl", "pkeyutl", *encipher, "-out", "secret")
    key = signing_key(desk, certified=False)
    desk.run("pkcs15-crypt", "-c", "-k", key, "--pin", "1234", "--pkcs1", "-R", "-i", "secret", "-o", "plain")
    assert (desk.folder / "plain").read_bytes() == MESSAGE


def test_our_library_signs_with_the_same_card(tmp_path: Path, token: CardImage) -> None:
    with opened_rig(tmp_path, "idclassic-340", image=token) as rig:
        (tmp_path / "message").write_bytes(MESSAGE)
        which = ("--module", rig.library, "--slot", "1", "--login", "--pin", "1234")
        sign = ("--label", "Digital Signature", "--sign", "-m", "SHA256-RSA-PKCS")
        rig.run("pkcs11-tool", *which, *sign, "-i", "message", "-o", "signature")
        holder = rig.save_certificate()
        (tmp_path / "public.pem").write_text(rig.run("openssl", "x509", "-in", holder, "-noout", "-pubkey"))
        verify = ("dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "message")
        assert "Verified OK" in rig.run("openssl", *verify)


def test_the_containers_of_an_idprime_are_listed_with_their_keys(prime: Desk) -> None:
    dump = prime.run("pkcs15-tool", "-D")
    assert "PKCS#15 Card [Twin]" in dump
    assert "Serial number  : 636172647477696e2d6964702d393430" in dump
    assert re.findall(r"Key ref +: \d+ \((0x\w+)\)", dump)[:2] == ["0x56", "0x57"]
    assert len(re.findall(r"^X.509 Certificate", dump, re.MULTILINE)) == 3


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_certificate_of_an_idprime_is_read_whole(prime: Desk, number: int) -> None:
    prime.run("pkcs15-tool", "--read-certificate", f"000{number + 1}", "-o", "holder.pem")
    told = x509.load_pem_x509_certificate((prime.folder / "holder.pem").read_bytes())
    assert told.public_key() == keys()[number].public_key()


def test_the_pin_of_an_idprime_is_verified_changed_and_blocked(prime: Desk) -> None:
    prime.run("pkcs15-tool", "--verify-pin", *IDPRIME_PIN)
    prime.run("pkcs15-tool", "--change-pin", *IDPRIME_PIN, "--new-pin", "654321")
    prime.run("pkcs15-tool", "--verify-pin", "--auth-id", "11", "--pin", "654321")

    for _ in range(5):
        prime.run("pkcs15-tool", "--verify-pin", *IDPRIME_PIN, succeeds=False)

    prime.run("pkcs15-tool", "--verify-pin", "--auth-id", "11", "--pin", "654321", succeeds=False)


def public_key_to(desk: Desk, name: str) -> None:
    key = keys()[0].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (desk.folder / name).write_bytes(key)


@pytest.mark.parametrize(
    ("mechanism", "options"),
    [("SHA256-RSA-PKCS", ()), ("SHA512-RSA-PKCS", ()), ("SHA256-RSA-PKCS-PSS", PSS)],
    ids=["sha256", "sha512", "pss"],
)
def test_an_idprime_signs_what_openssl_verifies(
    prime: Desk, mechanism: str, options: tuple[str, ...]
) -> None:
    public_key_to(prime, "public.pem")
    sign = ("--sign", "-m", mechanism, "--id", "0001", "-i", "message", "-o", "signature")
    prime.run("pkcs11-tool", *module(*sign))
    digest = mechanism[:6].lower()
    verify = ("dgst", f"-{digest}", "-verify", "public.pem", *options, "-signature", "signature", "message")
    assert "Verified OK" in prime.run("openssl", *verify)


@pytest.mark.parametrize(
    ("mechanism", "options"),
    [
        (("RSA-PKCS",), ()),
        (("RSA-PKCS-OAEP", "--hash-algorithm", "SHA256", "--mgf", "MGF1-SHA256"), OAEP),
    ],
    ids=["pkcs1", "oaep"],
)
def test_an_idprime_deciphers_what_openssl_has_enciphered(
    prime: Desk, mechanism: tuple[str, ...], options: tuple[str, ...]
) -> None:
    public_key_to(prime, "public.pem")
    encipher = ("-encrypt", "-pubin", "-inkey", "public.pem", "-in", "message", "-out", "secret")
    prime.run("openssl", "pkeyutl", *encipher, *options)
    decipher = ("--decrypt", "-m", *mechanism, "--id", "0001", "-i", "secret", "-o", "plain")
    prime.run("pkcs11-tool", *module(*decipher))
    assert (prime.folder / "plain").read_bytes() == MESSAGE


def test_an_idprime_passes_pkcs11_tool_s_test_up_to_a_label(desk: Desk) -> None:
    desk.insert("idprime-940", idprime_image([container("alone", keys()[0])], pin=b"1234"))
    tested = desk.run("pkcs11-tool", *module("--test"), succeeds=False)
    assert "all 4 signature functions seem to work" in tested
    assert "SHA256-RSA-PKCS: OK" in tested
    assert "encoding parameter (Label) present" in tested
    assert "C_Decrypt failed: rv = CKR_DATA_INVALID" in tested
