"""Scenarios under pytest on a card in a reader of the system's pcscd."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pytest

from cardtwin.card import CardView, EmulatedCard, models
from cardtwin.entropy import SystemEntropy
from cardtwin.pcsc import Protocol
from cardtwin.readers import VpcdSlot
from support.hosted import PROFILES
from support.pcscd import READERS, started_daemon
from support.pytests import runner_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.pytests import Run

MODEL: Final = "cardos-5.3"
SERIAL: Final = models.get(MODEL).serial.hex()
TOKEN: Final = f"""\
format: 1
title: A PIN of its own
files:
  token.cpf: {{path: {PROFILES}/cardos-5.3-full.cpf}}
  pin.crt: {{path: {PROFILES.parent}/scenarios/keys/pin-a.crt}}
readers: {{R1: {MODEL}}}
steps:
  - {{personalise: token.cpf, certificate: pin.crt, secrets: {{PIN1: 1234, PUK: 12345678}}}}
  - {{verify_pin: user, pin: "1234"}}
"""
ANSWERS: Final = f"""\
format: 1
title: A card answers
matrix: {{n: [1, 2, 3, 4]}}
readers: {{R1: {MODEL}}}
steps:
  - {{apdu: 00 A4 00 0C 02 3F 00}}
"""
HARDWARE: Final = f"""\
format: 1
readers:
  R1:
    reader: {READERS[0]}
    model: {MODEL}
    pins: {{"1234": {{env: CARD_PIN}}}}
    allow: {{destructive: yes, irreversible: PUT DATA FCI, unverified: yes}}
"""
ALLOWED: Final = (
    "--cardtwin-allow-destructive",
    "--cardtwin-allow-unverified-commands",
    "--cardtwin-allow-irreversible=PUT DATA FCI",
)


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Run, EmulatedCard]]:
    """Put a blank card into a reader of a pcscd, and give what runs pytest there."""
    card = EmulatedCard(models.get(MODEL), entropy=SystemEntropy())
    (folder / "hardware.yaml").write_text(HARDWARE)

    with started_daemon() as daemon, VpcdSlot(card, reader="hardware", port=daemon.port) as slot:
        assert slot.wait(20.0)
        variables = {**daemon.environment, "CARDTWIN_LOCKS": str(folder), "CARD_PIN": "735190"}
        yield runner_in(folder, **variables), card


@pytest.mark.cardtwin_proves("HW-03", "HW-06")
def test_a_scenario_does_to_a_card_what_it_may_and_with_the_cards_own_pin(tmp_path: Path) -> None:
    (tmp_path / "token.scenario.yaml").write_text(TOKEN)

    with opened(tmp_path) as (run_pytest, card):
        refused = run_pytest("--cardtwin-target=pcsc", "--cardtwin-ledger=ledger")
        assert "1 failed" in refused.stdout
        assert "it would be refused" in refused.stdout
        assert not CardView(card.image).pins

        done = run_pytest("--cardtwin-target=pcsc", "--cardtwin-ledger=ledger", *ALLOWED, "-rP")
        assert "1 passed" in done.stdout, done.stdout
        assert CardView(card.image).pins["3F00", 1].tries_left == 3
        assert "plan for physical cards" not in done.stdout

    assert "735190" not in refused.stdout + done.stdout
    assert [path.name for path in (tmp_path / "ledger").glob("*.json")] == [f"{SERIAL}.json"]
    card.power_on(Protocol.T1)
    assert card.process(bytes.fromhex("0020008108 373335313930 0000")).hex() == "9000"


def test_a_run_that_asks_for_more_than_the_file_allows_fails(tmp_path: Path) -> None:
    (tmp_path / "answers.scenario.yaml").write_text(ANSWERS)

    with opened(tmp_path) as (run_pytest, _):
        asked = run_pytest("--cardtwin-target=pcsc", "--cardtwin-allow-irreversible=FORMAT", "-k", "1")

    assert "1 failed" in asked.stdout
    assert "hardware.yaml doesn't allow it for the card in" in asked.stdout


def test_workers_use_a_reader_one_after_the_other(tmp_path: Path) -> None:
    pytest.importorskip("xdist")
    (tmp_path / "answers.scenario.yaml").write_text(ANSWERS)

    with opened(tmp_path) as (run_pytest, _):
        done = run_pytest("--cardtwin-target=pcsc", "-n", "2")

    assert "4 passed" in done.stdout, done.stdout
