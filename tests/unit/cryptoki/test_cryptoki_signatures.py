from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from cardtwin.cryptoki.constants import Cka, Ckg, Ckk, Ckm, Cko, Cku
from cardtwin.cryptoki.structures import RsaPkcsPssParams
from cardtwin.cryptoki.values import Attribute, Buffer, Mechanism
from cardtwin.middleware import Ckr
from cardtwin.plan import Secret
from cardtwin.provenance import Switches
from support.programs import KEPT_PIN, LOGOUT_AFTER_SIGN, PIN, RO, SIGN_PIN, WRONG, Desk, encoded
from support.signers import DATA, HASHES, SIMPLE, Signer, consenting, key_profile
from support.tokens import MODELS, PIN1, READER

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


# RSA


@pytest.mark.parametrize("name", HASHES)
def test_a_signature_with_a_hash_is_right(signer: Signer, name: str) -> None:
    mechanism = Mechanism(Ckm[f"CKM_{name}_RSA_PKCS"])
    signature = signer.sign(mechanism)

    signer.rsa.verify(signature, DATA, padding.PKCS1v15(), HASHES[name][0])
    assert signer.verify(mechanism, signature) is Ckr.CKR_OK
    assert signer.verify(mechanism, signature, b"other data") is Ckr.CKR_SIGNATURE_INVALID


def test_a_signature_of_a_digest_info_is_that_of_its_hash(signer: Signer) -> None:
    info = bytes.fromhex("3031300D060960864801650304020105000420") + hashlib.sha256(DATA).digest()
    signature = signer.sign(Mechanism(Ckm.CKM_RSA_PKCS), info)

    assert signature == signer.sign(SIMPLE)
    assert signer.verify(Mechanism(Ckm.CKM_RSA_PKCS), signature, info) is Ckr.CKR_OK


def test_pkcs1_takes_anything_up_to_eleven_bytes_less_than_the_modulus(signer: Signer) -> None:
    mechanism = Mechanism(Ckm.CKM_RSA_PKCS)

    for length in (0, 245):
        assert signer.verify(mechanism, signer.sign(mechanism, bytes(length)), bytes(length)) is Ckr.CKR_OK

    signer.init(mechanism)
    assert signer.finish(data=bytes(246)) is Ckr.CKR_DATA_LEN_RANGE


def test_a_raw_signature_is_the_private_operation_alone(signer: Signer) -> None:
    numbers = signer.rsa.public_numbers()
    signature = signer.sign(Mechanism(Ckm.CKM_RSA_X_509), DATA)

    assert pow(int.from_bytes(signature), numbers.e, numbers.n) == int.from_bytes(DATA)
    assert signer.verify(Mechanism(Ckm.CKM_RSA_X_509), signature, DATA) is Ckr.CKR_OK


def test_raw_data_are_smaller_than_the_modulus(signer: Signer) -> None:
    signer.init(Mechanism(Ckm.CKM_RSA_X_509))
    assert signer.finish(data=b"\xff" * 256) is Ckr.CKR_DATA_INVALID
    signer.init(Mechanism(Ckm.CKM_RSA_X_509))
    assert signer.finish(data=bytes(257)) is Ckr.CKR_DATA_LEN_RANGE


@pytest.mark.parametrize("name", HASHES)
@pytest.mark.parametrize("salt", [0, 20, 32])
def test_a_pss_signature_is_right(signer: Signer, name: str, salt: int) -> None:
    algorithm, digest, mgf = HASHES[name]
    mechanism = Mechanism(
        Ckm[f"CKM_{name}_RSA_PKCS_PSS"], RsaPkcsPssParams(hash_alg=digest, mgf=mgf, salt_len=salt)
    )
    signature = signer.sign(mechanism)

    signer.rsa.verify(signature, DATA, padding.PSS(padding.MGF1(algorithm), salt), algorithm)
    assert signer.verify(mechanism, signature) is Ckr.CKR_OK
    assert signer.verify(mechanism, signature, b"other data") is Ckr.CKR_SIGNATURE_INVALID


def test_pss_of_a_digest_demands_its_length(signer: Signer) -> None:
    params = RsaPkcsPssParams(hash_alg=Ckm.CKM_SHA256, mgf=Ckg.CKG_MGF1_SHA1, salt_len=10)
    mechanism, digest = Mechanism(Ckm.CKM_RSA_PKCS_PSS, params), hashlib.sha256(DATA).digest()
    signature = signer.sign(mechanism, digest)
    how = padding.PSS(padding.MGF1(HASHES["SHA1"][0]), 10)

    signer.rsa.verify(signature, digest, how, Prehashed(hashes.SHA256()))
    signer.init(mechanism)
    assert signer.finish(data=digest[:-1]) is Ckr.CKR_DATA_LEN_RANGE


