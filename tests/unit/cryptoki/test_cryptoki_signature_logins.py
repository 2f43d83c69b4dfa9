from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin.cryptoki.constants import Cka, Ckm, Cko, Cku
from cardtwin.cryptoki.values import Attribute, Buffer, Mechanism
from cardtwin.middleware import Ckr
from cardtwin.plan import Secret
from cardtwin.provenance import Switches
from support.programs import KEPT_PIN, LOGOUT_AFTER_SIGN, PIN, Desk
from support.signers import DATA, SIMPLE, Signer
from support.tokens import MODELS, READER

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=MODELS)
def desk(request: pytest.FixtureRequest) -> Desk:
    return Desk(request.param)


@pytest.fixture
def signer(desk: Desk) -> Iterator[Signer]:
    signer = Signer(desk)
    yield signer
    signer.program.close()


def test_without_a_login_a_private_keys_handle_is_answered_with_that(signer: Signer) -> None:
    signer.program("C_Logout", signer.session)

    assert signer.init() is Ckr.CKR_USER_NOT_LOGGED_IN


def test_a_logout_between_init_and_sign_ends_the_operation(signer: Signer) -> None:
    signer.init()
    signer.program("C_Logout", signer.session)

    assert signer.finish() is Ckr.CKR_USER_NOT_LOGGED_IN
    assert signer.finish() is Ckr.CKR_OPERATION_NOT_INITIALIZED


def test_another_programs_logout_is_told_once_and_a_new_login_helps(signer: Signer) -> None:
    other = signer.desk.program()
    other("C_Logout", other.user_session())
    signer.init()

    assert signer.finish() is Ckr.CKR_USER_NOT_LOGGED_IN
    assert signer.init() is Ckr.CKR_USER_NOT_LOGGED_IN
    signer.program("C_Login", signer.session, Cku.CKU_USER, PIN)
    signer.key = signer.program.key(signer.session)
    assert len(signer.sign(SIMPLE)) == 256


def test_a_reset_by_another_program_ends_the_login(signer: Signer) -> None:
    signer.init()
    signer.desk.manager.reset(READER)

    assert signer.finish() is Ckr.CKR_USER_NOT_LOGGED_IN
    signer.program("C_Login", signer.session, Cku.CKU_USER, PIN)


def test_a_kept_pin_survives_resets_and_logouts_of_others(desk: Desk) -> None:
    signer = Signer(desk, configuration=KEPT_PIN)
    desk.manager.reset(READER)
    signer.sign(SIMPLE)
    other = desk.program()
    other("C_Logout", other.user_session())

    signer.sign(SIMPLE)
    assert desk.commands[-1] == bytes.fromhex("80EA0000")


def test_a_kept_pin_that_was_changed_meanwhile_costs_one_try_and_ends_the_login(desk: Desk) -> None:
    signer = Signer(desk, configuration=KEPT_PIN)
    other = desk.program()
    other("C_SetPIN", other.session(), PIN, Secret.of("7777"))
    signer.init()

    assert signer.finish() is Ckr.CKR_USER_NOT_LOGGED_IN
    assert desk.tries(1) == 2
    assert signer.init() is Ckr.CKR_USER_NOT_LOGGED_IN
    assert desk.tries(1) == 2


def test_logout_after_sign_ends_the_login_and_hides_the_key(desk: Desk) -> None:
    signer = Signer(desk, configuration=LOGOUT_AFTER_SIGN)
    signer.sign(SIMPLE)

    assert desk.commands[-1] == bytes.fromhex("80EA0000")
    assert signer.init() is Ckr.CKR_USER_NOT_LOGGED_IN
    key = Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_PRIVATE_KEY))
    assert signer.program.find(signer.session, key) == []


def test_the_end_of_a_signature_in_parts_logs_out(desk: Desk) -> None:
    signer = Signer(desk, configuration=LOGOUT_AFTER_SIGN)
    signer.init()
    signer.program("C_SignUpdate", signer.session, DATA)
    signer.program("C_SignFinal", signer.session, Buffer(256))

    assert signer.init() is Ckr.CKR_USER_NOT_LOGGED_IN


def test_what_is_no_signature_does_not_log_out(desk: Desk) -> None:
    signer = Signer(desk, configuration=LOGOUT_AFTER_SIGN)
    signer.init()
    assert signer.finish(None) is Ckr.CKR_OK
    assert signer.finish(1) is Ckr.CKR_BUFFER_TOO_SMALL
    assert signer.finish(data=DATA) is Ckr.CKR_OK

    signer = Signer(desk, configuration=LOGOUT_AFTER_SIGN)
    signer.init(Mechanism(Ckm.CKM_RSA_PKCS))
    assert signer.finish(data=bytes(300)) is Ckr.CKR_DATA_LEN_RANGE
    assert signer.init() is Ckr.CKR_OK


def test_by_a_quirk_signing_works_after_a_logout(desk: Desk) -> None:
    signer = Signer(desk, switches=Switches({"cryptoki.logout": "kept"}))
    signer.program("C_Logout", signer.session)

    assert len(signer.sign(SIMPLE)) == 256
