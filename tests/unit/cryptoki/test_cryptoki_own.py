from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin.cryptoki.constants import Cko, Cku, TokenFlag
from cardtwin.cryptoki.values import Buffer, NamedValue
from cardtwin.middleware import Ckr
from cardtwin.plan import Secret
from support.programs import MAIN, OPERATOR, PIN, PROFILES, PUK, RO, WRONG, Desk, Program, encoded
from support.tokens import MODELS, READER, profile_text

if TYPE_CHECKING:
    from collections.abc import Iterator

NEW = Secret.of("2580")
LOGOUT = bytes.fromhex("80EA0000")


@pytest.fixture(params=MODELS)
def desk(request: pytest.FixtureRequest) -> Desk:
    return Desk(request.param)


@pytest.fixture
def program(desk: Desk) -> Iterator[Program]:
    program = desk.program()
    yield program
    program.close()


def profile(desk: Desk) -> bytes:
    return (PROFILES / f"{desk.model.name}-full.cpf").read_bytes()


SECRETS = (NamedValue("PIN1", b"2468"), NamedValue("PUK", b"24682468"))


@pytest.mark.parametrize("model", MODELS)
def test_an_empty_card_is_initialised_with_a_profile_secrets_and_a_label(model: str) -> None:
    desk = Desk(model, blank=True)
    program = desk.program()
    program("C_GetTokenInfo", MAIN)
    program("cardtwin_InitTokenPPA", MAIN, profile(desk), (), SECRETS, b"Badge 7")
    info = program("C_GetTokenInfo", MAIN)

    assert info.label == "Badge 7"
    assert info.flags & TokenFlag.CKF_TOKEN_INITIALIZED
    program("C_Login", program.session(), Cku.CKU_USER, Secret.of("2468"))


def test_a_card_with_open_sessions_is_not_initialised(desk: Desk, program: Program) -> None:
    program.session()
    before = desk.card.image

    assert program.rv("cardtwin_InitTokenPPA", MAIN, profile(desk), (), (), b"") is Ckr.CKR_SESSION_EXISTS
    assert desk.card.image == before


@pytest.mark.parametrize(
    ("text", "parameters", "secrets", "label"),
    [
        (b"nonsense", (), (), b""),
        (b"", (), (), b""),
        (None, (), (NamedValue("PIN9", b"1234"),), b""),
        (None, (), (*SECRETS, SECRETS[0]), b""),
        (None, (NamedValue("A", b"1"), NamedValue("A", b"2")), (), b""),
        (None, (), (), b"\xff"),
    ],
)
def test_what_describes_no_token_is_a_bad_argument_and_changes_nothing(
    desk: Desk, program: Program, text: bytes | None, parameters: object, secrets: object, label: bytes
) -> None:
    before = desk.card.image
    found = profile(desk) if text is None else text

    assert (
        program.rv("cardtwin_InitTokenPPA", MAIN, found, parameters, secrets, label) is Ckr.CKR_ARGUMENTS_BAD
    )
    assert desk.card.image == before


def test_a_profile_for_another_card_is_refused(desk: Desk, program: Program) -> None:
    other = next(model for model in MODELS if model != desk.model.name)
    text = (PROFILES / f"{other}-full.cpf").read_bytes()

    assert program.rv("cardtwin_InitTokenPPA", MAIN, text, (), (), b"") is Ckr.CKR_TOKEN_NOT_RECOGNIZED


def test_properties_are_texts_with_two_calls(desk: Desk, program: Program) -> None:
    serial = desk.model.serial.hex().upper()

    assert program("cardtwin_GetProperty", MAIN, b"chip_serial", Buffer(None)).length == len(serial)
    assert program("cardtwin_GetProperty", MAIN, b"chip_serial", Buffer(64)).content == serial.encode()
    assert program.rv("cardtwin_GetProperty", MAIN, b"chip_serial", Buffer(1)) is Ckr.CKR_BUFFER_TOO_SMALL
    assert program.rv("cardtwin_GetProperty", MAIN, b"nothing", Buffer(64)) is Ckr.CKR_ARGUMENTS_BAD