@pytest.mark.parametrize(
    "mechanism",
    [
        Mechanism(Ckm.CKM_RSA_PKCS_PSS),
        Mechanism(Ckm.CKM_RSA_PKCS_PSS, b"1"),
        Mechanism(Ckm.CKM_RSA_PKCS, b"1"),
        Mechanism(Ckm.CKM_RSA_PKCS_PSS, RsaPkcsPssParams(hash_alg=Ckm.CKM_MD5, mgf=1, salt_len=0)),
        Mechanism(Ckm.CKM_RSA_PKCS_PSS, RsaPkcsPssParams(hash_alg=Ckm.CKM_SHA256, mgf=9, salt_len=0)),
        Mechanism(Ckm.CKM_SHA1_RSA_PKCS_PSS, RsaPkcsPssParams(hash_alg=Ckm.CKM_SHA256, mgf=2, salt_len=0)),
    ],
)
def test_a_mechanism_has_the_parameter_that_it_takes(signer: Signer, mechanism: Mechanism) -> None:
    assert signer.init(mechanism) is Ckr.CKR_MECHANISM_PARAM_INVALID


def test_a_salt_has_to_fit(signer: Signer) -> None:
    signer.init(
        Mechanism(Ckm.CKM_RSA_PKCS_PSS, RsaPkcsPssParams(hash_alg=Ckm.CKM_SHA256, mgf=2, salt_len=300))
    )

    assert signer.finish(data=bytes(32)) is Ckr.CKR_MECHANISM_PARAM_INVALID


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("use", ["sign", "sign,decipher"])
@pytest.mark.parametrize("size", [1024, 1536, 2048])
def test_keys_of_all_sizes_and_purposes_sign(model: str, size: int, use: str) -> None:
    signer = Signer(Desk(model, image=encoded(model, key_profile(model, "rsa", size, use))), PIN1, "Key")

    signer.rsa.verify(signer.sign(SIMPLE), DATA, padding.PKCS1v15(), hashes.SHA256())


def test_a_long_key_of_cardos_5_signs() -> None:
    profile = key_profile("cardos-5.3", "rsa", 3072, "sign")
    signer = Signer(Desk("cardos-5.3", image=encoded("cardos-5.3", profile)), PIN1, "Key")

    signer.rsa.verify(signer.sign(SIMPLE), DATA, padding.PKCS1v15(), hashes.SHA256())


@settings(max_examples=15)
@given(st.lists(st.binary(max_size=300), max_size=5))
def test_parts_are_signed_as_the_whole_is(parts: list[bytes]) -> None:
    signer = _shared()
    signer.init()

    for part in parts:
        signer.program("C_SignUpdate", signer.session, part)

    answer = signer.program("C_SignFinal", signer.session, Buffer(512))
    assert answer.content == signer.sign(SIMPLE, b"".join(parts))
    signer.program("C_VerifyInit", signer.session, SIMPLE, signer.public_handle)

    for part in parts:
        signer.program("C_VerifyUpdate", signer.session, part)

    signer.program("C_VerifyFinal", signer.session, answer.content)


_signers: list[Signer] = []


def _shared() -> Signer:
    if not _signers:
        _signers.append(Signer(Desk()))

    return _signers[0]


# EC


@pytest.mark.parametrize("size", [256, 384, 521])
@pytest.mark.parametrize("name", HASHES)
def test_an_ecdsa_signature_is_right(size: int, name: str) -> None:
    signer = Signer(
        Desk(image=encoded("cardos-5.3", key_profile("cardos-5.3", "ec", size, "sign"))), PIN1, "Key"
    )
    mechanism = Mechanism(Ckm[f"CKM_ECDSA_{name}"])
    signature = signer.sign(mechanism)
    half = (size + 7) // 8
    assert len(signature) == 2 * half
    numbers = (int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))

    signer.ec.verify(encode_dss_signature(*numbers), DATA, ec.ECDSA(HASHES[name][0]))
    assert signer.verify(mechanism, signature) is Ckr.CKR_OK
    assert signer.verify(mechanism, signature, b"other data") is Ckr.CKR_SIGNATURE_INVALID
    assert signer.verify(mechanism, signature[:-1]) is Ckr.CKR_SIGNATURE_LEN_RANGE


@pytest.mark.parametrize("length", [1, 20, 32, 40, 64, 100])
def test_ecdsa_takes_digests_of_any_length(length: int) -> None:
    signer = Signer(
        Desk(image=encoded("cardos-5.3", key_profile("cardos-5.3", "ec", 256, "sign"))), PIN1, "Key"
    )
    mechanism, digest = Mechanism(Ckm.CKM_ECDSA), bytes(range(1, length + 1))

    assert signer.verify(mechanism, signer.sign(mechanism, digest), digest) is Ckr.CKR_OK


def test_a_card_without_curves_offers_no_ecdsa() -> None:
    signer = Signer(Desk("cardos-4.4"))

    assert signer.init(Mechanism(Ckm.CKM_ECDSA)) is Ckr.CKR_MECHANISM_INVALID


# Rules of operations


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


# Logins


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
