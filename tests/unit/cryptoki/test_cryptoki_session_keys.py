from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from cardtwin.cryptoki.constants import Cka, Ckm, Cku
from cardtwin.cryptoki.structures import Ecdh1DeriveParams
from cardtwin.cryptoki.values import Buffer, Mechanism, Query
from cardtwin.iso7816 import Tlv
from cardtwin.middleware import Ckr
from support.objects import CURVES, EC_PAIR, RSA_PAIR, ec_pair, imported_rsa, rsa_pair, template
from support.profiles import rsa_key
from support.programs import PIN, RO, Desk, Program
from support.signers import DATA, SIMPLE
from support.tokens import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=MODELS)
def desk(request: pytest.FixtureRequest) -> Desk:
    return Desk(request.param)


@pytest.fixture
def program(desk: Desk) -> Iterator[Program]:
    program = desk.program()
    program.slots()
    yield program
    program.close()


def test_a_session_key_works_without_the_card(desk: Desk, program: Program) -> None:
    session = program.user_session(RO)
    before = len(desk.commands)
    public, private = program("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(1024, TOKEN=False))
    signature = program.sign(session, private, SIMPLE, DATA)
    n, e = (
        int.from_bytes(program.read(session, public, kind))
        for kind in (Cka.CKA_MODULUS, Cka.CKA_PUBLIC_EXPONENT)
    )

    assert not [command for command in desk.commands[before:] if command[1] in {0x22, 0x2A, 0x46, 0xDA}]
    key = rsa.RSAPublicNumbers(e, n).public_key()
    key.verify(signature, DATA, padding.PKCS1v15(), hashes.SHA256())


def test_a_session_key_goes_with_its_session(program: Program) -> None:
    session = program.user_session(RO)
    made = program("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(1024, TOKEN=False))
    other = program.session()
    assert set(made) <= set(program.find(other))
    program("C_CloseSession", session)

    for handle in made:
        assert program.rv("C_GetObjectSize", other, handle) is Ckr.CKR_OBJECT_HANDLE_INVALID


def test_a_session_key_deciphers(program: Program) -> None:
    session = program.user_session(RO)
    public, private = program("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(1024, TOKEN=False))
    pkcs1 = Mechanism(Ckm.CKM_RSA_PKCS)
    program("C_EncryptInit", session, pkcs1, public)
    cryptogram = program("C_Encrypt", session, DATA, Buffer(128)).content
    program("C_DecryptInit", session, pkcs1, private)

    assert program("C_Decrypt", session, cryptogram, Buffer(128)).content == DATA
    program("C_DecryptInit", session, pkcs1, private)
    too_much = b"\xff" * 128
    assert program.rv("C_Decrypt", session, too_much, Buffer(128)) is Ckr.CKR_ENCRYPTED_DATA_INVALID


@pytest.mark.parametrize("bits", CURVES)
def test_a_session_key_on_a_curve_signs_and_agrees(bits: int) -> None:
    program = Desk().program()
    session = program.user_session(RO)
    public, private = program("C_GenerateKeyPair", session, EC_PAIR, *ec_pair(bits, TOKEN=False))
    mechanism = Mechanism(Ckm.CKM_ECDSA_SHA256)
    signature = program.sign(session, private, mechanism, DATA)
    program("C_VerifyInit", session, mechanism, public)
    program("C_Verify", session, DATA, signature)
    point = Tlv.parse(program.read(session, public, Cka.CKA_EC_POINT)).value
    ecdh = Mechanism(Ckm.CKM_ECDH1_DERIVE, Ecdh1DeriveParams(kdf=1, shared_data=b"", public_data=point))
    secret = program("C_DeriveKey", session, ecdh, private, template(TOKEN=False))

    assert len(program.read(session, secret, Cka.CKA_VALUE)) == (bits + 7) // 8


def test_the_numbers_of_a_session_key_are_read_if_its_template_lets_them(program: Program) -> None:
    session = program.user_session(RO)
    public, private = rsa_pair(1024, TOKEN=False)
    open_key = template(SENSITIVE=False, EXTRACTABLE=True)
    _, hidden = program("C_GenerateKeyPair", session, RSA_PAIR, public, private)
    _, shown = program("C_GenerateKeyPair", session, RSA_PAIR, public, (*private, *open_key))
    query = (Query(Cka.CKA_PRIVATE_EXPONENT, 256),)

    assert program.rv("C_GetAttributeValue", session, hidden, query) is Ckr.CKR_ATTRIBUTE_SENSITIVE
    assert program.rv("C_GetAttributeValue", session, shown, query) is Ckr.CKR_OK
    program("C_SetAttributeValue", session, shown, template(SENSITIVE=True))
    assert program.rv("C_GetAttributeValue", session, shown, query) is Ckr.CKR_ATTRIBUTE_SENSITIVE
    back = template(SENSITIVE=False)
    assert program.rv("C_SetAttributeValue", session, shown, back) is Ckr.CKR_ATTRIBUTE_READ_ONLY


def test_a_session_key_that_is_given_signs(program: Program) -> None:
    session = program.user_session(RO)
    key = program("C_CreateObject", session, imported_rsa(TOKEN=False))
    signature = program.sign(session, key, SIMPLE, DATA)

    rsa_key().public_key().verify(signature, DATA, padding.PKCS1v15(), hashes.SHA256())
    assert program.read(session, key, Cka.CKA_LOCAL) == b"\0"


def test_private_session_keys_are_the_users(program: Program) -> None:
    session = program.session(RO)
    templates = rsa_pair(1024, TOKEN=False)

    assert program.rv("C_GenerateKeyPair", session, RSA_PAIR, *templates) is Ckr.CKR_USER_NOT_LOGGED_IN
    program("C_Login", session, Cku.CKU_USER, PIN)
    _, key = program("C_GenerateKeyPair", session, RSA_PAIR, *templates)
    program("C_Logout", session)
    assert program.rv("C_SignInit", session, SIMPLE, key) is Ckr.CKR_USER_NOT_LOGGED_IN


def test_the_same_seed_makes_the_same_session_key() -> None:
    numbers = set()

    for _ in range(2):
        program = Desk().program()
        session = program.user_session()
        public, _ = program("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(1024, TOKEN=False))
        numbers.add(program.read(session, public, Cka.CKA_MODULUS))

    assert len(numbers) == 1


@settings(max_examples=10)
@given(st.sampled_from([512, 544, 1024]))
def test_session_keys_have_the_size_that_is_asked_for(bits: int) -> None:
    program = _shared()
    session = program.session()
    public, _ = program("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(bits, TOKEN=False))

    assert program.read(session, public, Cka.CKA_MODULUS_BITS) == bits.to_bytes(8, "little")
    program("C_CloseSession", session)


_programs: list[Program] = []


def _shared() -> Program:
    if not _programs:
        _programs.append(Desk().program())
        _programs[0].user_session()

    return _programs[0]
