from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin.cryptoki.constants import Cka, Ckk, Ckm, Cko, Cku
from cardtwin.cryptoki.values import Attribute, Buffer, Mechanism
from cardtwin.middleware import Ckr
from support.programs import PIN, RO, SIGN_PIN, WRONG, Desk
from support.signers import DATA, SIMPLE, Signer, consenting
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


def test_a_length_query_and_a_short_buffer_leave_the_operation(signer: Signer) -> None:
    signer.init()
    before = len(signer.desk.commands)

    assert signer.program("C_Sign", signer.session, DATA, Buffer(None)).length == 256
    assert signer.finish(255) is Ckr.CKR_BUFFER_TOO_SMALL
    assert len(signer.desk.commands) == before
    assert signer.finish(256) is Ckr.CKR_OK
    assert signer.finish(256) is Ckr.CKR_OPERATION_NOT_INITIALIZED


def test_a_length_query_leaves_an_operation_in_parts(signer: Signer) -> None:
    signer.init()
    signer.program("C_SignUpdate", signer.session, DATA)

    assert signer.program("C_SignFinal", signer.session, Buffer(None)).length == 256
    assert signer.program("C_SignFinal", signer.session, Buffer(256)).content == signer.sign(SIMPLE)


def test_one_signature_goes_on_at_a_time(signer: Signer) -> None:
    signer.init()

    assert signer.init() is Ckr.CKR_OPERATION_ACTIVE
    assert signer.finish() is Ckr.CKR_OK


def test_an_operation_in_parts_is_not_finished_at_once(signer: Signer) -> None:
    signer.init()
    signer.program("C_SignUpdate", signer.session, DATA)

    assert signer.finish() is Ckr.CKR_OPERATION_ACTIVE


def test_without_an_init_nothing_goes_on(signer: Signer) -> None:
    for name, arguments in (
        ("C_Sign", (DATA, Buffer(512))),
        ("C_SignUpdate", (DATA,)),
        ("C_SignFinal", (Buffer(512),)),
        ("C_Verify", (DATA, DATA)),
        ("C_VerifyUpdate", (DATA,)),
        ("C_VerifyFinal", (DATA,)),
    ):
        assert signer.program.rv(name, signer.session, *arguments) is Ckr.CKR_OPERATION_NOT_INITIALIZED


def test_a_failed_signature_ends_the_operation(signer: Signer) -> None:
    signer.init(Mechanism(Ckm.CKM_RSA_PKCS))
    signer.finish(data=bytes(300))

    assert signer.finish() is Ckr.CKR_OPERATION_NOT_INITIALIZED


def test_a_verification_ends_whatever_it_finds(signer: Signer) -> None:
    assert signer.verify(SIMPLE, bytes(256)) is Ckr.CKR_SIGNATURE_INVALID
    assert signer.verify(SIMPLE, b"\xff" * 256) is Ckr.CKR_SIGNATURE_INVALID
    assert signer.verify(SIMPLE, bytes(255)) is Ckr.CKR_SIGNATURE_LEN_RANGE
    assert (
        signer.program.rv("C_Verify", signer.session, DATA, bytes(256)) is Ckr.CKR_OPERATION_NOT_INITIALIZED
    )


def test_keys_are_of_the_kind_that_the_mechanism_takes(signer: Signer) -> None:
    program, session = signer.program, signer.session
    data = program.key(session, "ProfileId", Cko.CKO_DATA)

    assert program.rv("C_SignInit", session, SIMPLE, signer.public_handle) is Ckr.CKR_KEY_TYPE_INCONSISTENT
    assert program.rv("C_VerifyInit", session, SIMPLE, signer.key) is Ckr.CKR_KEY_TYPE_INCONSISTENT
    assert program.rv("C_SignInit", session, SIMPLE, data) is Ckr.CKR_KEY_HANDLE_INVALID
    assert program.rv("C_SignInit", session, SIMPLE, 4711) is Ckr.CKR_KEY_HANDLE_INVALID


def test_a_key_does_what_its_attributes_allow(signer: Signer) -> None:
    template = (
        Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_PUBLIC_KEY)),
        Attribute.of(Cka.CKA_KEY_TYPE, int(Ckk.CKK_RSA)),
        Attribute(Cka.CKA_MODULUS, signer.read(Cka.CKA_MODULUS)),
        Attribute(Cka.CKA_PUBLIC_EXPONENT, b"\x01\x00\x01"),
        Attribute.of(Cka.CKA_VERIFY, value=False),
    )
    key = signer.program("C_CreateObject", signer.session, template)

    assert (
        signer.program.rv("C_VerifyInit", signer.session, SIMPLE, key) is Ckr.CKR_KEY_FUNCTION_NOT_PERMITTED
    )


@pytest.mark.parametrize("mechanism", [Ckm.CKM_AES_CBC, Ckm.CKM_SHA256, Ckm.CKM_RSA_PKCS_OAEP, 0x12345])
def test_what_does_not_sign_is_no_mechanism_for_it(signer: Signer, mechanism: int) -> None:
    assert signer.init(Mechanism(mechanism)) is Ckr.CKR_MECHANISM_INVALID


# Keys that want the PIN each time


@pytest.fixture
def consent(desk: Desk) -> Signer:
    return consenting(desk)


def test_a_key_with_consent_does_not_sign_without_its_own_login(consent: Signer) -> None:
    consent.init()

    assert consent.finish() is Ckr.CKR_USER_NOT_LOGGED_IN
    assert consent.finish() is Ckr.CKR_OPERATION_NOT_INITIALIZED


def test_a_login_for_the_operation_holds_for_one_signature(consent: Signer) -> None:
    consent.init()
    consent.program("C_Login", consent.session, Cku.CKU_CONTEXT_SPECIFIC, SIGN_PIN)
    assert consent.finish() is Ckr.CKR_OK
    consent.init()
    assert consent.finish() is Ckr.CKR_USER_NOT_LOGGED_IN


def test_a_wrong_pin_for_the_operation_costs_a_try(consent: Signer) -> None:
    consent.init()

    assert (
        consent.program.rv("C_Login", consent.session, Cku.CKU_CONTEXT_SPECIFIC, WRONG)
        is Ckr.CKR_PIN_INCORRECT
    )
    assert consent.desk.tries(3) == 2
    consent.program("C_Login", consent.session, Cku.CKU_CONTEXT_SPECIFIC, SIGN_PIN)
    assert consent.finish() is Ckr.CKR_OK


def test_keys_without_consent_want_no_such_login(signer: Signer) -> None:
    signer.init()

    assert (
        signer.program.rv("C_Login", signer.session, Cku.CKU_CONTEXT_SPECIFIC, PIN)
        is Ckr.CKR_OPERATION_NOT_INITIALIZED
    )


def test_two_slots_sign_side_by_side(consent: Signer) -> None:
    main = consent.program.user_session(RO)
    consent.init()
    consent.program("C_Login", consent.session, Cku.CKU_CONTEXT_SPECIFIC, SIGN_PIN)
    consent.program.sign(main, consent.program.key(main), SIMPLE, DATA)

    assert consent.finish() is Ckr.CKR_OK


def test_removal_during_an_operation_is_told_as_such(signer: Signer) -> None:
    signer.init()
    signer.desk.manager.remove(READER)

    assert signer.finish() is Ckr.CKR_DEVICE_REMOVED
    assert signer.finish() is Ckr.CKR_SESSION_HANDLE_INVALID
