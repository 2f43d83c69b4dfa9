"""Evidence of a run on a card in a reader of a real pcscd, and of the same on the emulated one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import jsonschema

from cardtwin.card import EmulatedCard, models
from cardtwin.entropy import SystemEntropy
from cardtwin.evidence import json_schema
from cardtwin.readers import VpcdSlot
from support.hosted import PROFILES, run
from support.pcscd import started_daemon

if TYPE_CHECKING:
    from pathlib import Path

MODEL: Final = models.get("cardos-4.4")
SCENARIO: Final = """\
format: 1
title: A token
files: {token.cpf: {path: PROFILE}, pin.crt: {path: CERTIFICATE}}
readers: {R1: cardos-4.4}
steps:
  - {personalise: token.cpf, certificate: pin.crt, secrets: {PIN1: "40281973", PUK: "88471102"}}
  - {verify_pin: user, pin: "99999999", expect: CKR_PIN_INCORRECT}
"""
OPTIONS: Final = (
    *("--allow-destructive", "--allow-unverified-commands", "--allow-irreversible", "PUT DATA FCI"),
    *("--known-tries", "3"),
)


def of(folder: Path, target: str) -> dict[str, Any]:
    (path,) = folder.glob(f"*@{target}*.json")
    found: dict[str, Any] = json.loads(path.read_text())
    jsonschema.Draft202012Validator(json_schema()).validate(found)
    return found


def test_a_card_in_a_reader_leaves_the_evidence_that_the_emulated_one_leaves(tmp_path: Path) -> None:
    text = SCENARIO.replace("PROFILE", str(PROFILES / "cardos-4.4-full.cpf"))
    text = text.replace("CERTIFICATE", str(PROFILES.parent / "scenarios" / "keys" / "pin-a.crt"))
    (tmp_path / "token.scenario.yaml").write_text(text)
    (tmp_path / "evidence").mkdir()
    card = EmulatedCard(MODEL, entropy=SystemEntropy())

    with started_daemon() as daemon, VpcdSlot(card, reader="hardware", port=daemon.port) as slot:
        assert slot.wait(20.0)
        done = run(
            *("compare", tmp_path / "token.scenario.yaml", "--target", "emulated"),
            *("--target", "pcsc:Virtual PCD 00 00", "--ledger", tmp_path / "ledger"),
            *("--evidence", tmp_path / "evidence", *OPTIONS),
            folder=tmp_path,
            **dict(daemon.environment),
            CARDTWIN_LOCKS=str(tmp_path),
        )
        # The keys are new on each card.
        assert done.returncode == 1, done.stdout + done.stderr

    emulated, physical = of(tmp_path / "evidence", "emulated"), of(tmp_path / "evidence", "pcsc")
    (reader,), (other,) = physical["readers"], emulated["readers"]
    assert reader["service_name"] == "Virtual PCD 00 00"
    assert reader["before"]["serial"] == MODEL.blank().serial.hex(" ").upper()
    assert reader["after"] == other["after"] | {"protocol": reader["after"]["protocol"]}
    assert physical["changing"] == emulated["changing"]
    changed = [
        [(each["path"], each["change"]) for each in told["changed"]["files"]] for told in (reader, other)
    ]
    assert changed[0] == changed[1] != []
    assert {"credential": "PIN 1", "before": 0, "after": 1} in reader["tries_spent"]
    assert physical["asked"] == reader["permitted"]
    assert emulated["asked"] is None
    assert physical["versions"]["pyscard"]
    assert physical["versions"]["pcsc_lite"].startswith("pcsc-lite")
    assert "40281973" not in json.dumps((emulated, physical))
