"""Public halves: pairs of which one half is the session's, and keys on the token without a public key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cardtwin.cryptoki.constants import Cka, Ckm, Cko
from cardtwin.cryptoki.values import Mechanism
from cardtwin.middleware import Ckr
from support.objects import (
    CURVES,
    EC_PAIR,
    RSA_PAIR,
    Template,
    ec_pair,
    imported_rsa,
    labels,
    of,
    private_object,
    public_object,
    rsa_pair,
    template,
)
from support.profiles import rsa_key
from support.programs import Desk, Program
from support.signers import DATA, SIMPLE
from support.tokens import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN, SESSION = template(TOKEN=True), template(TOKEN=False)
NAME = bytes.fromhex("3012 3110300E06035504030C0743617264686F6C")
PUBLIC, PRIVATE = Cko.CKO_PUBLIC_KEY, Cko.CKO_PRIVATE_KEY


@pytest.fixture(params=MODELS)
def desk(request: pytest.FixtureRequest) -> Desk:
    return Desk(request.param)


@pytest.fixture
def program(desk: Desk) -> Iterator[Program]:
    program = desk.program()
    program.slots()
    yield program
    program.close()


def apart(pair: tuple[Template, Template], public: Template, private: Template) -> tuple[Template, Template]:
    """Return the templates of a pair with the halves in different places."""
    half, whole = ([each for each in one if each.type != Cka.CKA_TOKEN] for one in pair)
    return (*half, *public), (*whole, *private)


def modulus(program: Program, session: int, label: str) -> bytes:
    return program.read(session, program.key(session, label), Cka.CKA_MODULUS)


def test_a_private_key_on_the_token_can_have_its_public_key_in_the_session(desk: Desk) -> None:
    program = desk.program()
    session = program.user_session()
    public, private = program("C_GenerateKeyPair", session, RSA_PAIR, *apart(rsa_pair(1024), SESSION, TOKEN))
    known = program.read(session, public, Cka.CKA_MODULUS)

    assert program.read(session, public, Cka.CKA_ID) == program.read(session, private, Cka.CKA_ID)
    signature = program.sign(session, private, SIMPLE, DATA)
    program("C_VerifyInit", session, SIMPLE, public)
    program("C_Verify", session, DATA, signature)
    program.close()

    later = desk.program()
    session = later.user_session()
    assert modulus(later, session, "made") == known
    assert "made" not in labels(later, session, of(PUBLIC))


def test_a_public_key_on_the_token_can_have_its_private_key_in_the_session(desk: Desk) -> None:
    program = desk.program()
    session = program.user_session()
    public, private = program("C_GenerateKeyPair", session, RSA_PAIR, *apart(rsa_pair(1024), TOKEN, SESSION))
    signature = program.sign(session, private, SIMPLE, DATA)
    program.close()

    later = desk.program()
    session = later.user_session()
    public = later.key(session, "made", PUBLIC)
    assert "made" not in labels(later, session, of(PRIVATE))
    assert later.read(session, public, Cka.CKA_LOCAL) == b"\1"
    later("C_VerifyInit", session, SIMPLE, public)
    later("C_Verify", session, DATA, signature)


@pytest.mark.parametrize("bits", CURVES)
def test_halves_apart_on_a_curve_sign_and_verify(bits: int) -> None:
    program = Desk().program()
    session = program.user_session()
    public, private = program("C_GenerateKeyPair", session, EC_PAIR, *apart(ec_pair(bits), SESSION, TOKEN))
    mechanism = Mechanism(Ckm.CKM_ECDSA_SHA256)
    signature = program.sign(session, private, mechanism, DATA)

    program("C_VerifyInit", session, mechanism, public)
    program("C_Verify", session, DATA, signature)


def test_halves_apart_need_a_session_that_may_write(program: Program) -> None:
    session = program.user_session(4)

    for places in ((SESSION, TOKEN), (TOKEN, SESSION)):
        templates = apart(rsa_pair(1024), *places)
        assert program.rv("C_GenerateKeyPair", session, RSA_PAIR, *templates) is Ckr.CKR_SESSION_READ_ONLY


def test_an_imported_key_tells_its_modulus_before_its_public_key_is_there(desk: Desk) -> None:
    program = desk.program()
    program("C_CreateObject", program.user_session(), imported_rsa())
    program.close()
    later = desk.program()
    session = later.user_session()
    key = later.key(session, "imported")
    numbers = rsa_key().public_key().public_numbers()

    assert int.from_bytes(later.read(session, key, Cka.CKA_MODULUS)) == numbers.n
    assert int.from_bytes(later.read(session, key, Cka.CKA_PUBLIC_EXPONENT)) == numbers.e
    later("C_CreateObject", session, public_object(rsa_key().public_key(), LABEL="imported"))
    assert len(labels(later, session, *template(LABEL="imported"))) == 2


def test_a_key_whose_public_key_is_destroyed_still_tells_its_modulus(desk: Desk) -> None:
    program = desk.program()
    session = program.user_session()
    public, _ = program("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(1024))
    known = program.read(session, public, Cka.CKA_MODULUS)
    program("C_DestroyObject", session, public)

    assert modulus(program, session, "made") == known


def test_a_public_key_outlives_its_private_key(desk: Desk) -> None:
    program = desk.program()
    session = program.user_session()
    public, private = program("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(1024))
    signature = program.sign(session, private, SIMPLE, DATA)
    program("C_DestroyObject", session, private)
    program("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(1024, LABEL="next"))

    program("C_VerifyInit", session, SIMPLE, public)
    program("C_Verify", session, DATA, signature)


@pytest.mark.parametrize("first", [0, 1])
def test_nothing_of_a_pair_is_left_when_both_halves_are_destroyed(desk: Desk, first: int) -> None:
    program = desk.program()
    session = program.user_session()
    program("C_DestroyObject", session, program("C_CreateObject", session, imported_rsa()))
    before = program("C_GetTokenInfo", 1).free_public_memory

    pair = program("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(1024))
    assert program("C_GetTokenInfo", 1).free_public_memory < before
    program("C_DestroyObject", session, pair[first])
    program("C_DestroyObject", session, pair[1 - first])
    assert program("C_GetTokenInfo", 1).free_public_memory == before


def test_keys_keep_the_subject_of_their_templates(desk: Desk) -> None:
    program = desk.program()
    session = program.user_session()
    program("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(1024, SUBJECT=NAME))
    program("C_CreateObject", session, imported_rsa(SUBJECT=NAME))
    program.close()
    later = desk.program()
    session = later.user_session()

    for key in (
        later.key(session, "made"),
        later.key(session, "made", PUBLIC),
        later.key(session, "imported"),
    ):
        assert later.read(session, key, Cka.CKA_SUBJECT) == NAME


def test_a_keys_subject_can_be_changed_and_taken_away(desk: Desk) -> None:
    program = desk.program()
    session = program.user_session()
    _, key = program("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(1024))

    for subject in (NAME, b"\x30\0", NAME, b""):
        program("C_SetAttributeValue", session, key, template(SUBJECT=subject))
        assert program.read(session, key, Cka.CKA_SUBJECT) == subject
        assert program.sign(session, key, SIMPLE, DATA)


def test_a_subject_that_is_no_name_is_refused(program: Program) -> None:
    session = program.user_session()
    wrong = imported_rsa(SUBJECT=b"\x30\x05no")

    assert program.rv("C_CreateObject", session, wrong) is Ckr.CKR_ATTRIBUTE_VALUE_INVALID
    key = program("C_CreateObject", session, imported_rsa())
    for subject in (b"x", b"\x31\0"):
        rv = program.rv("C_SetAttributeValue", session, key, template(SUBJECT=subject))
        assert rv is Ckr.CKR_ATTRIBUTE_VALUE_INVALID


def test_a_copy_of_a_sessions_key_keeps_how_it_came_to_be(program: Program) -> None:
    session = program.user_session()
    _, key = program("C_GenerateKeyPair", session, RSA_PAIR, *apart(rsa_pair(1024), SESSION, SESSION))
    copied = program("C_CopyObject", session, key, TOKEN)

    for kind in (Cka.CKA_LOCAL, Cka.CKA_ALWAYS_SENSITIVE, Cka.CKA_NEVER_EXTRACTABLE):
        assert program.read(session, copied, kind) == b"\1"


def test_an_imported_key_on_a_curve_tells_its_curve() -> None:
    program = Desk().program()
    session = program.user_session()
    key = program("C_CreateObject", session, private_object(ec.derive_private_key(77, ec.SECP384R1())))

    assert program.read(session, key, Cka.CKA_EC_PARAMS) == CURVES[384][1]
