"""The catalogue of lost logins: each trace names the APDU, the reset or the call that lost it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cardtwin.scenario import load
from cardtwin.scenario.pool import Options, run_all

FOLDER = Path(__file__).parents[3] / "scenarios" / "not-logged-in"
SIGN = r"program: C_Sign"
ENDED = r"the login of CKU_USER to slot 1 ended in"
CAUSES = {
    "nli-01[cardos-5.3,with]": rf"{ENDED} \[\d+\] {SIGN}: P11_LogoutAfterSign=1",
    "nli-03[cardos-4.4,with]": r"PIN 01 was lost on R1: SELECT file 3F00, FCI, APDU 3 of \[\d+\] program: .*",
    "nli-04[cardos-5.3,with]": r"PIN 01 was lost on R1: reset, step \d+ \(pcsc\) / other",
    "nli-05[cardos-4.4,with]": r"PIN 01 was lost on R1: reset, step \d+ \(pcsc\) / other",
    "nli-05-own[cardos-5.3,with]": r"PIN 01 was lost on R1: reset, \[\d+\] program: C_Login",
    "nli-06[cardos-5.3,with]": rf"PIN 01 was lost on R1: PSO .*, APDU \d of \[\d+\] {SIGN}",
    "nli-07[cardos-4.4,with]": rf"PIN 03 was lost on R1: PSO .*, APDU \d of \[\d+\] {SIGN}",
    "nli-08[cardos-5.3,with]": r"PIN 01 was lost on R1: SELECT .*, APDU 1 of step \d+ \(apdu\) / other",
    "nli-09[cardos-5.3,with]": rf"{ENDED} \[\d+\] program: C_CloseSession: the last session was closed",
    "nli-14[cardos-4.4,with]": r"PIN 01 was lost on R1: LOGOUT, APDU \d of \[\d+\] other: C_Logout",
    "nli-15[cardos-5.3,without]": rf"{ENDED} \[\d+\] program: C_Logout: C_Logout",
}


@pytest.mark.parametrize("name", CAUSES)
def test_a_trace_tells_what_lost_the_login(name: str) -> None:
    instances = [each for each in load(FOLDER / f"{name.partition('[')[0]}.scenario.yaml") if each.id == name]
    (outcome,) = run_all(instances, Options(record=True, seed="lost"))
    assert outcome.result.verdict.value == "passed"
    explained = [line.strip() for line in outcome.text.splitlines() if line.lstrip().startswith("? ")]
    assert any(re.fullmatch(rf"\? {CAUSES[name]}", line) for line in explained), explained
