"""GnuPG's scdaemon uses the CardOS 5 cards that our encodings have made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA512, Hash, HashAlgorithm

from cardtwin.card import EmulatedCard, models
from support.programs import PIN, SIGN_PIN
from support.rig import full_card
from support.scdaemon import AssuanError, opened_scdaemon

if TYPE_CHECKING:
    from support.interop import Desk
    from support.scdaemon import Scdaemon

MAIN, SIGNATURE = (pin.reveal().decode() for pin in (PIN, SIGN_PIN))
DIGESTS = {"sha1": SHA1(), "sha256": SHA256(), "sha512": SHA512()}  # noqa: S303  # what GnuPG can ask for


@pytest.fixture(params=["cardos-5.0", "cardos-5.3"])
def card(desk: Desk, request: pytest.FixtureRequest) -> EmulatedCard:
    """An encoded card of each model whose ATR scdaemon knows as CardOS 5."""
    return inserted(desk, request.param)


def inserted(desk: Desk, name: str) -> EmulatedCard:
    model = models.get(name)
    image = replace(full_card("cardos-5.3"), model=name, atr=model.atr, packages=model.packages)
    return desk.insert(name, image)


def references(daemon: Scdaemon, keyword: str = "CERTINFO") -> dict[str, str]:
    """Return the references of certificates, by label; what the daemon tells of the card."""
    status, _ = daemon.command("LEARN --force")
    told = [line.split() for line in status if line.startswith(keyword)]
    return {words[3]: words[2] for words in told}


def public_key(daemon: Scdaemon, reference: str) -> RSAPublicKey:
    _, certificate = daemon.command(f"READCERT {reference}")
    key = x509.load_der_x509_certificate(certificate).public_key()
    assert isinstance(key, RSAPublicKey)
    return key


def digest(algorithm: HashAlgorithm) -> bytes:
    hashed = Hash(algorithm)
    hashed.update(b"signed on the card")
    return hashed.finalize()


def signature(daemon: Scdaemon, reference: str, name: str = "sha256") -> bytes:
    daemon.command(f"SETDATA {digest(DIGESTS[name]).hex()}")
    _, made = daemon.command(f"PKSIGN --hash={name} {reference}")
    return made


def test_learn_tells_serial_number_certificates_keys_and_pins(desk: Desk, card: EmulatedCard) -> None:
    with opened_scdaemon(desk) as daemon:
        status, _ = daemon.command("LEARN --force")

    told = {line.partition(" ")[0]: line for line in status}
    assert told["SERIALNO"] == f"SERIALNO {card.image.serial.hex().upper()}"
    assert told["APPTYPE"] == "APPTYPE p15"
    assert told["MANUFACTURER"] == "MANUFACTURER 0 cardtwin"
    assert [line.split()[3] for line in status if line.startswith("CERTINFO 100")] == [
        "Encryption",
        "Non_Repudiation",
        "Digital_Signature",
    ]
    assert sum(line.startswith("KEYPAIRINFO") and line.endswith("rsa2048") for line in status) == 2
    assert told["CHV-STATUS"] == "CHV-STATUS 3 10 3 10 10 10"
    assert told["CHV-LABEL"].split()[1:4] == ["PIN", "PUK", "Signature_PIN"]


@pytest.mark.usefixtures("card")
@pytest.mark.parametrize("name", DIGESTS)
def test_a_signature_is_verified_by_the_key_of_its_certificate(desk: Desk, name: str) -> None:
    with opened_scdaemon(desk, pin=MAIN) as daemon:
        reference = references(daemon)["Digital_Signature"]
        made = signature(daemon, reference, name)
        algorithm = DIGESTS[name]
        public_key(daemon, reference).verify(made, digest(algorithm), PKCS1v15(), Prehashed(algorithm))

    assert bytes.fromhex("002241B603840101") in desk.commands, "the key alone, and no algorithm"
    (sent,) = [command for command in desk.commands if command[:4] == bytes.fromhex("002A9E9A")]
    assert sent[7:9] == b"\0\1", "the whole block, padded"


@pytest.mark.usefixtures("card")
def test_what_is_enciphered_for_the_certificate_s_key_is_deciphered(desk: Desk) -> None:
    with opened_scdaemon(desk, pin=MAIN) as daemon:
        reference = references(daemon)["Digital_Signature"]
        cryptogram = public_key(daemon, reference).encrypt(b"for the card alone", PKCS1v15())
        daemon.command(f"SETDATA {cryptogram.hex()}")
        _, block = daemon.command(f"PKDECRYPT {reference}")

    assert block.endswith(b"\0for the card alone")
    assert bytes.fromhex("002241B80680010A840101") in desk.commands, "a raw result is asked for"


@pytest.mark.usefixtures("card")
def test_the_key_of_the_other_slot_asks_for_its_own_pin(desk: Desk) -> None:
    with opened_scdaemon(desk, pin=SIGNATURE) as daemon:
        reference = references(daemon)["Non_Repudiation"]
        made = signature(daemon, reference)
        public_key(daemon, reference).verify(made, digest(SHA256()), PKCS1v15(), Prehashed(SHA256()))

    with opened_scdaemon(desk, pin=MAIN) as daemon, pytest.raises(AssuanError, match="PIN"):
        signature(daemon, reference)


def test_a_wrong_pin_is_refused_and_costs_one_try(desk: Desk, card: EmulatedCard) -> None:
    before = tries(card)

    with opened_scdaemon(desk, pin="999999") as daemon, pytest.raises(AssuanError, match="PIN"):
        signature(daemon, references(daemon)["Digital_Signature"])

    assert tries(card) == before - 1


def tries(card: EmulatedCard) -> int:
    return sum(found.tries_left for found in card.image.objects.values())


@pytest.mark.parametrize("name", ["cardos-5.3-di", "cardos-5.4"])
def test_a_card_whose_atr_is_not_in_its_table_is_learnt_as_any_card_of_pkcs_15(desk: Desk, name: str) -> None:
    inserted(desk, name)

    with opened_scdaemon(desk) as daemon:
        assert {"Digital_Signature", "Non_Repudiation"} <= references(daemon).keys()
