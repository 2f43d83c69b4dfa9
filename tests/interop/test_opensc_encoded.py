"""OpenSC's own programs use the cards that our encodings have made."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cardtwin.encoding import Engine
from cardtwin.entropy import SystemEntropy
from cardtwin.middleware import Installation, PersonalDesktopClient
from cardtwin.plan import Secret
from cardtwin.plan.cms import CmsPinBlobCodec
from cardtwin.source import SourceText
from support.encodings import INIT, certificate, job
from support.interop import Desk, lengths, opened_desk

if TYPE_CHECKING:
    from cardtwin.card import CardImage
    from cardtwin.encoding import Outcome

PROFILES = Path(__file__).resolve().parents[2] / "profiles"
SETTINGS = f"{INIT}Operator_PIN=OP\nSignPIN=#9999\nInitialLabel=#Twin\n"
CREDENTIALS = {"PIN": Secret.of("123456"), "PUK": Secret.of("12345678"), "OP": Secret.of("87654321")}
PIN = ("--auth-id", "01", "--pin", "123456")
MODELS = {
    "cardos-4.3b": "cardos-4.3b-full.cpf",
    "cardos-4.4": "cardos-4.4-full.cpf",
    "cardos-5.0": "cardos-5.3-full.cpf",
    "cardos-5.3": "cardos-5.3-full.cpf",
    "cardos-5.4": "cardos-5.3-full.cpf",
}
"""Models, each with the profile that encodes it."""


def encoded(desk: Desk, profile: str) -> Outcome:
    """Run an encoding with a profile of ours on the card at the desk."""
    client = PersonalDesktopClient(
        desk.manager.context(),
        Installation(certificate("PIN encryption")),
        entropy=SystemEntropy(),
        codec=CmsPinBlobCodec(),
    )
    files = {"token.cpf": SourceText("token.cpf", (PROFILES / profile).read_text())}
    return Engine(lambda _: client).run(job(SETTINGS, CREDENTIALS, attachments=files))


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, CardImage]:
    """The images of the cards of each model, encoded with the full profile."""
    images = {}

    for model, profile in MODELS.items():
        with opened_desk(tmp_path_factory.mktemp(model)) as desk:
            card = desk.insert(model)
            outcome = encoded(desk, profile)
            assert outcome.error is None
            images[model] = card.image

    return images


@pytest.fixture(params=MODELS)
def used(desk: Desk, images: dict[str, CardImage], request: pytest.FixtureRequest) -> Desk:
    """A desk with an encoded card."""
    desk.insert(request.param, images[request.param])
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
    assert b"cardtwin_CardOS".hex().upper() in dump


def test_cardos_tool_sees_the_burnt_fuse(used: Desk) -> None:
    assert "Current life cycle: 16 (operational)" in used.run("cardos-tool", "-i")


@lengths
def test_a_signature_by_its_key_is_verified_by_openssl(used: Desk, config: str) -> None:
    used.config = config
    key = id_of(used, "Digital Signature")
    (used.folder / "message").write_text("signed on the card\n")
    used.run("openssl", "dgst", "-sha256", "-binary", "-out", "hash", "message")
    used.run("pkcs15-tool", "--read-public-key", key, "-o", "public.pem")
    sign = ("-s", "-k", key, "--pin", "123456", "--sha-256", "--pkcs1", "-R")
    used.run("pkcs15-crypt", *sign, "-i", "hash", "-o", "signature")
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


def test_the_signature_key_asks_for_its_own_pin(used: Desk) -> None:
    key = id_of(used, "Non Repudiation")
    (used.folder / "hash").write_bytes(bytes(32))
    sign = ("-s", "-k", key, "--sha-256", "--pkcs1", "-i", "hash", "-o", "signature", "-R", "--pin")
    used.run("pkcs15-crypt", *sign, "123456", succeeds=False)
    used.run("pkcs15-crypt", *sign, "9999")


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
    assert "token label        : Twin" in used.run("pkcs11-tool", "-L")
    sign = ("--sign", "-m", "SHA256-RSA-PKCS", "--id", key, "-l", "--pin", "123456")
    used.run("pkcs11-tool", *sign, "-i", "message", "-o", "signature")
    used.run("pkcs15-tool", "--read-public-key", key, "-o", "public.pem")
    assert used.verified("sha256", "public.pem", "signature", "message")
