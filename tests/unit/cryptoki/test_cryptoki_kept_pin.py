"""P11_EnableCachePIN: the PIN of a login is kept, and logs in for each private operation, and out again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin.cryptoki.constants import Cka, Cko, Cks, Cku
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.values import Buffer
from cardtwin.middleware import Ckr
from cardtwin.plan import Secret
from cardtwin.source import SourceText
from support.programs import (
    KEPT_PIN,
    MAIN,
    PIN,
    PUK,
    SIGN_PIN,
    SIGNATURE,
    WRONG,
    Desk,
    Program,
    configured,
)
from support.signers import DATA, SIMPLE, Signer, consenting
from support.tokens import MODELS, READER, profile_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.cryptoki.sessions import Session

LOGOUT = bytes.fromhex("80EA0000")
NEW = Secret.of("2580")
LOST = Ckr.CKR_USER_NOT_LOGGED_IN
PROFILE_ID_FILE = "3F00/5015/F001"
AND_LOGOUT = configured("[CSP_PKCS11]", "P11_EnableCachePIN=1", "P11_LogoutAfterSign=1")


@pytest.fixture(params=MODELS)
def desk(request: pytest.FixtureRequest) -> Desk:
    return Desk(request.param)


@pytest.fixture
def signer(desk: Desk) -> Iterator[Signer]:
    signer = Signer(desk, configuration=KEPT_PIN)
    yield signer
    signer.program.close()


def held(signer: Signer) -> Session:
    return signer.program.application.sessions.get(signer.session)


def verifies(desk: Desk) -> int:
    """Return how often a PIN was verified."""
    return sum(command[1] == 0x20 and len(command) > 5 for command in desk.commands)


def state(program: Program, session: int) -> int:
    found: int = program("C_GetSessionInfo", session).state
    return found


def test_each_private_operation_logs_in_and_out_again_and_others_find_nobody_logged_in(
    signer: Signer,
) -> None:
    desk = signer.desk
    raw = desk.manager.context().connect(READER)
    before = verifies(desk)

    for count in (1, 2):
        signer.sign(SIMPLE)
        assert verifies(desk) == before + count
        assert desk.commands[-1] == LOGOUT

    assert raw.transmit(bytes.fromhex("00A4080C04 50154541")) == b"\x90\x00"
    assert raw.transmit(bytes.fromhex("00D6000001 00")) == b"\x69\x82"


def test_other_programs_use_the_card_with_their_own_login_in_between(signer: Signer) -> None:
    other = Signer(signer.desk, configuration=KEPT_PIN)

    for each in (signer, other, signer, other):
        assert len(each.sign(SIMPLE)) == 256


def test_a_wrong_pin_is_not_kept(desk: Desk) -> None:
    program = desk.program(configuration=KEPT_PIN)
    session = program.session()

    assert program.rv("C_Login", session, Cku.CKU_USER, WRONG) is Ckr.CKR_PIN_INCORRECT
    assert desk.tries(1) == 2
    assert state(program, session) == Cks.CKS_RW_PUBLIC_SESSION
    assert program.rv("C_Logout", session) is LOST
    program("C_Login", session, Cku.CKU_USER, PIN)
    assert len(program.sign(session, program.key(session), SIMPLE, DATA)) == 256
    assert desk.tries(1) == 3


def test_the_pin_that_the_program_changes_is_kept_anew(signer: Signer) -> None:
    signer.program("C_SetPIN", signer.session, PIN, NEW)

    assert len(signer.sign(SIMPLE)) == 256
    assert signer.desk.tries(1) == 3


def test_the_pin_that_the_program_unblocks_is_kept_anew(signer: Signer) -> None:
    signer.program("cardtwin_UnblockPIN", MAIN, PUK, NEW)

    assert len(signer.sign(SIMPLE)) == 256
    assert signer.desk.tries(1) == 3


def test_a_change_of_the_pin_that_fails_leaves_the_kept_one(signer: Signer) -> None:
    assert signer.program.rv("C_SetPIN", signer.session, WRONG, NEW) is Ckr.CKR_PIN_INCORRECT

    assert len(signer.sign(SIMPLE)) == 256


def test_the_pin_of_one_slot_is_not_the_others(desk: Desk) -> None:
    signer = Signer(desk, configuration=KEPT_PIN)
    other = signer.program.session(slot=SIGNATURE)
    signer.program("C_Login", other, Cku.CKU_USER, SIGN_PIN)
    signer.program("C_SetPIN", other, SIGN_PIN, NEW)

    assert len(signer.sign(SIMPLE)) == 256
    signer.program("C_Logout", other)
    assert len(signer.sign(SIMPLE)) == 256


@pytest.mark.parametrize("end", ["C_Logout", "C_CloseSession"])
def test_the_kept_pin_goes_with_the_login(signer: Signer, end: str) -> None:
    before = verifies(signer.desk)
    signer.program(end, signer.session)
    session = signer.program.session()

    assert signer.program.rv("C_SignInit", session, SIMPLE, signer.key) is LOST
    assert verifies(signer.desk) == before


def test_the_kept_pin_goes_with_the_card(signer: Signer) -> None:
    desk = signer.desk
    desk.manager.remove(READER)
    desk.manager.insert(READER, desk.card)
    session = signer.program.session()

    assert state(signer.program, session) == Cks.CKS_RW_PUBLIC_SESSION
    assert signer.program.rv("C_Logout", session) is LOST


def test_a_kept_pin_that_was_locked_by_others_ends_the_login(signer: Signer) -> None:
    desk = signer.desk
    other = desk.program()
    session = other.session()

    while desk.tries(1):
        other.rv("C_Login", session, Cku.CKU_USER, WRONG)

    signer.init()
    assert signer.finish() is LOST
    assert state(signer.program, signer.session) == Cks.CKS_RW_PUBLIC_SESSION
    assert signer.program.rv("C_Login", signer.session, Cku.CKU_USER, PIN) is Ckr.CKR_PIN_LOCKED


def test_a_card_that_others_have_initialised_without_such_a_pin_ends_the_login(desk: Desk) -> None:
    signer = Signer(desk, configuration=KEPT_PIN)
    text = profile_text(desk.model.name)
    text = "\n".join(line for line in text.splitlines() if not line.startswith("X_Pin PIN1"))
    desk.program().application.client.init_token(READER, SourceText("other.cpf", text))

    assert signer.program.find(signer.session) != []
    assert signer.init() in {LOST, Ckr.CKR_KEY_HANDLE_INVALID}
    assert not [event for event in desk.events if type(event).__name__ == "Defect"]


def test_with_logout_after_sign_the_kept_pin_is_good_for_one_signature(desk: Desk) -> None:
    signer = Signer(desk, configuration=AND_LOGOUT)
    before = verifies(desk)
    assert len(signer.sign(SIMPLE)) == 256

    assert signer.init() is LOST
    assert state(signer.program, signer.session) == Cks.CKS_RW_PUBLIC_SESSION
    assert verifies(desk) == before + 1


def test_a_key_with_consent_still_wants_the_pin_from_the_user_each_time(desk: Desk) -> None:
    signer = Signer(desk, SIGN_PIN, "Non Repudiation", slot=SIGNATURE, configuration=KEPT_PIN)
    signer.init()
    assert signer.finish() is LOST

    signer.init()
    signer.program("C_Login", signer.session, Cku.CKU_CONTEXT_SPECIFIC, SIGN_PIN)
    assert desk.commands[-1] == LOGOUT
    assert signer.finish() is Ckr.CKR_OK
    signer.init()
    assert signer.finish() is LOST


def test_a_wrong_pin_for_one_operation_does_not_replace_the_kept_one(desk: Desk) -> None:
    signer = consenting(desk)
    kept = Signer(desk, SIGN_PIN, "Non Repudiation", slot=SIGNATURE, configuration=KEPT_PIN)
    kept.init()
    wrong = kept.program.rv("C_Login", kept.session, Cku.CKU_CONTEXT_SPECIFIC, WRONG)

    assert wrong is Ckr.CKR_PIN_INCORRECT
    kept.program("C_Login", kept.session, Cku.CKU_CONTEXT_SPECIFIC, SIGN_PIN)
    assert kept.finish() is Ckr.CKR_OK
    signer.program.close()


def test_an_operators_login_ends_with_the_next_private_operation(signer: Signer) -> None:
    program, desk = signer.program, signer.desk
    program("cardtwin_LoginOperator", signer.session, Secret.of("87654321"))
    assert program.application.verified_on(held(signer).slot.bay) >= {5}
    signer.sign(SIMPLE)

    assert 5 not in program.application.verified_on(held(signer).slot.bay)
    assert desk.commands[-1] == LOGOUT


def test_what_the_pin_lets_be_read_is_read_with_the_kept_one(desk: Desk) -> None:
    desk.guard(PROFILE_ID_FILE, 1)
    signer = Signer(desk, configuration=KEPT_PIN)
    found = signer.program.key(signer.session, "ProfileId", Cko.CKO_DATA)

    assert signer.program.read(signer.session, found, Cka.CKA_VALUE).startswith(b"cardtwin")
    assert desk.commands[-1] == LOGOUT
    signer.program("C_Logout", signer.session)
    found = signer.program.key(signer.session, "ProfileId", Cko.CKO_DATA)
    assert signer.program.read(signer.session, found, Cka.CKA_VALUE) == b""


def test_a_kept_pin_that_reads_nothing_any_more_ends_the_login(desk: Desk) -> None:
    desk.guard(PROFILE_ID_FILE, 1)
    signer = Signer(desk, configuration=KEPT_PIN)
    other = desk.program()
    other("C_SetPIN", other.session(), PIN, NEW)

    for _ in range(2):
        found = signer.program.key(signer.session, "ProfileId", Cko.CKO_DATA)
        assert signer.program.read(signer.session, found, Cka.CKA_VALUE) == b""
        assert desk.tries(1) == 2

    assert state(signer.program, signer.session) == Cks.CKS_RW_PUBLIC_SESSION


def test_no_text_shows_the_kept_pin(signer: Signer) -> None:
    signer.sign(SIMPLE)
    secret = PIN.reveal().decode()
    other = signer.desk.program()
    other("C_SetPIN", other.session(), PIN, NEW)
    signer.init()

    with pytest.raises(CryptokiError) as failed, signer.program.application.private_card(held(signer)):
        pass

    texts = [
        repr(held(signer).slot.login),
        repr(held(signer)),
        str(failed.value),
        repr(failed.value.__cause__),
        *map(repr, signer.desk.events),
    ]
    assert not [text for text in texts if secret in text]


def test_a_length_query_uses_no_kept_pin(signer: Signer) -> None:
    signer.init()
    before = verifies(signer.desk)

    assert signer.finish(None) is Ckr.CKR_OK
    assert signer.finish(10) is Ckr.CKR_BUFFER_TOO_SMALL
    assert verifies(signer.desk) == before
    assert signer.program.rv("C_Sign", signer.session, DATA, Buffer(256)) is Ckr.CKR_OK
