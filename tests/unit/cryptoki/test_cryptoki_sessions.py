from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin.cryptoki.constants import Cks, Cku, SessionFlag
from cardtwin.middleware import Ckr
from cardtwin.plan import Secret
from cardtwin.provenance import Switches
from support.programs import (
    KEPT_PIN,
    MAIN,
    OPERATOR,
    PIN,
    PUK,
    RO,
    RW,
    SIGN_PIN,
    SIGNATURE,
    WRONG,
    Desk,
    Program,
    encoded,
)
from support.tokens import MODELS, READER, profile_text

if TYPE_CHECKING:
    from collections.abc import Iterator

NEW = Secret.of("2580")


@pytest.fixture(params=MODELS)
def desk(request: pytest.FixtureRequest) -> Desk:
    return Desk(request.param)


@pytest.fixture
def program(desk: Desk) -> Iterator[Program]:
    program = desk.program()
    yield program
    program.close()


def state(program: Program, session: int) -> int:
    found: int = program("C_GetSessionInfo", session).state
    return found


def test_sessions_are_serial(program: Program) -> None:
    assert (
        program.rv("C_OpenSession", MAIN, SessionFlag.CKF_RW_SESSION)
        is Ckr.CKR_SESSION_PARALLEL_NOT_SUPPORTED
    )


def test_unknown_flags_of_a_session_are_refused(program: Program) -> None:
    assert program.rv("C_OpenSession", MAIN, RO | 0x100) is Ckr.CKR_ARGUMENTS_BAD


@pytest.mark.parametrize(
    ("flags", "before", "after"),
    [
        (RO, Cks.CKS_RO_PUBLIC_SESSION, Cks.CKS_RO_USER_FUNCTIONS),
        (RW, Cks.CKS_RW_PUBLIC_SESSION, Cks.CKS_RW_USER_FUNCTIONS),
    ],
)
def test_a_sessions_state_follows_from_its_kind_and_the_login(
    program: Program, flags: int, before: Cks, after: Cks
) -> None:
    session = program.session(flags)

    assert state(program, session) == before
    program("C_Login", session, Cku.CKU_USER, PIN)
    assert state(program, session) == after
    assert program("C_GetSessionInfo", session).flags == flags
    program("C_Logout", session)
    assert state(program, session) == before


def test_a_login_holds_for_all_sessions_with_the_token_and_new_ones(program: Program) -> None:
    first, second = program.session(), program.session(RO)
    program("C_Login", second, Cku.CKU_USER, PIN)

    assert state(program, first) == Cks.CKS_RW_USER_FUNCTIONS
    assert state(program, program.session(RO)) == Cks.CKS_RO_USER_FUNCTIONS


def test_by_a_quirk_a_login_holds_for_its_session_alone(desk: Desk) -> None:
    program = desk.program(switches=Switches({"cryptoki.login-scope": "session"}))
    first, second = program.session(), program.session()
    program("C_Login", second, Cku.CKU_USER, PIN)

    assert state(program, first) == Cks.CKS_RW_PUBLIC_SESSION
    assert state(program, second) == Cks.CKS_RW_USER_FUNCTIONS


def test_a_login_of_one_program_is_not_anothers(desk: Desk, program: Program) -> None:
    program.user_session()
    other = desk.program()

    assert state(other, other.session()) == Cks.CKS_RW_PUBLIC_SESSION


def test_slots_of_one_card_have_logins_of_their_own(program: Program) -> None:
    program("C_GetTokenInfo", MAIN)
    main, signature = program.user_session(), program.session(RW, SIGNATURE)

    assert state(program, signature) == Cks.CKS_RW_PUBLIC_SESSION
    program("C_Login", signature, Cku.CKU_USER, SIGN_PIN)
    program("C_Logout", main)
    assert state(program, signature) == Cks.CKS_RW_USER_FUNCTIONS


