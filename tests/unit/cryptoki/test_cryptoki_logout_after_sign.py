"""P11_LogoutAfterSign: what ends the login and what doesn't, and what is told afterwards."""

from __future__ import annotations

import pytest

from cardtwin.cryptoki.constants import Cka, Ckm, Cko, Cks, Cku
from cardtwin.cryptoki.values import Attribute, Buffer, Mechanism
from cardtwin.middleware import Ckr
from support.programs import LOGOUT_AFTER_SIGN, PIN, SIGN_PIN, SIGNATURE, Desk
from support.signers import DATA, SIMPLE, Signer
from support.tokens import MODELS, READER

LOST = Ckr.CKR_USER_NOT_LOGGED_IN
PRIVATE_KEY = Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_PRIVATE_KEY))
PUBLIC_KEY = Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_PUBLIC_KEY))


@pytest.fixture(params=MODELS)
def signer(request: pytest.FixtureRequest) -> Signer:
    return Signer(Desk(request.param), configuration=LOGOUT_AFTER_SIGN)


def state(signer: Signer) -> int:
    found: int = signer.program("C_GetSessionInfo", signer.session).state
    return found


def init(signer: Signer, handle: int, function: str = "C_SignInit", kind: Ckm = Ckm.CKM_RSA_PKCS) -> Ckr:
    return signer.program.rv(function, signer.session, Mechanism(kind), handle)


@pytest.mark.parametrize("function", ["C_SignInit", "C_DecryptInit"])
def test_the_login_is_asked_for_before_anything_is_said_about_the_handle(
    signer: Signer, function: str
) -> None:
    signer.sign(SIMPLE)
    (public, *_) = signer.program.find(signer.session, PUBLIC_KEY)

    for handle in (signer.key, public, 0, 4711):
        assert init(signer, handle, function) is LOST

    signer.program("C_Login", signer.session, Cku.CKU_USER, PIN)
    assert init(signer, 4711, function) is Ckr.CKR_KEY_HANDLE_INVALID


def test_a_handle_from_before_the_card_was_taken_out_is_answered_the_same_way(signer: Signer) -> None:
    desk = signer.desk
    desk.manager.remove(READER)
    desk.manager.insert(READER, desk.card)
    signer.session = signer.program.session()

    assert init(signer, signer.key) is LOST


def test_what_needs_no_login_goes_on_after_a_signature(signer: Signer) -> None:
    signature = signer.sign(SIMPLE)

    assert signer.program.find(signer.session, PRIVATE_KEY) == []
    assert signer.program.find(signer.session, PUBLIC_KEY) != []
    assert signer.verify(SIMPLE, signature) is Ckr.CKR_OK
    assert state(signer) == Cks.CKS_RW_PUBLIC_SESSION


def test_each_signature_needs_a_login_and_the_key_to_be_found_again(signer: Signer) -> None:
    for _ in range(3):
        assert len(signer.sign(SIMPLE)) == 256
        signer.program("C_Login", signer.session, Cku.CKU_USER, PIN)
        assert init(signer, signer.key) is Ckr.CKR_KEY_HANDLE_INVALID
        (signer.key, *_) = signer.program.find(signer.session, PRIVATE_KEY)


def test_in_parts_it_is_the_final_signature_that_logs_out(signer: Signer) -> None:
    signer.init()
    signer.program("C_SignUpdate", signer.session, DATA)

    for room in (None, 0, 255):
        signer.program.rv("C_SignFinal", signer.session, Buffer(room))
        assert state(signer) == Cks.CKS_RW_USER_FUNCTIONS

    signer.program("C_SignFinal", signer.session, Buffer(256))
    assert state(signer) == Cks.CKS_RW_PUBLIC_SESSION


@pytest.mark.parametrize(
    ("kind", "data", "rv"),
    [
        (Ckm.CKM_RSA_PKCS, bytes(300), Ckr.CKR_DATA_LEN_RANGE),
        (Ckm.CKM_RSA_X_509, b"\xff" * 256, Ckr.CKR_DATA_INVALID),
    ],
)
def test_a_signature_that_fails_here_or_on_the_card_does_not_log_out(
    signer: Signer, kind: Ckm, data: bytes, rv: Ckr
) -> None:
    assert init(signer, signer.key, kind=kind) is Ckr.CKR_OK
    assert signer.finish(data=data) is rv
    assert state(signer) == Cks.CKS_RW_USER_FUNCTIONS
    assert len(signer.sign(SIMPLE)) == 256


def test_all_sessions_of_the_program_with_the_token_are_logged_out_and_no_other_token(signer: Signer) -> None:
    program = signer.program
    bystander, other = program.session(), program.session(slot=SIGNATURE)
    program("C_Login", other, Cku.CKU_USER, SIGN_PIN)
    signer.sign(SIMPLE)

    assert program("C_GetSessionInfo", bystander).state == Cks.CKS_RW_PUBLIC_SESSION
    assert program("C_GetSessionInfo", other).state == Cks.CKS_RW_USER_FUNCTIONS


def test_an_operation_begun_before_the_signature_is_refused_at_its_end(signer: Signer) -> None:
    other = signer.program.session()
    signer.program("C_SignInit", other, SIMPLE, signer.key)
    signer.sign(SIMPLE)

    assert signer.program.rv("C_Sign", other, DATA, Buffer(256)) is LOST


def test_a_program_without_the_setting_is_not_logged_out_by_its_own_signatures(signer: Signer) -> None:
    other = Signer(signer.desk)

    assert len(other.sign(SIMPLE)) == len(other.sign(SIMPLE)) == 256
