"""OpenSC's own programs use the cards that our encodings have made.

Above a Cosmo, release 0.23 leaves out digests that the card finishes, as test_opensc_cosmo tells: what is
signed there is the DigestInfo. Nor does its driver verify a PIN for one signature alone, for user consent.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from cardtwin.encoding import Engine
from cardtwin.entropy import SystemEntropy
from cardtwin.middleware import Installation, PersonalDesktopClient
from cardtwin.plan import Secret
from cardtwin.plan.cms import CmsPinBlobCodec
from cardtwin.ppa.shipped import shipped_profile
from cardtwin.source import SourceText
from support import programs
from support.encodings import INIT, certificate, job
from support.interop import Desk, lengths, shared_library
from support.rig import certify, issuer

if TYPE_CHECKING:
    from cardtwin.card import CardImage

SETTINGS = f"{INIT}Operator_PIN=OP\nSignPIN=#9999\nInitialLabel=#Twin\n"
CREDENTIALS = {"PIN": Secret.of("123456"), "PUK": Secret.of("12345678"), "OP": Secret.of("87654321")}
PIN = ("--auth-id", "01", "--pin", "123456")
DIGEST_INFO = bytes.fromhex("3031300D060960864801650304020105000420")
MODELS = ("cardos-4.3b", "cardos-4.4", "cardos-5.0", "cardos-5.3", "cardos-5.4", "cosmo-7", "cosmo-8.2")
MODULE = ("--module", shared_library("opensc-pkcs11.so"))
LOGIN = ("--login", "--pin", "123456")


cardos = pytest.mark.parametrize(
    "used", [name for name in MODELS if name.startswith("cardos-")], indirect=True
)


@cache
def encoded(model: str) -> CardImage:
    """Return the image of a card after an encoding with a profile of ours, with the holder's certificates."""
    desk = programs.Desk(model, blank=True)
    client = PersonalDesktopClient(
        desk.manager.context(),
        Installation(certificate("PIN encryption")),
        entropy=SystemEntropy(),
        codec=CmsPinBlobCodec(),
    )
    files = {"token.cpf": SourceText("token.cpf", shipped_profile(model, "full").read_text())}
    outcome = Engine(lambda _: client).run(job(SETTINGS, CREDENTIALS, attachments=files))
    assert outcome.error is None
    certify(desk, CREDENTIALS["PIN"], Secret.of("9999"))
    return desk.card.image


@pytest.fixture(params=MODELS)
def used(desk: Desk, request: pytest.FixtureRequest) -> Desk:
    """A desk with an encoded card."""
    desk.insert(request.param, encoded(request.param))
    return desk


def id_of(desk: Desk, label: str) -> str:
    """Return the identifier of the private key of that label."""
    listed = desk.run("pkcs15-tool", "--list-keys")
    found = re.search(rf"\[{label}\].*?\n\tID\s*: (\w+)", listed, re.DOTALL)
    assert found, listed
    return found[1]


def test_the_token_is_listed_whole(used: Desk) -> None:
    dump = used.run("pkcs15-tool", "-D")
    assert "PKCS#15 Card [Twin]" in dump
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
    assert re.search(r"PIN \[PUK\]\n.*\n.*\n\tFlags\s+: .*unblockingPin, soPin", dump)
    name = b"cardtwin_Cosmo" if is_cosmo(used) else b"cardtwin_CardOS"
    assert name.hex().upper() in dump


def is_cosmo(desk: Desk) -> bool:
    return "IAS-ECC" in desk.run("opensc-tool", "-n")


def write_hash(desk: Desk) -> tuple[str, ...]:
    """Write what pkcs15-crypt signs for the file `message`, and return its options for that."""
    digest = hashlib.sha256((desk.folder / "message").read_bytes()).digest()
    cosmo = is_cosmo(desk)
    (desk.folder / "hash").write_bytes(DIGEST_INFO + digest if cosmo else digest)
    return ("--pkcs1", "-R", "-i", "hash", *(() if cosmo else ("--sha-256",)))


@cardos
def test_cardos_tool_sees_the_burnt_fuse(used: Desk) -> None:
    assert "Current life cycle: 16 (operational)" in used.run("cardos-tool", "-i")