def test_closed_and_unknown_sessions_are_invalid(program: Program) -> None:
    session = program.session()
    program("C_CloseSession", session)

    for handle in (session, 0, 4711):
        assert program.rv("C_GetSessionInfo", handle) is Ckr.CKR_SESSION_HANDLE_INVALID
        assert program.rv("C_CloseSession", handle) is Ckr.CKR_SESSION_HANDLE_INVALID
        assert program.rv("C_Login", handle, Cku.CKU_USER, PIN) is Ckr.CKR_SESSION_HANDLE_INVALID


def test_closing_all_sessions_closes_those_of_one_token(program: Program) -> None:
    program("C_GetTokenInfo", MAIN)
    main, signature = program.session(), program.session(RW, SIGNATURE)
    program("C_CloseAllSessions", MAIN)

    assert program.rv("C_GetSessionInfo", main) is Ckr.CKR_SESSION_HANDLE_INVALID
    assert state(program, signature) == Cks.CKS_RW_PUBLIC_SESSION


def test_the_login_ends_with_the_last_session(desk: Desk, program: Program) -> None:
    session, other = program.user_session(), program.session()
    program("C_CloseSession", session)
    assert state(program, other) == Cks.CKS_RW_USER_FUNCTIONS
    program("C_CloseSession", other)

    assert desk.commands[-1] == bytes.fromhex("80EA0000")
    assert state(program, program.session()) == Cks.CKS_RW_PUBLIC_SESSION


def test_a_program_that_ends_logs_out_of_the_card(desk: Desk) -> None:
    program = desk.program()
    program.user_session()
    program.close()

    assert desk.commands[-1] == bytes.fromhex("80EA0000")


def test_a_wrong_pin_costs_one_try_and_locks_in_the_end(desk: Desk, program: Program) -> None:
    session = program.session()

    for left in (2, 1, 0):
        assert program.rv("C_Login", session, Cku.CKU_USER, WRONG) is Ckr.CKR_PIN_INCORRECT
        assert desk.tries(1) == left

    assert program.rv("C_Login", session, Cku.CKU_USER, PIN) is Ckr.CKR_PIN_LOCKED
    assert state(program, session) == Cks.CKS_RW_PUBLIC_SESSION


def test_a_pin_of_an_impossible_length_is_wrong_and_costs_nothing(desk: Desk, program: Program) -> None:
    assert (
        program.rv("C_Login", program.session(), Cku.CKU_USER, Secret.of("1" * 20)) is Ckr.CKR_PIN_INCORRECT
    )
    assert desk.tries(1) == 3


def test_without_a_pin_no_try_is_lost(desk: Desk, program: Program) -> None:
    assert program.rv("C_Login", program.session(), Cku.CKU_USER, None) is Ckr.CKR_ARGUMENTS_BAD
    assert desk.tries(1) == 3


def test_there_are_three_user_types(program: Program) -> None:
    assert program.rv("C_Login", program.session(), 3, PIN) is Ckr.CKR_USER_TYPE_INVALID


def test_who_is_logged_in_cannot_log_in_again_nor_anybody_else(desk: Desk, program: Program) -> None:
    session = program.user_session()

    assert program.rv("C_Login", session, Cku.CKU_USER, WRONG) is Ckr.CKR_USER_ALREADY_LOGGED_IN
    assert program.rv("C_Login", session, Cku.CKU_SO, WRONG) is Ckr.CKR_USER_ANOTHER_ALREADY_LOGGED_IN
    assert (desk.tries(1), desk.tries(2)) == (3, 10)


def test_nobody_logs_out_who_is_not_logged_in(program: Program) -> None:
    assert program.rv("C_Logout", program.session()) is Ckr.CKR_USER_NOT_LOGGED_IN


def test_the_so_logs_in_by_the_puk_in_read_write_sessions_alone(program: Program) -> None:
    session = program.session()
    program("C_Login", session, Cku.CKU_SO, PUK)

    assert state(program, session) == Cks.CKS_RW_SO_FUNCTIONS
    assert program.rv("C_OpenSession", MAIN, int(RO)) is Ckr.CKR_SESSION_READ_WRITE_SO_EXISTS


def test_a_read_only_session_keeps_the_so_out(desk: Desk, program: Program) -> None:
    session = program.session()
    program.session(RO)

    assert program.rv("C_Login", session, Cku.CKU_SO, WRONG) is Ckr.CKR_SESSION_READ_ONLY_EXISTS
    assert desk.tries(2) == 10


