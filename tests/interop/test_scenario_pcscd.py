"""Scenarios whose cards are in the system's own pcscd."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin import targets
from cardtwin.targets import TargetError
from support.hosted import PROFILES, run
from support.pcscd import Daemon, started_daemon
from support.traces import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HANDS = """\
format: 1
title: Two readers, hands and faults
cards:
  A: {model: cardos-5.3}
  B: {model: cardos-4.4, speed: real}
readers: {R1: A, R2: empty}
steps:
  - {apdu: 00A4000C023F00, on: R1}
  - {card: insert, which: B, on: R2}
  - {apdu: 00A4000C023F00, on: R2}
  - {card: reset, on: R1}
  - {apdu: 00A4000C023F00, on: R1}
  - {fault: answer, sw: 6F00, at: 00A4, on: R1}
  - {apdu: 00A4000C023F00, on: R1, expect: 6F00}
  - {card: remove, on: R1}
  - {card: insert, which: A, on: R1}
  - {apdu: 00A4000C023F00, on: R1}
  - {fault: mute, at: 00A4, on: R1}
  - {apdu: 00A4000C023F00, on: R1, expect: absent}
  - {pkcs11: C_Initialize}
  - {fault: remove, at: 00A4000C, on: R2}
  - {apdu: 00A4000C023F00, on: R2, expect: absent}
  - {card: insert, which: B, on: R2}
  - {apdu: 00A4000C023F00, on: R2}
"""
POWER = """\
format: 1
title: Power is pcscd's business
readers: {R1: cardos-5.3}
steps:
  - {card: power_off}
"""
HAND = POWER.replace("power_off", "remove")
TOKEN = """\
format: 1
title: A token is made, and used over PKCS#11
files: {token.cpf: {path: PROFILE}, pin.crt: {path: CERTIFICATE}}
readers: {R1: cardos-5.3}
steps:
  - {personalise: token.cpf, certificate: pin.crt, secrets: {PIN1: 1234, PUK: 12345678}}
  - {pkcs11: C_Initialize}
  - {login: user, pin: 1234}
  - {sign: Digital Signature, mechanism: CKM_SHA256_RSA_PKCS, data: 68 65}
"""


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with started_daemon() as found:
        yield found


def told(daemon: Daemon, folder: Path, *texts: str) -> str:
    """Run scenarios above a pcscd, two at once, and return what is told of them."""
    for number, text in enumerate(texts):
        (folder / f"s{number}.scenario.yaml").write_text(text)

    arguments = ("run", folder, "--target", f"pcscd:{daemon.port}", "--trace", folder / "trace")
    result = run(*arguments, folder=folder, **dict(daemon.environment))
    return result.stdout + result.stderr


def test_hands_and_faults_work_in_pcscds_readers(daemon: Daemon, tmp_path: Path) -> None:
    assert f"1 passed on pcscd:{daemon.port}" in told(daemon, tmp_path, HANDS)
    trace = text_of(tmp_path / "trace")
    assert "# step 1 (apdu)\n  # cardtwin\n    > R1: 00 A4 00 0C 02 3F 00" in trace
    assert trace.count("> R1: 00 A4 00 0C 02 3F 00") == 5
    assert "< R1: no answer: " in trace


def test_our_middleware_makes_and_uses_a_token_there(daemon: Daemon, tmp_path: Path) -> None:
    certificate = PROFILES.parent / "scenarios" / "keys" / "pin-a.crt"
    text = TOKEN.replace("PROFILE", str(PROFILES / "cardos-5.3-full.cpf"))
    assert "1 passed" in told(daemon, tmp_path, text.replace("CERTIFICATE", str(certificate)))


def test_power_is_not_there_and_scenarios_wait_for_one_another(daemon: Daemon, tmp_path: Path) -> None:
    output = told(daemon, tmp_path, POWER, HAND, HAND)
    assert "2 passed, 1 unsupported" in output
    assert "step 1 (card) needs a switch for the power" in output


def test_without_a_vpcd_it_is_said_what_is_missing(daemon: Daemon, tmp_path: Path) -> None:
    daemon.stop()
    output = told(daemon, tmp_path, HAND)
    assert "SCARD_E_NO_SERVICE" in output


def test_where_the_slots_are_has_to_be_an_address() -> None:
    assert targets.get("pcscd:127.0.0.1:4000").name == "pcscd:127.0.0.1:4000"
    assert targets.get("pcscd").name == "pcscd"

    with pytest.raises(TargetError, match="no HOST:PORT"):
        targets.get("pcscd:somewhere")