@pytest.mark.parametrize("label", ["Digital Signature", "Non Repudiation"])
def test_certificates_are_read(used: Desk, label: str) -> None:
    key = id_of(used, label)
    used.run("pkcs15-tool", "--read-certificate", key, "-o", "holder.pem")
    (used.folder / "issuer.pem").write_bytes(issuer().public_bytes(Encoding.PEM))
    assert "holder.pem: OK" in used.run("openssl", "verify", "-CAfile", "issuer.pem", "holder.pem")
    used.run("pkcs15-tool", "--read-public-key", key, "-o", "public.pem")
    certified = used.run("openssl", "x509", "-in", "holder.pem", "-pubkey", "-noout")
    assert certified == (used.folder / "public.pem").read_text()


@lengths
def test_a_signature_by_its_key_is_verified_by_openssl(used: Desk, config: str) -> None:
    used.config = config
    key = id_of(used, "Digital Signature")
    (used.folder / "message").write_text("signed on the card\n")
    used.run("pkcs15-tool", "--read-public-key", key, "-o", "public.pem")
    options = write_hash(used)
    used.run("pkcs15-crypt", "-s", "-k", key, "--pin", "123456", *options, "-o", "signature")
    assert used.verified("sha256", "public.pem", "signature", "message")


@lengths
def test_its_key_deciphers_what_openssl_has_enciphered(used: Desk, config: str) -> None:
    used.config = config
    key = id_of(used, "Digital Signature")
    (used.folder / "message").write_text("for the card alone\n")
    used.run("pkcs15-tool", "--read-public-key", key, "-o", "public.pem")
    encipher = ("-encrypt", "-pubin", "-inkey", "public.pem", "-in", "message", "-out", "secret")
    used.run("openssl", "pkeyutl", *encipher)
    decipher = ("-c", "-k", key, "--pin", "123456", "--pkcs1", "-R")
    used.run("pkcs15-crypt", *decipher, "-i", "secret", "-o", "plain")
    assert (used.folder / "plain").read_text() == "for the card alone\n"


@cardos
def test_the_signature_key_asks_for_its_own_pin(used: Desk) -> None:
    key = id_of(used, "Non Repudiation")
    (used.folder / "message").write_text("with consent\n")
    sign = ("-s", "-k", key, *write_hash(used), "-o", "signature", "--pin")
    used.run("pkcs15-crypt", *sign, "123456", succeeds=False)
    used.run("pkcs15-crypt", *sign, "9999")
    used.run("pkcs15-tool", "--read-public-key", key, "-o", "public.pem")
    assert used.verified("sha256", "public.pem", "signature", "message")


def test_the_puk_unblocks_the_pin(used: Desk) -> None:
    for _ in range(3):
        used.run("pkcs15-tool", "--verify-pin", "--auth-id", "01", "--pin", "000000", succeeds=False)

    used.run("pkcs15-tool", "--verify-pin", *PIN, succeeds=False)
    unblock = ("--auth-id", "01", "--puk", "12345678", "--new-pin", "654321")
    used.run("pkcs15-tool", "--unblock-pin", *unblock)
    used.run("pkcs15-tool", "--change-pin", "--auth-id", "01", "--pin", "654321", "--new-pin", "123456")
    used.run("pkcs15-tool", "--verify-pin", *PIN)


def test_it_is_a_pkcs11_token_that_signs(used: Desk) -> None:
    key = id_of(used, "Digital Signature")
    (used.folder / "message").write_text("through PKCS#11\n")
    assert "token label        : Twin" in used.run("pkcs11-tool", *MODULE, "-L")
    write_hash(used)
    how = ("RSA-PKCS", "hash") if is_cosmo(used) else ("SHA256-RSA-PKCS", "message")
    sign = ("--sign", "-m", how[0], "--id", key, *LOGIN)
    used.run("pkcs11-tool", *MODULE, *sign, "-i", how[1], "-o", "signature")
    used.run("pkcs15-tool", "--read-public-key", key, "-o", "public.pem")
    assert used.verified("sha256", "public.pem", "signature", "message")


def test_the_own_tests_of_pkcs11_tool_find_no_error(used: Desk) -> None:
    cosmo = is_cosmo(used)
    told = used.run("pkcs11-tool", *MODULE, *LOGIN, "--test", succeeds=not cosmo)
    assert "all 4 signature functions seem to work" in told

    if cosmo:
        assert "C_Sign failed: rv = CKR_FUNCTION_NOT_SUPPORTED" in told
    else:
        assert told.rstrip().endswith("No errors")