def test_a_wrong_so_pin_costs_a_try_of_the_puk(desk: Desk, program: Program) -> None:
    assert program.rv("C_Login", program.session(), Cku.CKU_SO, OPERATOR) is Ckr.CKR_PIN_INCORRECT
    assert desk.tries(2) == 9


@pytest.mark.parametrize("model", MODELS)
def test_the_so_is_the_operator_where_the_profile_says_so(model: str) -> None:
    desk = Desk(model, image=encoded(model, profile_text(model, so="OP")))
    program = desk.program()
    session = program.session()

    assert program.rv("C_Login", session, Cku.CKU_SO, Secret.of("11112222")) is Ckr.CKR_PIN_INCORRECT
    assert desk.tries(5) == 3
    program("C_Login", session, Cku.CKU_SO, Secret.of("55556666"))
    assert program.rv("C_InitPIN", session, NEW) is Ckr.CKR_FUNCTION_NOT_SUPPORTED


def test_a_login_for_an_operation_needs_one(program: Program) -> None:
    session = program.user_session()

    assert program.rv("C_Login", session, Cku.CKU_CONTEXT_SPECIFIC, PIN) is Ckr.CKR_OPERATION_NOT_INITIALIZED


def test_the_so_resets_a_locked_pin(desk: Desk, program: Program) -> None:
    session = program.session()

    for _ in range(4):
        program.rv("C_Login", session, Cku.CKU_USER, WRONG)

    program("C_Login", session, Cku.CKU_SO, PUK)
    program("C_InitPIN", session, NEW)
    program("C_Logout", session)
    program("C_Login", session, Cku.CKU_USER, NEW)
    assert desk.tries(1) == 3


def test_the_signature_slots_so_is_the_puk_of_its_pin(desk: Desk, program: Program) -> None:
    program.slots()
    session = program.session(RW, SIGNATURE)

    assert program.rv("C_Login", session, Cku.CKU_SO, PUK) is Ckr.CKR_PIN_INCORRECT
    assert (desk.tries(2), desk.tries(4)) == (10, 9)


def test_only_the_so_sets_the_users_pin(program: Program) -> None:
    assert program.rv("C_InitPIN", program.session(), NEW) is Ckr.CKR_USER_NOT_LOGGED_IN
    assert program.rv("C_InitPIN", program.user_session(), NEW) is Ckr.CKR_USER_NOT_LOGGED_IN


def test_a_new_pin_has_to_have_the_right_length(program: Program) -> None:
    session = program.session()
    assert program.rv("C_SetPIN", session, PIN, Secret.of("12")) is Ckr.CKR_PIN_LEN_RANGE
    assert program.rv("C_SetPIN", session, PIN, Secret.of("123456789")) is Ckr.CKR_PIN_LEN_RANGE
    program("C_Login", session, Cku.CKU_SO, PUK)
    assert program.rv("C_InitPIN", session, Secret.of("12")) is Ckr.CKR_PIN_LEN_RANGE


@pytest.mark.parametrize("logged_in", [False, True])
def test_the_user_changes_the_pin_logged_in_or_not(desk: Desk, program: Program, logged_in: bool) -> None:
    session = program.user_session() if logged_in else program.session()

    assert program.rv("C_SetPIN", session, WRONG, NEW) is Ckr.CKR_PIN_INCORRECT
    assert desk.tries(1) == 2
    program("C_SetPIN", session, PIN, NEW)
    assert desk.tries(1) == 3
    other = desk.program()
    other("C_Login", other.session(), Cku.CKU_USER, NEW)


def test_the_client_does_not_let_the_so_change_the_puk_of_such_cards(desk: Desk, program: Program) -> None:
    session = program.session()
    program("C_Login", session, Cku.CKU_SO, PUK)
    before = desk.card.image
    assert program.rv("C_SetPIN", session, PUK, Secret.of("00001111")) is Ckr.CKR_FUNCTION_NOT_SUPPORTED
    assert desk.card.image == before


