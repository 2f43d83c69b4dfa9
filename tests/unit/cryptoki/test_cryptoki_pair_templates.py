"""Templates of key pairs: which describe one, and which are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.cryptoki.constants import Cka, Ckm, Cko
from cardtwin.cryptoki.values import Attribute, Mechanism
from cardtwin.middleware import Ckr
from support.objects import EC_PAIR, P256, RSA_PAIR, SESSION, TOKEN, Template, ec_pair, of, rsa_pair, template
from support.programs import RO, RW, SIGNATURE, Desk, Program
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


RSA = template(MODULUS_BITS=1024)


@pytest.mark.parametrize(
    ("mechanism", "public", "private", "rv"),
    [
        (RSA_PAIR, (), (), Ckr.CKR_TEMPLATE_INCOMPLETE),
        (EC_PAIR, (), (), Ckr.CKR_TEMPLATE_INCOMPLETE),
        (RSA_PAIR, template(MODULUS_BITS=b"1"), (), Ckr.CKR_ATTRIBUTE_VALUE_INVALID),
        (RSA_PAIR, template(MODULUS_BITS=1000), (), Ckr.CKR_KEY_SIZE_RANGE),
        (RSA_PAIR, template(MODULUS_BITS=8192), (), Ckr.CKR_KEY_SIZE_RANGE),
        (RSA_PAIR, (*RSA, *template(PUBLIC_EXPONENT=b"\x03")), (), Ckr.CKR_ATTRIBUTE_VALUE_INVALID),
        (RSA_PAIR, (*RSA, *template(MODULUS=b"1")), (), Ckr.CKR_TEMPLATE_INCONSISTENT),
        (RSA_PAIR, RSA, template(PRIVATE_EXPONENT=b"1"), Ckr.CKR_TEMPLATE_INCONSISTENT),
        (RSA_PAIR, RSA, template(MODULUS_BITS=1024), Ckr.CKR_TEMPLATE_INCONSISTENT),
        (RSA_PAIR, RSA, template(KEY_TYPE=3), Ckr.CKR_TEMPLATE_INCONSISTENT),
        (RSA_PAIR, (*RSA, of(Cko.CKO_PRIVATE_KEY)), (), Ckr.CKR_TEMPLATE_INCONSISTENT),
        (RSA_PAIR, RSA, template(DERIVE=True), Ckr.CKR_TEMPLATE_INCONSISTENT),
        (RSA_PAIR, (*RSA, *RSA), (), Ckr.CKR_TEMPLATE_INCONSISTENT),
        (RSA_PAIR, RSA, template(LOCAL=True), Ckr.CKR_ATTRIBUTE_READ_ONLY),
        (RSA_PAIR, RSA, template(KEY_GEN_MECHANISM=0), Ckr.CKR_ATTRIBUTE_READ_ONLY),
        (RSA_PAIR, RSA, template(VERIFY=True), Ckr.CKR_ATTRIBUTE_TYPE_INVALID),
        (EC_PAIR, template(EC_PARAMS=b"\x05\0"), (), Ckr.CKR_DOMAIN_PARAMS_INVALID),
        (EC_PAIR, template(EC_PARAMS=b"P-256"), (), Ckr.CKR_DOMAIN_PARAMS_INVALID),
        (EC_PAIR, template(EC_PARAMS=bytes.fromhex("06052B8104000A")), (), Ckr.CKR_CURVE_NOT_SUPPORTED),
        (EC_PAIR, template(EC_PARAMS=P256, EC_POINT=b"\x04"), (), Ckr.CKR_TEMPLATE_INCONSISTENT),
        (EC_PAIR, template(EC_PARAMS=P256), template(DECRYPT=True), Ckr.CKR_TEMPLATE_INCONSISTENT),
        (Mechanism(Ckm.CKM_RSA_PKCS), RSA, (), Ckr.CKR_MECHANISM_INVALID),
        (Mechanism(Ckm.CKM_DSA_KEY_PAIR_GEN), RSA, (), Ckr.CKR_MECHANISM_INVALID),
        (Mechanism(Ckm.CKM_RSA_PKCS_KEY_PAIR_GEN, b"1"), RSA, (), Ckr.CKR_MECHANISM_PARAM_INVALID),
    ],
)
@pytest.mark.parametrize("token", [TOKEN, SESSION], ids=["token", "session"])
def test_templates_that_describe_no_pair_are_refused(
    mechanism: Mechanism, public: Template, private: Template, rv: Ckr, token: dict[str, bool]
) -> None:
    desk = Desk()
    program = desk.program()
    session = program.user_session()
    before = desk.card.image
    templates = ((*each, *template(**token)) for each in (public, private))

    assert program.rv("C_GenerateKeyPair", session, mechanism, *templates) is rv
    assert desk.card.image == before


@pytest.mark.parametrize(
    "private",
    [
        template(TOKEN=True, ID=b"2"),
        template(TOKEN=True, SENSITIVE=False),
        template(TOKEN=True, EXTRACTABLE=True),
        template(TOKEN=True, PRIVATE=False),
        template(TOKEN=True, START_DATE="20260101"),
        template(TOKEN=True, WRAP_WITH_TRUSTED=True),
        template(TOKEN=True, DESTROYABLE=False),
    ],
)
def test_what_the_token_cannot_keep_is_refused(private: Template) -> None:
    desk = Desk()
    program = desk.program()
    session = program.user_session()
    before = desk.card.image
    public = template(MODULUS_BITS=1024, ID=b"1", **TOKEN)

    rv = program.rv("C_GenerateKeyPair", session, RSA_PAIR, public, private)
    assert rv is Ckr.CKR_TEMPLATE_INCONSISTENT
    assert desk.card.image == before


def test_a_second_key_of_an_identifier_is_refused(program: Program) -> None:
    session = program.user_session()
    taken = program.read(session, program.key(session), Cka.CKA_ID)

    rv = program.rv("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(1024, ID=taken))
    assert rv is Ckr.CKR_TEMPLATE_INCONSISTENT


def test_an_identifier_of_the_other_slot_is_refused(program: Program) -> None:
    signing = program.user_session(RW, SIGNATURE)
    taken = program.read(signing, program.key(signing, "Non Repudiation"), Cka.CKA_ID)

    rv = program.rv("C_GenerateKeyPair", program.user_session(), RSA_PAIR, *rsa_pair(1024, ID=taken))
    assert rv is Ckr.CKR_TEMPLATE_INCONSISTENT


@given(st.lists(st.tuples(st.sampled_from(Cka), st.binary(max_size=9)), max_size=5), st.booleans())
def test_no_pair_of_templates_is_answered_by_a_bug(pairs: list[tuple[Cka, bytes]], curve: bool) -> None:
    program = _shared()
    session = program.session(RO)
    more = tuple(Attribute(kind, value) for kind, value in pairs)
    public, private = ec_pair(TOKEN=False) if curve else rsa_pair(512, TOKEN=False)

    for templates in (((*public, *more), private), (public, (*private, *more)), (more, more)):
        rv = program.rv("C_GenerateKeyPair", session, EC_PAIR if curve else RSA_PAIR, *templates)
        assert rv is not Ckr.CKR_GENERAL_ERROR

    program("C_CloseSession", session)


_programs: list[Program] = []


def _shared() -> Program:
    if not _programs:
        _programs.append(Desk(blank=True).program())

    return _programs[0]
