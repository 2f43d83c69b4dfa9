"""OpenSC's own programs name every model, and use CardOS 4.3B as they use 4.4."""

from __future__ import annotations

import pytest

from cardtwin.card import models
from support.cardbench import CARDOS
from support.interop import Desk, lengths

PIN = ("--auth-id", "01", "--pin", "1234")
OFFICER = ("--so-pin", "12345678")

VERSIONS = {
    "cardos-4.3b": "200.8 (that's CardOS M4.3B)",
    "cardos-4.4": "200.13 (that's CardOS M4.4)",
    "cardos-5.0": "201.1 (that's CardOS V5.0)",
    "cardos-5.3": "201.3 (that's CardOS V5.3)",
    "cardos-5.3-di": "201.2 (that's CardOS V5.3)",
    "cardos-5.4": "201.4 ",
}
"""What cardos-tool makes of the version word; the table of release 0.23 ends before 5.4."""

REPORTED = {
    "cardos-4.3b": (
        "Info : CardOS V4.3B (C) Siemens AG 1994-2004",
        "Current Maximum Data Field Length: 300",
    ),
    "cardos-5.0": (
        "Info : CardOS V5.0, 2012",
        "Free memory : 579",
        "E1 0B 53 06 03 04 13 02 C9 01 8F 01 01",
        "Eeprom size: 96,",
        "Current Maximum Data Field Length: 640",
    ),
    "cardos-5.3": (
        "Info : CardOS V5.3, 2014",
        "Free memory : 507",
        "E1 0B 53 06 03 04 13 02 C9 03 8F 01 01",
        "Eeprom size: 83,",
        "Current Maximum Data Field Length: 640",
    ),
    "cardos-5.3-di": ("Info : CardOS DI V5.3, 2015", "Current Maximum Data Field Length: 640"),
    "cardos-5.4": (
        "Info : CardOS V5.4     2019",
        "C9 04 8F 01 01",
        "Current Maximum Data Field Length: 437",
    ),
}
"""What public reports quote of cardos-tool's output, but for what is a single card's own."""

FACTORY_43B = """
Info : CardOS V4.3B (C) Siemens AG 1994-2004
OS Version: 200.8 (that's CardOS M4.3B)
Current life cycle: 52 (manufacturing)
Free memory : 13320
Ram size: 4, Eeprom size: 32, cpu type: 66, chip config: 63
Free eeprom memory: 32621
Current Maximum Data Field Length: 300
System keys: PackageLoadKey (version 0x00, retries 10)
System keys: StartKey (version 0x00, retries 10)
"""
"""The report of a card from the factory."""


@pytest.mark.parametrize("name", CARDOS)
def test_every_model_is_a_card_of_the_cardos_driver(desk: Desk, name: str) -> None:
    desk.insert(name)
    assert desk.run("opensc-tool", "-n").rstrip().endswith("Atos CardOS")


@pytest.mark.parametrize("name", CARDOS)
def test_cardos_tool_tells_version_serial_number_life_cycle_and_keys(desk: Desk, name: str) -> None:
    card = desk.insert(name)
    told = desk.run("cardos-tool", "-i")
    assert f"OS Version: {VERSIONS[name]}" in told
    assert f"Serial number: {card.image.serial.hex(' ')}" in told
    assert "Current life cycle: 32 (administration)" in told
    assert "StartKey (version 0xff, retries 10)" in told
    assert [line for line in REPORTED.get(name, ()) if line not in told] == []


def test_cardos_tool_tells_of_a_card_from_the_factory_as_reported(desk: Desk) -> None:
    desk.insert("cardos-4.3b", models.get("cardos-4.3b").factory())
    told = desk.run("cardos-tool", "-i").splitlines()
    assert [line for line in FACTORY_43B.strip().splitlines() if line not in told] == []
    assert told[told.index("Packages installed:") + 1].startswith("Ram size")


@pytest.mark.parametrize("name", CARDOS)
def test_a_card_from_the_factory_takes_no_application(desk: Desk, name: str) -> None:
    image = models.get(name).factory()
    card = desk.insert(name, image)
    assert "Current life cycle: 52 (manufacturing)" in desk.run("cardos-tool", "-i")
    desk.run("pkcs15-init", "-C", *OFFICER, "--so-puk", "87654321", succeeds=False)
    assert card.image == image


@lengths
def test_a_43b_is_initialised_signs_and_deciphers(desk: Desk, config: str) -> None:
    desk.config = config
    desk.insert("cardos-4.3b")
    desk.run("pkcs15-init", "-C", *OFFICER, "--so-puk", "87654321", "-l", "Twin")
    desk.run("pkcs15-init", "-P", *PIN, "--puk", "123456", "-l", "Main", *OFFICER)

    for size, key, usage in (("2048", "45", "sign"), ("1024", "46", "decrypt")):
        generate = ("-G", f"rsa/{size}", "-i", key, "-u", usage, "-l", f"Key to {usage}")
        desk.run("pkcs15-init", *generate, *PIN, *OFFICER)
        desk.run("pkcs15-tool", "--read-public-key", key, "-o", f"{key}.pem")

    (desk.folder / "message").write_text("on a 4.3B\n")
    desk.run("openssl", "dgst", "-sha256", "-binary", "-out", "hash", "message")
    sign = ("-s", "-k", "45", "--pin", "1234", "--sha-256", "--pkcs1", "-i", "hash", "-o", "signature", "-R")
    desk.run("pkcs15-crypt", *sign)
    assert desk.verified("sha256", "45.pem", "signature", "message")

    encipher = ("-encrypt", "-pubin", "-inkey", "46.pem", "-in", "message", "-out", "secret")
    desk.run("openssl", "pkeyutl", *encipher)
    decipher = ("-c", "-k", "46", "--pin", "1234", "--pkcs1", "-i", "secret", "-o", "plain", "-R")
    desk.run("pkcs15-crypt", *decipher)
    assert (desk.folder / "plain").read_text() == "on a 4.3B\n"
