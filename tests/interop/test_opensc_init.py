"""OpenSC's pkcs15-init makes a whole card and ends it: with commands in parts, and with extended length."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from cardtwin.card import CardView, models
from support.interop import EXTENDED, SHORT, Desk, opened_desk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.card import CardImage

OFFICER = ("--so-pin", "12345678")
USER = ("--auth-id", "01", "--pin", "1234")
FORMS = {"short": SHORT, "extended": EXTENDED}
EF_DIR = "3F00/2F00"
SHORT_AT_MOST = 5 + 255 + 1
KEYS = {"41": ("generated", 1024), "42": ("generated", 2048), "43": ("stored", 1024), "44": ("stored", 2048)}
"""The keys by identifier: how they came to be, and their bits. Up to 1024 bits they are in two parts."""


@dataclass(frozen=True)
class Made:
    """A card that pkcs15-init has made, in one of the two forms, and the files that belong to it."""

    image: CardImage
    config: str
    certificates: Mapping[str, str]
    commands: tuple[bytes, ...]


@pytest.fixture(
    scope="session",
    params=[(model, form) for model in ("cardos-4.3b", "cardos-4.4") for form in FORMS],
    ids="-".join,
)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    model, form = request.param

    with opened_desk(tmp_path_factory.mktemp("made")) as desk:
        desk.config = FORMS[form]
        card = desk.insert(model)
        create(desk)

        for key, (how, bits) in KEYS.items():
            (generate if how == "generated" else store)(desk, key, bits)

        (desk.folder / "data").write_text("any data\n" * 40)
        desk.run(
            "pkcs15-init", "-W", "data", "--label", "Note", "--application-name", "tests", *USER, *OFFICER
        )
        certificates = {key: (desk.folder / f"{key}.pem").read_text() for key in KEYS}
        return Made(card.image, desk.config, certificates, tuple(desk.commands))


def create(desk: Desk) -> None:
    desk.run("pkcs15-init", "-C", *OFFICER, "--so-puk", "87654321", "-l", "Twin")
    desk.run("pkcs15-init", "-P", *USER, "--puk", "123456", "-l", "Main", *OFFICER)


def generate(desk: Desk, key: str, bits: int) -> None:
    """Let the card make a key, and give it a certificate."""
    named = ("-i", key, "-l", f"Key {key}", "-u", "sign,decrypt")
    desk.run("pkcs15-init", "-G", f"rsa/{bits}", *named, *USER, *OFFICER)
    desk.run("pkcs15-tool", "--read-public-key", key, "-o", "public.pem")
    desk.run(
        "openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={key}", "-out", "request"
    )
    certify = ("-req", "-in", "request", "-force_pubkey", "public.pem", "-signkey", "privkey.pem")
    desk.run("openssl", "x509", *certify, "-out", f"{key}.pem")
    keep_certificate(desk, key)


def store(desk: Desk, key: str, bits: int) -> None:
    """Put a key that was made elsewhere on the card, with its certificate."""
    made_here = ("-newkey", f"rsa:{bits}", "-nodes", "-keyout", "key.pem", "-out", f"{key}.pem")
    desk.run("openssl", "req", "-x509", "-subj", f"/CN={key}", *made_here)
    named = ("-i", key, "-l", f"Key {key}", "-u", "sign,decrypt")
    desk.run("pkcs15-init", "-S", "key.pem", *named, *USER, *OFFICER)
    keep_certificate(desk, key)


def keep_certificate(desk: Desk, key: str) -> None:
    desk.run("pkcs15-init", "-X", f"{key}.pem", "-i", key, "-l", f"Key {key}", *USER, *OFFICER)


@pytest.fixture
def used(desk: Desk, made: Made) -> Desk:
    """A desk with the card, and programs in the form in which it was made."""
    desk.config = made.config
    desk.insert(made.image.model, made.image)
    return desk


# What is made


def test_the_two_forms_differ_in_what_is_sent(made: Made) -> None:
    longest = max(map(len, made.commands))
    assert (longest > SHORT_AT_MOST) == (made.config == EXTENDED)


def test_everything_is_listed(used: Desk) -> None:
    dump = used.run("pkcs15-tool", "-D")

    for key, (how, bits) in KEYS.items():
        access = "alwaysSensitive, neverExtract, local" if how == "generated" else "sensitive"
        entry = re.search(rf"Private RSA Key \[Key {key}\]\n(?:\t.*\n)+", dump)
        assert entry
        assert f"ModLength      : {bits}\n" in entry[0]
        assert access in entry[0]
        assert f"X.509 Certificate [Key {key}]" in dump

    assert "Data object 'Note'" in dump


def test_certificates_and_data_are_read_as_they_were_written(used: Desk, made: Made) -> None:
    for key, certificate in made.certificates.items():
        used.run("pkcs15-tool", "--read-certificate", key, "-o", "read.pem")
        assert (used.folder / "read.pem").read_text() == certificate

    used.run("pkcs15-tool", "-R", "Note", *USER, "-o", "read")
    assert (used.folder / "read").read_text() == "any data\n" * 40


@pytest.mark.parametrize("key", KEYS)
def test_every_key_signs_and_deciphers(used: Desk, made: Made, key: str) -> None:
    (used.folder / "cert.pem").write_text(made.certificates[key])
    (used.folder / "message").write_text("for the card alone\n")
    used.run("openssl", "x509", "-in", "cert.pem", "-pubkey", "-noout", "-out", "public.pem")
    used.run("openssl", "dgst", "-sha256", "-binary", "-out", "hash", "message")
    used.run(
        "openssl", "pkeyutl", "-encrypt", "-pubin", "-inkey", "public.pem", "-in", "message", "-out", "secret"
    )

    with_key = ("-k", key, "--pin", "1234", "--pkcs1", "-R")
    used.run("pkcs15-crypt", "-s", *with_key, "--sha-256", "-i", "hash", "-o", "signature")
    used.run("pkcs15-crypt", "-c", *with_key, "-i", "secret", "-o", "plain")
    assert used.verified("sha256", "public.pem", "signature", "message")
    assert (used.folder / "plain").read_text() == "for the card alone\n"


# PINs


def verify(desk: Desk, pin: str, *, succeeds: bool) -> str:
    return desk.run("pkcs15-tool", "--verify-pin", "--auth-id", "01", "--pin", pin, succeeds=succeeds)


def test_the_pin_is_changed_blocked_and_unblocked(used: Desk) -> None:
    used.run("pkcs15-tool", "--change-pin", *USER, "--new-pin", "4321")
    verify(used, "4321", succeeds=True)

    for _ in range(3):
        verify(used, "1234", succeeds=False)

    assert "blocked" in verify(used, "4321", succeeds=False)
    unblock = ("--unblock-pin", "--auth-id", "01", "--new-pin", "1111", "--puk")
    used.run("pkcs15-tool", *unblock, "999999", succeeds=False)
    used.run("pkcs15-tool", *unblock, "123456")
    verify(used, "1111", succeeds=True)


# The end of objects, and of all


@pytest.mark.parametrize("key", ["41", "42", "43", "44"])
def test_a_key_goes_with_its_certificate_and_leaves_the_others(used: Desk, made: Made, key: str) -> None:
    delete = ("-D", "privkey,pubkey,cert", "-i", key)
    used.run("pkcs15-init", *delete, *USER, *OFFICER)
    dump = used.run("pkcs15-tool", "-D")
    assert f"[Key {key}]" not in dump
    assert dump.count("Private RSA Key [") == len(KEYS) - 1
    assert dump.count("X.509 Certificate [") == len(KEYS) - 1
    sign = ("-s", "-k", key, "--pin", "1234", "--sha-256", "--pkcs1", "-i", "hash", "-o", "signature", "-R")
    (used.folder / "hash").write_bytes(bytes(32))
    used.run("pkcs15-crypt", *sign, succeeds=False)


def test_data_goes(used: Desk) -> None:
    used.run("pkcs15-init", "-D", "data", "--label", "Note", "--application-name", "tests", *USER, *OFFICER)
    assert "Note" not in used.run("pkcs15-tool", "-D")


def test_the_card_is_erased_with_the_officer_s_pin_and_made_again(desk: Desk, made: Made) -> None:
    desk.config = made.config
    card = desk.insert(made.image.model, made.image)
    told = desk.ask("pkcs15-init", "-E", told="12345678\n1234\n")
    assert "Please enter PIN [Security Officer PIN]" in told
    assert CardView(card.image).files.keys() == CardView(models.get(made.image.model).blank()).files.keys()
    assert "Unsupported card" in desk.run("pkcs15-tool", "-D", succeeds=False)

    create(desk)
    generate(desk, "42", 2048)
    assert "Private RSA Key [Key 42]" in desk.run("pkcs15-tool", "-D")


ERASE = ("--erase-application", "A000000063504B43532D3135", "--pin", "1234", "--so-pin")


def test_the_application_is_erased_with_the_officer_s_pin(desk: Desk, made: Made) -> None:
    card = desk.insert(made.image.model, made.image)
    desk.run("pkcs15-init", *ERASE, "12345678")
    assert CardView(card.image).files.keys() == CardView(models.get(made.image.model).blank()).files.keys()


def test_the_application_is_not_erased_with_another_pin(desk: Desk, made: Made) -> None:
    card = desk.insert(made.image.model, made.image)
    desk.run("pkcs15-init", *ERASE, "00000000", succeeds=False)
    left = CardView(made.image).files.keys() - {EF_DIR}  # it goes first, and nobody guards it
    assert CardView(card.image).files.keys() - {EF_DIR} == left
