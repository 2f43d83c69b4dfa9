from __future__ import annotations

import threading

import pytest

from cardtwin.cryptoki.constants import Cka, Ckm, Cko, Cks, Cku
from cardtwin.cryptoki.structures import Ecdh1DeriveParams
from cardtwin.cryptoki.values import Buffer, Mechanism
from cardtwin.middleware import Ckr
from cardtwin.provenance import Switches
from support.objects import EC_PAIR, RSA_PAIR, ec_pair, imported_rsa, labels, of, rsa_pair, template
from support.programs import KEPT_PIN, LOGOUT_AFTER_SIGN, MAIN, PIN, RW, SIGN_PIN, SIGNATURE, WRONG, Desk
from support.signers import DATA, SIMPLE, Signer, consenting
from support.tokens import MODELS, READER

LOST = Ckr.CKR_USER_NOT_LOGGED_IN
LINGERS = Switches({"cryptoki.logout": "kept"})


@pytest.fixture(params=MODELS)
def desk(request: pytest.FixtureRequest) -> Desk:
    return Desk(request.param)


# CKU_CONTEXT_SPECIFIC


def test_a_pin_that_is_locked_when_it_is_asked_for_again_logs_out(desk: Desk) -> None:
    signer = consenting(desk)
    signer.init()
    answers = []

    while Ckr.CKR_PIN_LOCKED not in answers:
        answers.append(signer.program.rv("C_Login", signer.session, Cku.CKU_CONTEXT_SPECIFIC, WRONG))
        assert len(answers) < 5

    assert answers[:-1] == [Ckr.CKR_PIN_INCORRECT] * (len(answers) - 1)
    assert signer.program("C_GetSessionInfo", signer.session).state == Cks.CKS_RW_PUBLIC_SESSION
    assert signer.finish() is LOST


def test_the_pin_is_for_the_operation_that_was_begun_last(desk: Desk) -> None:
    signer = consenting(desk)
    program = signer.program
    other = program.session(RW, SIGNATURE)
    signer.init()
    program("C_SignInit", other, SIMPLE, signer.key)
    program("C_Login", other, Cku.CKU_CONTEXT_SPECIFIC, SIGN_PIN)

    assert signer.finish() is LOST
    program("C_Sign", other, DATA, Buffer(512))


def test_a_key_that_wants_the_pin_each_time_derives_nothing_without_it() -> None:
    program = Desk().program()
    session = program.user_session()
    public, private = program(
        "C_GenerateKeyPair",
        session,
        EC_PAIR,
        ec_pair()[0],
        (*ec_pair()[1], *template(ALWAYS_AUTHENTICATE=True)),
    )
    peer = program.read(session, public, Cka.CKA_EC_POINT)
    mechanism = Mechanism(Ckm.CKM_ECDH1_DERIVE, Ecdh1DeriveParams(kdf=1, shared_data=b"", public_data=peer))

    assert program.rv("C_DeriveKey", session, mechanism, private, ()) is LOST


@pytest.mark.parametrize("token", [True, False])
def test_a_key_that_wants_the_pin_each_time_is_private(*, token: bool) -> None:
    program = Desk().program()
    session = program.user_session()
    public, private = rsa_pair(1024, TOKEN=token)
    private += template(ALWAYS_AUTHENTICATE=True, PRIVATE=False)

    assert (
        program.rv("C_GenerateKeyPair", session, RSA_PAIR, public, private) is Ckr.CKR_TEMPLATE_INCONSISTENT
    )
    wanted = imported_rsa(ALWAYS_AUTHENTICATE=True, PRIVATE=False, TOKEN=token)
    assert program.rv("C_CreateObject", session, wanted) is Ckr.CKR_TEMPLATE_INCONSISTENT


# The quirk of NLI-15 is about C_Logout alone


def test_a_login_that_lingers_ends_with_the_last_session(desk: Desk) -> None:
    signer = Signer(desk, switches=LINGERS)
    signer.program("C_Logout", signer.session)
    signer.program("C_CloseSession", signer.session)
    session = signer.program.session()

    assert signer.program.rv("C_SignInit", session, SIMPLE, signer.key) is LOST


def test_the_last_session_closed_logs_out_whatever_the_quirk(desk: Desk) -> None:
    signer = Signer(desk, switches=LINGERS)
    signer.program("C_CloseAllSessions", MAIN)
    session = signer.program.session()

    assert signer.program.rv("C_SignInit", session, SIMPLE, signer.key) is LOST


def test_logout_after_sign_logs_out_whatever_the_quirk(desk: Desk) -> None:
    signer = Signer(desk, switches=LINGERS, configuration=LOGOUT_AFTER_SIGN)
    signer.sign(SIMPLE)

    assert signer.init() is LOST


def test_without_any_login_the_quirk_opens_nothing(desk: Desk) -> None:
    signer = Signer(desk, switches=LINGERS)
    other = desk.program(switches=LINGERS)
    session = other.session()

    assert other.rv("C_SignInit", session, SIMPLE, signer.key) is LOST


def test_a_new_login_ends_what_lingers(desk: Desk) -> None:
    signer = Signer(desk, switches=LINGERS, configuration=LOGOUT_AFTER_SIGN)
    signer.program("C_Logout", signer.session)
    signer.program("C_Login", signer.session, Cku.CKU_USER, PIN)
    signer.sign(SIMPLE)

    assert signer.init() is LOST


# Kept PINs of both slots


def test_a_change_that_needs_both_pins_finds_both_verified_where_they_are_kept(desk: Desk) -> None:
    program = desk.program(configuration=KEPT_PIN)
    program.slots()
    program.user_session(slot=MAIN)
    session = program.user_session(slot=SIGNATURE)
    _, private = program("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(1024))

    assert len(program.sign(session, private, SIMPLE, DATA)) == 128
    assert "made" in labels(program, session, of(Cko.CKO_PRIVATE_KEY))


# C_WaitForSlotEvent


def test_many_threads_that_wait_for_events_are_told_each_one_once() -> None:
    desk = Desk()
    program = desk.program()
    program.slots()
    told: list[int] = []
    rvs: list[Ckr] = []

    def ask() -> None:
        for _ in range(20):
            rv, results = program.ask("C_WaitForSlotEvent", 1)

            if rv is Ckr.CKR_OK:
                told.append(results[0])
            else:
                rvs.append(rv)

    for _ in range(10):
        desk.manager.remove(READER)
        desk.manager.insert(READER, desk.card)
        threads = [threading.Thread(target=ask) for _ in range(4)]

        for each in threads:
            each.start()

        for each in threads:
            each.join()

    assert sorted(told) == sorted([MAIN, SIGNATURE] * 10)
    assert set(rvs) == {Ckr.CKR_NO_EVENT}
