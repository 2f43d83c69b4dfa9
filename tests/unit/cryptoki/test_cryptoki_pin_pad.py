"""PINs that are entered at the reader: the protected authentication path (PKCS #11 v2.40, 5.5 and 5.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin.cryptoki.constants import Cku, TokenFlag
from cardtwin.cryptoki.values import Buffer
from cardtwin.events import LoginEnd, LoginEnded
from cardtwin.middleware import Ckr
from cardtwin.plan import Secret
from cardtwin.provenance import Switches
from support.programs import KEPT_PIN, MAIN, OPERATOR, PIN, PUK, RO, SIGN_PIN, SIGNATURE, WRONG, Desk
from support.signers import SIMPLE

if TYPE_CHECKING:
    from pathlib import Path

MODELS = ["cardos-4.3b", "cardos-4.4", "cardos-5.3", "cosmo-7", "idclassic-340"]
PIN_TEXT, PUK_TEXT, NEW_TEXT = "1234", "12345678", "567890"
NEW = Secret.of(NEW_TEXT)
USER_PIN, USER_PUK = 1, 2


@pytest.fixture(params=MODELS)
def any_desk(request: pytest.FixtureRequest) -> Desk:
    return Desk(request.param, pinpad=True)


@pytest.fixture
def desk() -> Desk:
    return Desk(pinpad=True)


def protected(desk: Desk, switches: Switches | None = None) -> bool:
    info = desk.program(switches=switches)("C_GetTokenInfo", MAIN)
    return bool(info.flags & TokenFlag.CKF_PROTECTED_AUTHENTICATION_PATH)


def test_tokens_in_a_reader_with_a_pin_pad_say_so(desk: Desk) -> None:
    assert protected(desk)
    assert not protected(Desk())


def test_a_login_without_a_pin_is_one_by_the_pin_entered_at_the_reader(any_desk: Desk) -> None:
    program = any_desk.program()
    session = program.session()
    any_desk.enter(PIN_TEXT)
    program("C_Login", session, Cku.CKU_USER, None)
    assert program.sign(session, program.key(session), SIMPLE, b"data")


def test_a_typed_pin_works_as_ever(desk: Desk) -> None:
    program = desk.program()
    assert program.user_session()


def test_a_wrong_pin_entered_at_the_reader_costs_a_try_and_the_last_one_locks(any_desk: Desk) -> None:
    program = any_desk.program()
    session = program.session()

    for left, rv in ((2, Ckr.CKR_PIN_INCORRECT), (1, Ckr.CKR_PIN_INCORRECT)):
        any_desk.enter("9999")
        assert program.rv("C_Login", session, Cku.CKU_USER, None) is rv
        assert any_desk.tries(USER_PIN) == left

    any_desk.enter("9999")
    program.rv("C_Login", session, Cku.CKU_USER, None)
    any_desk.enter(PIN_TEXT)
    assert program.rv("C_Login", session, Cku.CKU_USER, None) is Ckr.CKR_PIN_LOCKED
    assert program("C_GetTokenInfo", MAIN).flags & TokenFlag.CKF_USER_PIN_LOCKED


@pytest.mark.parametrize(
    ("entry", "rv"),
    [
        ("cancel", Ckr.CKR_FUNCTION_CANCELED),
        ("timeout", Ckr.CKR_FUNCTION_CANCELED),
        ("123", Ckr.CKR_PIN_INCORRECT),
        ("123456789", Ckr.CKR_PIN_INCORRECT),
    ],
)
def test_what_the_reader_refuses_costs_no_try(desk: Desk, entry: str, rv: Ckr) -> None:
    program = desk.program()
    session = program.session()
    desk.enter(entry)
    assert program.rv("C_Login", session, Cku.CKU_USER, None) is rv
    assert desk.tries(USER_PIN) == 3
    program("C_Login", session, Cku.CKU_USER, PIN)


def test_without_a_pin_pad_a_login_without_a_pin_is_refused() -> None:
    program = Desk().program()
    assert program.rv("C_Login", program.session(), Cku.CKU_USER, None) is Ckr.CKR_ARGUMENTS_BAD


def test_a_pin_pad_can_be_ignored(desk: Desk) -> None:
    switches = Switches({"cryptoki.protected-path": "ignored"})
    program = desk.program(switches=switches)
    desk.enter(PIN_TEXT)
    assert not protected(desk, switches)
    assert program.rv("C_Login", program.session(), Cku.CKU_USER, None) is Ckr.CKR_ARGUMENTS_BAD


def test_the_signature_pin_is_entered_for_its_slot(desk: Desk) -> None:
    program = desk.program()
    program.slots()
    session = program.session(slot=SIGNATURE)
    desk.enter("4321")
    program("C_Login", session, Cku.CKU_USER, None)
    program("C_Logout", session)
    desk.enter(PIN_TEXT)
    assert program.rv("C_Login", session, Cku.CKU_USER, None) is Ckr.CKR_PIN_INCORRECT
    program("C_Login", session, Cku.CKU_USER, SIGN_PIN)


def test_a_pin_is_changed_at_the_reader(any_desk: Desk) -> None:
    program = any_desk.program()
    session = program.session()
    any_desk.enter(PIN_TEXT, NEW_TEXT, NEW_TEXT)
    program("C_SetPIN", session, None, None)
    program("C_Login", session, Cku.CKU_USER, NEW)
    assert program.rv("C_SetPIN", session, PIN, NEW) is Ckr.CKR_PIN_INCORRECT


@pytest.mark.parametrize(
    ("entries", "rv", "tries"),
    [
        ((PIN_TEXT, NEW_TEXT, "567891"), Ckr.CKR_PIN_INVALID, 3),
        ((PIN_TEXT, "567", "567"), Ckr.CKR_PIN_LEN_RANGE, 3),
        ((PIN_TEXT, "cancel"), Ckr.CKR_FUNCTION_CANCELED, 3),
        ((PIN_TEXT,), Ckr.CKR_FUNCTION_CANCELED, 3),
        (("9999", NEW_TEXT, NEW_TEXT), Ckr.CKR_PIN_INCORRECT, 2),
    ],
)
def test_a_change_that_goes_wrong_leaves_the_pin(
    desk: Desk, entries: tuple[str, ...], rv: Ckr, tries: int
) -> None:
    program = desk.program()
    session = program.session()
    desk.enter(*entries)
    assert program.rv("C_SetPIN", session, None, None) is rv
    assert desk.tries(USER_PIN) == tries
    program("C_Login", session, Cku.CKU_USER, PIN)


def test_of_two_pins_of_a_change_both_are_typed_or_none(desk: Desk) -> None:
    program = desk.program()
    session = program.session()
    desk.enter(PIN_TEXT, NEW_TEXT, NEW_TEXT)
    assert program.rv("C_SetPIN", session, PIN, None) is Ckr.CKR_ARGUMENTS_BAD
    assert program.rv("C_SetPIN", session, None, NEW) is Ckr.CKR_ARGUMENTS_BAD


def test_a_pin_is_not_changed_at_the_reader_in_a_read_only_session(desk: Desk) -> None:
    program = desk.program()
    assert program.rv("C_SetPIN", program.session(RO), None, None) is Ckr.CKR_SESSION_READ_ONLY


def blocked(desk: Desk) -> None:
    program = desk.program()
    session = program.session()

    for _ in range(3):
        program.rv("C_Login", session, Cku.CKU_USER, WRONG)

    program.close()
    assert desk.tries(USER_PIN) == 0


def test_the_security_officer_enters_puk_and_new_pin_at_the_reader(any_desk: Desk) -> None:
    blocked(any_desk)
    program = any_desk.program()
    session = program.session()
    any_desk.enter(PUK_TEXT)
    program("C_Login", session, Cku.CKU_SO, None)
    assert program.rv("C_InitPIN", session, NEW) is Ckr.CKR_ARGUMENTS_BAD
    any_desk.enter(PUK_TEXT, NEW_TEXT, NEW_TEXT)
    program("C_InitPIN", session, None)
    program("C_Logout", session)
    program("C_Login", session, Cku.CKU_USER, NEW)


def test_a_typed_puk_stands_beside_a_new_pin_that_is_entered_at_the_reader(any_desk: Desk) -> None:
    blocked(any_desk)
    program = any_desk.program()
    session = program.session()
    program("C_Login", session, Cku.CKU_SO, PUK)
    any_desk.enter(NEW_TEXT, NEW_TEXT)
    program("C_InitPIN", session, None)
    program("C_Logout", session)
    program("C_Login", session, Cku.CKU_USER, NEW)


def test_a_wrong_puk_entered_at_the_reader_costs_one_of_its_tries(any_desk: Desk) -> None:
    program = any_desk.program()
    tries = any_desk.tries(USER_PUK)
    any_desk.enter("99999999", NEW_TEXT, NEW_TEXT)
    assert program.rv("cardtwin_UnblockPIN", MAIN, None, None) is Ckr.CKR_PIN_INCORRECT
    assert any_desk.tries(USER_PUK) == tries - 1
    any_desk.enter(PUK_TEXT, NEW_TEXT, NEW_TEXT)
    program("cardtwin_UnblockPIN", MAIN, None, None)
    program("C_Login", program.session(), Cku.CKU_USER, NEW)


def test_the_officer_changes_the_puk_at_the_reader_and_enters_it_from_then_on(desk: Desk) -> None:
    program = desk.program(switches=Switches({"middleware.puk-change": "any"}))
    session = program.session()
    program("C_Login", session, Cku.CKU_SO, PUK)
    desk.enter(PUK_TEXT, "87654321", "87654321")
    program("C_SetPIN", session, None, None)
    assert program.rv("C_InitPIN", session, NEW) is Ckr.CKR_ARGUMENTS_BAD
    desk.enter("87654321", NEW_TEXT, NEW_TEXT)
    program("C_InitPIN", session, None)


def test_the_operator_enters_a_pin_at_the_reader(desk: Desk) -> None:
    program = desk.program()
    session = program.session()
    desk.enter(OPERATOR.reveal().decode())
    program("cardtwin_LoginOperator", session, None)


def test_a_login_at_the_reader_lasts_where_typed_pins_are_kept(desk: Desk) -> None:
    program = desk.program(configuration=KEPT_PIN)
    session = program.session()
    desk.enter(PIN_TEXT)
    program("C_Login", session, Cku.CKU_USER, None)

    key = program.key(session)

    for _ in range(2):
        assert program.sign(session, key, SIMPLE, b"data")

    desk.manager.reset(desk.manager.readers()[0])
    program("C_SignInit", session, SIMPLE, key)
    assert program.rv("C_Sign", session, b"data", Buffer(512)) is Ckr.CKR_USER_NOT_LOGGED_IN


def test_a_change_at_the_reader_ends_the_login_with_a_kept_pin(desk: Desk) -> None:
    program = desk.program(configuration=KEPT_PIN)
    session = program.user_session()
    key = program.key(session)
    desk.enter(PIN_TEXT, NEW_TEXT, NEW_TEXT)
    program("C_SetPIN", session, None, None)
    assert program.rv("C_SignInit", session, SIMPLE, key) is Ckr.CKR_USER_NOT_LOGGED_IN
    assert desk.tries(USER_PIN) == 3
    ends = [event.why for event in desk.events if isinstance(event, LoginEnded)]
    assert ends == [LoginEnd.KEPT_PIN_CHANGED]


def test_what_is_entered_is_in_no_log(desk: Desk, tmp_path: Path) -> None:
    program = desk.program(log_folder=tmp_path, switches=Switches({"cryptoki.logged-calls": "all"}))
    session = program.session()
    desk.enter(PIN_TEXT, NEW_TEXT, NEW_TEXT)
    program("C_SetPIN", session, None, None)
    desk.enter("8642")
    program.rv("C_Login", session, Cku.CKU_USER, None)
    text = "".join(path.read_text() for path in tmp_path.iterdir())
    assert "C_SetPIN" in text
    assert not any(pin in text for pin in (PIN_TEXT, NEW_TEXT, "8642"))