def test_a_virtual_reader_in_sight_spoils_properties(desk: Desk, program: Program) -> None:
    desk.manager.add_reader("Microsoft Virtual Smart Card 0")

    assert program.rv("cardtwin_GetProperty", MAIN, b"chip_serial", Buffer(64)) is Ckr.CKR_GENERAL_ERROR


def test_a_pin_is_unblocked_without_a_session(desk: Desk, program: Program) -> None:
    assert program.rv("cardtwin_UnblockPIN", MAIN, WRONG, NEW) is Ckr.CKR_PIN_INCORRECT
    assert desk.tries(2) == 9
    program("cardtwin_UnblockPIN", MAIN, PUK, NEW)
    assert desk.tries(2) == 10
    program("C_Login", program.session(), Cku.CKU_USER, NEW)


@pytest.mark.parametrize("arguments", [(None, NEW), (PUK, None)])
def test_what_is_missing_unblocks_nothing(program: Program, arguments: tuple[object, ...]) -> None:
    assert program.rv("cardtwin_UnblockPIN", MAIN, *arguments) is Ckr.CKR_ARGUMENTS_BAD


def erasable_by_operator(model: str) -> Desk:
    return Desk(model, image=encoded(model, profile_text(model, burn=True)))


@pytest.mark.parametrize("model", MODELS)
def test_the_operators_login_lets_the_card_eraser_erase(model: str) -> None:
    desk = erasable_by_operator(model)
    program = desk.program()
    session = program.session()
    eraser = program.key(session, "Card Eraser", Cko.CKO_DATA)

    assert program.rv("C_DestroyObject", session, eraser) is Ckr.CKR_USER_NOT_LOGGED_IN
    program("cardtwin_LoginOperator", session, Secret.of("55556666"))
    program("C_DestroyObject", session, eraser)
    assert desk.card.image.files.keys() == desk.model.blank().files.keys()


@pytest.mark.parametrize("model", MODELS)
def test_the_operators_login_ends_with_a_reset_and_with_the_last_session(model: str) -> None:
    desk = erasable_by_operator(model)
    program = desk.program()
    session = program.session()
    eraser = program.key(session, "Card Eraser", Cko.CKO_DATA)
    program("cardtwin_LoginOperator", session, Secret.of("55556666"))
    desk.manager.reset(READER)
    assert program.rv("C_DestroyObject", session, eraser) is Ckr.CKR_USER_NOT_LOGGED_IN

    program("cardtwin_LoginOperator", session, Secret.of("55556666"))
    program("C_CloseSession", session)
    assert desk.commands[-1] == LOGOUT
    assert program.rv("C_DestroyObject", program.session(), eraser) is Ckr.CKR_USER_NOT_LOGGED_IN


def test_a_wrong_operator_pin_costs_a_try(desk: Desk, program: Program) -> None:
    session = program.session()

    assert program.rv("cardtwin_LoginOperator", session, WRONG) is Ckr.CKR_PIN_INCORRECT
    assert desk.tries(5) == 9
    assert program.rv("cardtwin_LoginOperator", session, None) is Ckr.CKR_ARGUMENTS_BAD
    assert program.rv("cardtwin_LoginOperator", program.session(RO), OPERATOR) is Ckr.CKR_SESSION_READ_ONLY
    program("cardtwin_LoginOperator", session, OPERATOR)
    assert desk.tries(5) == 10


def test_the_operator_is_nobody_to_pkcs11(program: Program) -> None:
    session = program.session()
    program("cardtwin_LoginOperator", session, OPERATOR)

    assert program.rv("C_Logout", session) is Ckr.CKR_USER_NOT_LOGGED_IN
    program("C_Login", session, Cku.CKU_USER, PIN)
