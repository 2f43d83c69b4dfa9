"""OpenSC's own programs recognise the emulated cards, personalise one and use it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from cardtwin.card import CardView, models
from support.interop import EXTENDED, TIMEOUT, Desk, MissingProgramError, lengths, program

if TYPE_CHECKING:
    from cardtwin.card import CardImage

ATR_44 = "3b:d2:18:02:c1:0a:31:fe:58:c8:0d:51"
ATR_53 = "3b:d2:18:00:81:31:fe:58:c9:03:16"

PIN = ("--auth-id", "01", "--pin", "1234")


@pytest.fixture
def used(desk: Desk, personalised_by_opensc: CardImage) -> Desk:
    """A desk with the card that OpenSC has made."""
    desk.insert("cardos-4.4", personalised_by_opensc)
    return desk


def public_key(desk: Desk, key: str) -> str:
    desk.run("pkcs15-tool", "--read-public-key", key, "-o", "public.pem")
    return "public.pem"


# The tools


def test_a_program_that_is_missing_is_an_error_that_names_its_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(MissingProgramError, match="'opensc'"):
        program("pkcs15-tool")


# Recognition


def test_the_reader_and_its_card_are_listed(desk: Desk) -> None:
    assert "No     " in desk.run("opensc-tool", "-l")
    desk.insert("cardos-4.4")
    listed = desk.run("opensc-tool", "-l")
    assert "Yes" in listed
    assert "Emulated reader" in listed


def test_an_empty_reader_is_told(desk: Desk) -> None:
    assert "Card not present" in desk.run("opensc-tool", "-a", succeeds=False)


@pytest.mark.parametrize(("model", "atr"), [("cardos-4.4", ATR_44), ("cardos-5.3", ATR_53)])
def test_the_card_is_taken_for_cardos(desk: Desk, model: str, atr: str) -> None:
    desk.insert(model)
    assert atr in desk.run("opensc-tool", "-a")
    assert "CardOS" in desk.run("opensc-tool", "-n")


@pytest.mark.parametrize(
    ("model", "system"), [("cardos-4.4", "that's CardOS M4.4"), ("cardos-5.3", "that's CardOS V5.3")]
)
def test_cardos_tool_tells_what_card_it_is(desk: Desk, model: str, system: str) -> None:
    desk.insert(model)
    told = desk.run("cardos-tool", "-i")
    assert system in told
    assert "Current life cycle: 32 (administration)" in told
    assert "StartKey (version 0xff, retries 10)" in told
    serial = models.get(model).serial.hex(" ")
    assert serial in told.lower()


# Personalisation


def test_an_empty_card_is_personalised(used: Desk) -> None:
    dump = used.run("pkcs15-tool", "-D")

    for line in (
        "PKCS#15 Card [Twin]",
        "Manufacturer ID: OpenSC Project",
        "PIN [Security Officer PIN]",
        "PIN [Main]",
        "Private RSA Key [Key to sign]",
        "Private RSA Key [Key to decrypt]",
        "alwaysSensitive, neverExtract, local",
    ):
        assert line in dump


def test_an_application_is_not_created_twice(used: Desk) -> None:
    arguments = ("-C", "--so-pin", "12345678", "--so-puk", "87654321", "-l", "Again")
    assert "Failed to create" in used.run("pkcs15-init", *arguments, succeeds=False)
    assert "PKCS#15 Card [Twin]" in used.run("pkcs15-tool", "-D")


def test_the_security_officers_pin_guards_the_application(desk: Desk) -> None:
    card = desk.insert("cardos-4.4")
    desk.run("pkcs15-init", "-C", "--so-pin", "12345678", "--so-puk", "87654321", "-l", "Twin")
    store = ("pkcs15-init", "-P", *PIN, "--puk", "123456", "-l", "Main", "--so-pin")
    desk.run(*store, "00000000", succeeds=False)
    assert min(pin.tries_left - pin.max_tries for pin in CardView(card.image).pins.values()) == -1
    desk.run(*store, "12345678")


# Keys at work


@lengths
@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
def test_a_signature_by_the_card_is_verified_by_openssl(used: Desk, config: str, digest: str) -> None:
    used.config = config
    (used.folder / "message").write_text("signed on the card\n")
    used.run("openssl", "dgst", f"-{digest}", "-binary", "-out", "hash", "message")
    option = f"--{digest.replace('sha', 'sha-')}"
    sign = ("-s", "-k", "45", "--pin", "1234", option, "--pkcs1", "-i", "hash", "-o", "signature", "-R")
    used.run("pkcs15-crypt", *sign)
    assert used.verified(digest, public_key(used, "45"), "signature", "message")


def test_signing_goes_chained_without_and_in_one_with_extended_length(used: Desk) -> None:
    (used.folder / "hash").write_bytes(bytes(32))
    sign = ("-s", "-k", "45", "--pin", "1234", "--sha-256", "--pkcs1", "-i", "hash", "-o", "signature", "-R")

    def signing() -> list[tuple[bytes, int]]:
        used.events.clear()
        used.run("pkcs15-crypt", *sign)
        return [(one[:4], len(one)) for one in used.commands if one[1:4] == bytes.fromhex("2A9E9A")]

    assert [head.hex() for head, _ in signing()] == ["102a9e9a", "002a9e9a"]
    used.config = EXTENDED
    ((head, length),) = signing()
    assert head.hex() == "002a9e9a"
    assert length > 255


@lengths
def test_the_card_deciphers_what_openssl_has_enciphered(used: Desk, config: str) -> None:
    used.config = config
    (used.folder / "message").write_text("for the card alone\n")
    key = public_key(used, "46")
    used.run("openssl", "pkeyutl", "-encrypt", "-pubin", "-inkey", key, "-in", "message", "-out", "secret")
    used.run(
        "pkcs15-crypt", "-c", "-k", "46", "--pin", "1234", "--pkcs1", "-i", "secret", "-o", "plain", "-R"
    )
    assert (used.folder / "plain").read_text() == "for the card alone\n"


def test_a_key_that_was_made_elsewhere_is_stored_with_its_certificate(used: Desk) -> None:
    used.run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "key.pem")
    used.run("openssl", "req", "-new", "-x509", "-key", "key.pem", "-subj", "/CN=Twin", "-out", "cert.pem")
    used.run("openssl", "x509", "-in", "cert.pem", "-pubkey", "-noout", "-out", "public.pem")
    stored = (*PIN, "--so-pin", "12345678", "-i", "47", "-l", "Imported")
    used.run("pkcs15-init", "-S", "key.pem", "-u", "sign", *stored)
    used.run("pkcs15-init", "-X", "cert.pem", *stored)
    used.run("pkcs15-tool", "--read-certificate", "47", "-o", "read.pem")
    assert (used.folder / "read.pem").read_text() == (used.folder / "cert.pem").read_text()

    (used.folder / "message").write_text("imported\n")
    mechanism = ("--sign", "-m", "SHA256-RSA-PKCS", "--id", "47", "-l", "--pin", "1234")
    used.run("pkcs11-tool", *mechanism, "-i", "message", "-o", "signature")
    assert used.verified("sha256", "public.pem", "signature", "message")


def test_a_key_that_is_deleted_is_gone(used: Desk) -> None:
    used.run("pkcs15-init", "-D", "privkey", "-i", "45", *PIN, "--so-pin", "12345678")
    dump = used.run("pkcs15-tool", "-D")
    assert "Private RSA Key [Key to sign]" not in dump
    assert "Private RSA Key [Key to decrypt]" in dump


# PINs


def verify_pin(desk: Desk, pin: str, *, succeeds: bool) -> str:
    return desk.run("pkcs15-tool", "--verify-pin", "--auth-id", "01", "--pin", pin, succeeds=succeeds)


def test_a_pin_is_changed(used: Desk) -> None:
    used.run("pkcs15-tool", "--change-pin", *PIN, "--new-pin", "4321")
    verify_pin(used, "4321", succeeds=True)
    verify_pin(used, "1234", succeeds=False)


def test_a_pin_is_blocked_by_wrong_tries_and_unblocked_by_its_puk(used: Desk) -> None:
    while "blocked" not in verify_pin(used, "9999", succeeds=False):
        pass

    assert "blocked" in verify_pin(used, "1234", succeeds=False)
    used.run("pkcs15-tool", "--unblock-pin", "--auth-id", "01", "--puk", "123456", "--new-pin", "1111")
    verify_pin(used, "1111", succeeds=True)


def test_a_right_pin_gives_the_tries_back(used: Desk) -> None:
    for _ in range(4):
        verify_pin(used, "9999", succeeds=False)
        verify_pin(used, "1234", succeeds=True)


# PKCS#11 above it all, and several programs at once


def test_opensc_shows_the_card_as_a_pkcs11_token(used: Desk) -> None:
    slots = used.run("pkcs11-tool", "-L")
    assert "token label        : Twin (Main)" in slots
    objects = used.run("pkcs11-tool", "-O", "-l", "--pin", "1234")
    assert objects.count("Private Key Object; RSA") == 2


def test_programs_at_the_same_time_do_not_disturb_each_other(used: Desk) -> None:
    (used.folder / "message").write_text("several at once\n")
    key = public_key(used, "45")
    used.run("openssl", "dgst", "-sha256", "-binary", "-out", "hash", "message")
    sign = ("-s", "-k", "45", "--pin", "1234", "--sha-256", "--pkcs1", "-i", "hash", "-R")
    running = [used.start("pkcs15-crypt", *sign, "-o", f"signature{number}") for number in range(4)]
    ended = [(process.communicate(timeout=TIMEOUT)[0], process.returncode) for process in running]

    for number, (output, result) in enumerate(ended):
        assert result == 0, output
        assert used.verified("sha256", key, f"signature{number}", "message")


def test_opensc_finds_every_file_by_the_cards_directory(used: Desk) -> None:
    listed = used.run("opensc-tool", "-f")
    paths = set(re.findall(r"^\s*(3f00\w*).* type:", listed, re.MULTILINE))
    assert {"3f00", "3f002f00", "3f005015", "3f0050155031", "3f0050155032", "3f0050154402"} <= paths
    assert "read[NONE] update[CHV1]" in listed


def test_a_data_object_is_stored_and_read_and_deleted(used: Desk) -> None:
    (used.folder / "data").write_text("any data\n")
    named = ("--label", "Note", "--application-name", "tests")
    officer = ("--so-pin", "12345678")
    used.run("pkcs15-init", "-W", "data", *named, *PIN, *officer)
    used.run("pkcs15-tool", "-R", "Note", *PIN, "-o", "read")
    assert (used.folder / "read").read_text() == "any data\n"
    used.run("pkcs15-init", "-D", "data", *named, *PIN, *officer)
    assert "Note" not in used.run("pkcs15-tool", "-D")


def test_the_own_tests_of_pkcs11_tool_find_no_error(used: Desk) -> None:
    told = used.run("pkcs11-tool", "--test", "-l", "--pin", "1234")
    assert told.rstrip().endswith("No errors")