def test_the_so_changes_the_puk_where_the_card_alone_decides(desk: Desk) -> None:
    program = desk.program(switches=Switches({"middleware.puk-change": "any"}))
    session = program.session()
    program("C_Login", session, Cku.CKU_SO, PUK)
    program("C_SetPIN", session, PUK, Secret.of("00001111"))
    program("C_InitPIN", session, NEW)
    program("C_Logout", session)

    assert program.rv("C_Login", session, Cku.CKU_SO, PUK) is Ckr.CKR_PIN_INCORRECT
    program("C_Login", session, Cku.CKU_SO, Secret.of("00001111"))


def test_a_read_only_session_changes_no_pin(program: Program) -> None:
    assert program.rv("C_SetPIN", program.user_session(RO), PIN, NEW) is Ckr.CKR_SESSION_READ_ONLY


@pytest.mark.parametrize("arguments", [(None, NEW), (PIN, None)])
def test_a_pin_that_is_missing_is_a_bad_argument(program: Program, arguments: tuple[object, ...]) -> None:
    assert program.rv("C_SetPIN", program.session(), *arguments) is Ckr.CKR_ARGUMENTS_BAD


def test_cards_are_not_initialised_by_pkcs11(desk: Desk, program: Program) -> None:
    before = desk.card.image

    assert program.rv("C_InitToken", MAIN, PUK, b" " * 32) is Ckr.CKR_FUNCTION_NOT_SUPPORTED
    assert desk.card.image == before


def test_removal_closes_the_sessions_and_tells_once(desk: Desk, program: Program) -> None:
    first, second = program.user_session(), program.session()
    desk.manager.remove(READER)

    assert program.rv("C_GetSessionInfo", first) is Ckr.CKR_DEVICE_REMOVED
    assert program.rv("C_GetSessionInfo", first) is Ckr.CKR_SESSION_HANDLE_INVALID
    assert program.rv("C_GetSessionInfo", second) is Ckr.CKR_SESSION_HANDLE_INVALID
    assert program.rv("C_OpenSession", MAIN, int(RW)) is Ckr.CKR_TOKEN_NOT_PRESENT


def test_a_card_that_was_away_between_two_calls_is_another_one(desk: Desk, program: Program) -> None:
    session = program.user_session()
    desk.manager.remove(READER)
    desk.manager.insert(READER, desk.card)

    assert program.rv("C_GetSessionInfo", session) is Ckr.CKR_DEVICE_REMOVED
    assert state(program, program.session()) == Cks.CKS_RW_PUBLIC_SESSION


def test_a_session_with_another_card_is_not_kept_out_by_the_login_to_the_first(
    desk: Desk, program: Program
) -> None:
    program("C_Login", program.session(), Cku.CKU_SO, PUK)
    desk.manager.remove(READER)
    desk.manager.insert(READER, desk.card)

    assert state(program, program.session(RO)) == Cks.CKS_RO_PUBLIC_SESSION


def test_sessions_with_a_card_that_is_gone_can_all_be_closed(desk: Desk, program: Program) -> None:
    first = program.user_session()
    program.session()
    desk.manager.remove(READER)
    program("C_CloseAllSessions", MAIN)

    assert program.rv("C_GetSessionInfo", first) is Ckr.CKR_SESSION_HANDLE_INVALID


def test_after_a_reset_by_others_the_user_logs_in_again(desk: Desk, program: Program) -> None:
    session = program.user_session()
    desk.manager.reset(READER)

    program("C_Login", session, Cku.CKU_USER, PIN)
    assert state(program, session) == Cks.CKS_RW_USER_FUNCTIONS


def test_with_a_kept_pin_the_card_is_left_logged_out(desk: Desk) -> None:
    program = desk.program(configuration=KEPT_PIN)
    session = program.user_session()

    assert desk.commands[-1] == bytes.fromhex("80EA0000")
    assert state(program, session) == Cks.CKS_RW_USER_FUNCTIONS


def test_a_handle_is_never_given_twice(program: Program) -> None:
    handles = []

    for _ in range(5):
        handles.append(program.session())
        program("C_CloseSession", handles[-1])

    assert len(set(handles)) == 5
