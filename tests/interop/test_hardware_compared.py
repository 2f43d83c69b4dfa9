"""Differences of a card in a reader of the system are found, and named, by ``cardtwin compare``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from cardtwin.card import EmulatedCard, models
from cardtwin.entropy import SystemEntropy
from cardtwin.readers import VpcdSlot
from cardtwin.readers.wrappers import Answer, Fault, FaultyCard
from support.hosted import PROFILES, run
from support.pcscd import started_daemon

if TYPE_CHECKING:
    from pathlib import Path

    from cardtwin.card import CardModel
    from cardtwin.pcsc import Card

MODEL: Final = models.get("cardos-4.4")
SCENARIO: Final = """\
format: 1
title: What a card answers
readers: {R1: cardos-4.4}
steps:
  - {apdu: 00A4000C023F00, expect: {sw: {match: "[0-9A-F ]+"}}}
  - {apdu: 00A40000023F0000, expect: {sw: {match: "[0-9A-F ]+"}}}
  - {apdu: 00CA018102, expect: {sw: {match: "[0-9A-F ]+"}}}
"""


TOKEN: Final = """\
format: 1
title: A wrong PIN
files: {token.cpf: {path: PROFILE}, pin.crt: {path: CERTIFICATE}}
readers: {R1: cardos-5.3}
steps:
  - {personalise: token.cpf, certificate: pin.crt, secrets: {PIN1: 1234, PUK: 12345678}}
  - {verify_pin: user, pin: "9999", expect: CKR_PIN_INCORRECT}
"""


def plain() -> Card:
    return EmulatedCard(MODEL, entropy=SystemEntropy())


def answering(begin: str, answer: str, model: CardModel = MODEL) -> Card:
    """Return a card that answers all commands that begin so with something else."""
    fault = Fault(Answer(bytes.fromhex(answer)), bytes.fromhex(begin), times=None)
    return FaultyCard(EmulatedCard(model, entropy=SystemEntropy()), (fault,), remove=lambda: None)


def compared(folder: Path, card: Card, text: str = SCENARIO) -> tuple[int, str]:
    """Compare the emulated card with another one, which plays the hardware."""
    (folder / "answers.scenario.yaml").write_text(text)

    with started_daemon() as daemon, VpcdSlot(card, reader="hardware", port=daemon.port) as slot:
        assert slot.wait(20.0)
        done = run(
            *("compare", folder / "answers.scenario.yaml", "--target", "emulated"),
            *("--target", "pcsc:Virtual PCD 00 00", "--ledger", folder / "ledger"),
            *("--allow-destructive", "--allow-unverified-commands"),
            *("--allow-irreversible", "PUT DATA FCI"),
            folder=folder,
            **dict(daemon.environment),
            CARDTWIN_LOCKS=str(folder),
        )

    return done.returncode, done.stdout + done.stderr


@pytest.mark.cardtwin_proves("RR-06")
def test_the_same_card_has_no_difference(tmp_path: Path) -> None:
    code, told = compared(tmp_path, plain())
    assert "1 the same" in told
    assert code == 0


@pytest.mark.cardtwin_proves("RR-06")
@pytest.mark.parametrize(
    ("begin", "answer", "named"),
    [
        ("00A4000C", "6A82", "status word"),
        ("00A4000C", "63C2", "status word"),
        ("00A40000", "6F0686040000FF009000", "APPEND never"),
    ],
)
def test_a_seeded_difference_is_found_and_named(tmp_path: Path, begin: str, answer: str, named: str) -> None:
    code, told = compared(tmp_path, answering(begin, answer))
    assert code == 1
    assert named in told, told


@pytest.mark.cardtwin_proves("RR-06")
def test_another_counter_is_found_and_named(tmp_path: Path) -> None:
    text = TOKEN.replace("PROFILE", str(PROFILES / "cardos-5.3-full.cpf"))
    text = text.replace("CERTIFICATE", str(PROFILES.parent / "scenarios" / "keys" / "pin-a.crt"))
    card = answering("0020", "63C5", models.get("cardos-5.3"))
    code, told = compared(tmp_path, card, text)
    assert code == 1
    assert "tries left" in told


@pytest.mark.cardtwin_proves("HW-01")
def test_the_wrong_card_gets_no_command(tmp_path: Path) -> None:
    card = EmulatedCard(replace(MODEL, atr=models.get("cardos-5.3").atr), entropy=SystemEntropy())
    code, told = compared(tmp_path, card)
    assert code == 1
    assert "is expected" in told
