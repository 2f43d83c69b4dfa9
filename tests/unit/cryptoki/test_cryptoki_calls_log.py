"""personal.log tells of calls that fail, with the reason, of logins, and of what changes the token."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from cardtwin.cryptoki.constants import Ckm, Cku
from cardtwin.cryptoki.values import Buffer, Mechanism
from cardtwin.middleware import Ckr
from cardtwin.provenance import Switches
from cardtwin.provenance.cryptoki import LOGGED_CALLS
from support.programs import LOGOUT_AFTER_SIGN, MAIN, PIN, WRONG, Desk
from support.signers import SIMPLE, Signer
from support.tokens import READER

if TYPE_CHECKING:
    from pathlib import Path

WHY = "nobody is logged in; the login was ended: P11_LogoutAfterSign=1"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def lines(folder: Path) -> list[str]:
    """Return the lines without their time and program, which all have."""
    text = (folder / "personal.log").read_text(encoding="utf-8")
    start = "2026-01-01T12:00:00.000+00:00 program "
    assert all(line.startswith(start) for line in text.splitlines())
    return [line.removeprefix(start) for line in text.splitlines()]


def test_logins_and_their_ends_are_told_and_signatures_are_not(desk: Desk, tmp_path: Path) -> None:
    signer = Signer(desk, log_folder=tmp_path, now=lambda: NOON, configuration=LOGOUT_AFTER_SIGN)
    signer.sign(SIMPLE)
    assert signer.init() is Ckr.CKR_USER_NOT_LOGGED_IN
    signer.program.close()
    assert lines(tmp_path) == [
        "C_Login(hSession=1, userType=CKU_USER, pPin=**) CKR_OK",
        f"login of CKU_USER [{READER}] ended: P11_LogoutAfterSign=1",
        f"C_SignInit(hSession=1, pMechanism={SIMPLE.name}, hKey={signer.key}) CKR_USER_NOT_LOGGED_IN: {WHY}",
        "C_Finalize() CKR_OK",
    ]


def test_c_init_token_is_refused_with_the_reason_in_the_log(desk: Desk, tmp_path: Path) -> None:
    program = desk.program(log_folder=tmp_path, now=lambda: NOON, configuration=LOGOUT_AFTER_SIGN)
    assert program.rv("C_InitToken", MAIN, PIN, b"Label".ljust(32)) is Ckr.CKR_FUNCTION_NOT_SUPPORTED
    (line,) = lines(tmp_path)
    call, _, why = line.partition(" CKR_FUNCTION_NOT_SUPPORTED: ")
    assert call == "C_InitToken(slotID=1, pPin=**, pLabel=32 bytes)"
    assert why == "cards are initialised with a card profile: InitTokenPPA does that"


def test_a_wrong_pin_is_told_without_it(desk: Desk, tmp_path: Path) -> None:
    program = desk.program(log_folder=tmp_path, now=lambda: NOON, configuration=LOGOUT_AFTER_SIGN)
    assert program.rv("C_Login", program.session(), Cku.CKU_USER, WRONG) is Ckr.CKR_PIN_INCORRECT
    (line,) = lines(tmp_path)
    assert line.startswith("C_Login(hSession=1, userType=CKU_USER, pPin=**) CKR_PIN_INCORRECT: ")


def test_a_buffer_that_is_too_small_and_no_event_are_no_failures(desk: Desk, tmp_path: Path) -> None:
    program = desk.program(log_folder=tmp_path, now=lambda: NOON, configuration=LOGOUT_AFTER_SIGN)
    program.slots()
    assert program.rv("C_GetSlotList", False, Buffer(0)) is Ckr.CKR_BUFFER_TOO_SMALL  # noqa: FBT003  # CK_BBOOL
    assert program.rv("C_WaitForSlotEvent", 1) is Ckr.CKR_NO_EVENT
    assert not (tmp_path / "personal.log").exists()


def test_every_call_is_told_where_that_is_wanted(desk: Desk, tmp_path: Path) -> None:
    program = desk.program(
        log_folder=tmp_path,
        now=lambda: NOON,
        configuration=LOGOUT_AFTER_SIGN,
        switches=Switches({LOGGED_CALLS.id: "all"}),
    )
    program("C_DigestInit", program.session(), Mechanism(Ckm.CKM_SHA256))
    assert lines(tmp_path)[-1] == "C_DigestInit(hSession=1, pMechanism=CKM_SHA256) CKR_OK"
