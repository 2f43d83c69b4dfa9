from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.cryptoki.constants import Cka, Ckc, Ckk, Cko, Cku
from cardtwin.cryptoki.values import Attribute, Query
from cardtwin.iso7816 import Tlv
from cardtwin.middleware import Ckr
from cardtwin.provenance import Switches
from support.objects import of
from support.profiles import certificate
from support.programs import PIN, RO, Desk, Program
from support.tokens import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator

DER = certificate().public_bytes(Encoding.DER)


@pytest.fixture(params=MODELS)
def desk(request: pytest.FixtureRequest) -> Desk:
    return Desk(request.param)


@pytest.fixture
def program(desk: Desk) -> Iterator[Program]:
    program = desk.program()
    yield program
    program.close()


DATA = (of(Cko.CKO_DATA), Attribute.of(Cka.CKA_LABEL, "note"), Attribute.of(Cka.CKA_VALUE, b"text"))


def test_a_session_object_is_everybodys_until_its_session_closes(program: Program) -> None:
    first, second = program.session(RO), program.session(RO)
    handle = program("C_CreateObject", first, DATA)

    assert program.read(second, handle, Cka.CKA_VALUE) == b"text"
    assert program.find(second, *DATA) == [handle]
    program("C_CloseSession", first)
    assert program.rv("C_GetObjectSize", second, handle) is Ckr.CKR_OBJECT_HANDLE_INVALID


def test_session_objects_can_be_equal(program: Program) -> None:
    session = program.session(RO)

    assert program("C_CreateObject", session, DATA) != program("C_CreateObject", session, DATA)


def test_a_session_object_survives_searches_and_is_destroyed_in_any_session(program: Program) -> None:
    session = program.session(RO)
    handle = program("C_CreateObject", session, DATA)
    program.find(session)
    program("C_DestroyObject", session, handle)

    assert program.find(session, *DATA) == []


def test_private_session_objects_need_a_login_and_end_with_it(program: Program) -> None:
    session = program.session(RO)
    private = (*DATA, Attribute.of(Cka.CKA_PRIVATE, value=True))

    assert program.rv("C_CreateObject", session, private) is Ckr.CKR_USER_NOT_LOGGED_IN
    program("C_Login", session, Cku.CKU_USER, PIN)
    handle = program("C_CreateObject", session, private)
    program("C_Logout", session)
    assert program.rv("C_GetObjectSize", session, handle) is Ckr.CKR_USER_NOT_LOGGED_IN


def test_by_a_quirk_any_session_object_demands_a_login(desk: Desk) -> None:
    program = desk.program(switches=Switches({"cryptoki.session-objects": "login"}))
    session = program.session(RO)

    assert program.rv("C_CreateObject", session, DATA) is Ckr.CKR_USER_NOT_LOGGED_IN
    program("C_Login", session, Cku.CKU_USER, PIN)
    program("C_CreateObject", session, DATA)


CERTIFICATE = (
    of(Cko.CKO_CERTIFICATE),
    Attribute.of(Cka.CKA_CERTIFICATE_TYPE, int(Ckc.CKC_X_509)),
    Attribute.of(Cka.CKA_VALUE, DER),
)
POINT = Tlv(
    0x04,
    ec.derive_private_key(7, ec.SECP256R1())
    .public_key()
    .public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
).encode()
EC_KEY = (
    of(Cko.CKO_PUBLIC_KEY),
    Attribute.of(Cka.CKA_KEY_TYPE, int(Ckk.CKK_EC)),
    Attribute(Cka.CKA_EC_PARAMS, bytes.fromhex("06082A8648CE3D030107")),
    Attribute(Cka.CKA_EC_POINT, POINT),
)
SECRET = (
    of(Cko.CKO_SECRET_KEY),
    Attribute.of(Cka.CKA_KEY_TYPE, int(Ckk.CKK_AES)),
    Attribute(Cka.CKA_VALUE, bytes(16)),
)


def test_a_certificate_of_a_session_has_what_follows_from_its_value(program: Program) -> None:
    session = program.session(RO)
    handle = program("C_CreateObject", session, CERTIFICATE)

    assert program.read(session, handle, Cka.CKA_SUBJECT) == certificate().subject.public_bytes()
    assert program.read(session, handle, Cka.CKA_TOKEN) == b"\0"


@pytest.mark.parametrize("number", ["020101", "01", ""])
def test_a_certificate_s_number_may_be_said_with_and_without_its_header(
    program: Program, number: str
) -> None:
    session = program.session(RO)
    said = Attribute(Cka.CKA_SERIAL_NUMBER, bytes.fromhex(number))
    handle = program("C_CreateObject", session, (*CERTIFICATE, said))

    assert program.read(session, handle, Cka.CKA_SERIAL_NUMBER) == bytes.fromhex("020101")


@pytest.mark.parametrize(
    ("template", "rv"),
    [
        ((), Ckr.CKR_TEMPLATE_INCOMPLETE),
        ((of(Cko.CKO_PRIVATE_KEY),), Ckr.CKR_TEMPLATE_INCOMPLETE),
        ((of(Cko.CKO_DOMAIN_PARAMETERS),), Ckr.CKR_ATTRIBUTE_VALUE_INVALID),
        ((of(Cko.CKO_DATA), of(Cko.CKO_DATA)), Ckr.CKR_TEMPLATE_INCONSISTENT),
        ((*DATA, Attribute(Cka.CKA_MODULUS, b"1")), Ckr.CKR_ATTRIBUTE_TYPE_INVALID),
        ((of(Cko.CKO_DATA), Attribute(Cka.CKA_LABEL, b"\xff")), Ckr.CKR_ATTRIBUTE_VALUE_INVALID),
        ((of(Cko.CKO_DATA), Attribute(Cka.CKA_PRIVATE, b"")), Ckr.CKR_ATTRIBUTE_VALUE_INVALID),
        ((Attribute(Cka.CKA_CLASS, b"\0"),), Ckr.CKR_ATTRIBUTE_VALUE_INVALID),
        (CERTIFICATE[:2], Ckr.CKR_TEMPLATE_INCOMPLETE),
        ((CERTIFICATE[0], CERTIFICATE[2]), Ckr.CKR_TEMPLATE_INCOMPLETE),
        ((*CERTIFICATE[:2], Attribute(Cka.CKA_VALUE, b"30")), Ckr.CKR_ATTRIBUTE_VALUE_INVALID),
        ((*CERTIFICATE, Attribute(Cka.CKA_SUBJECT, b"x")), Ckr.CKR_TEMPLATE_INCONSISTENT),
        ((*CERTIFICATE, Attribute(Cka.CKA_START_DATE, b"1/1/2020")), Ckr.CKR_ATTRIBUTE_VALUE_INVALID),
        ((*CERTIFICATE, Attribute.of(Cka.CKA_TRUSTED, value=True)), Ckr.CKR_ATTRIBUTE_READ_ONLY),
        ((of(Cko.CKO_PUBLIC_KEY),), Ckr.CKR_TEMPLATE_INCOMPLETE),
        (EC_KEY[:3], Ckr.CKR_TEMPLATE_INCOMPLETE),
        ((*EC_KEY[:2], Attribute(Cka.CKA_EC_PARAMS, b"\x05\0"), EC_KEY[3]), Ckr.CKR_CURVE_NOT_SUPPORTED),
        ((*EC_KEY[:3], Attribute(Cka.CKA_EC_POINT, POINT[:-1] + b"\0")), Ckr.CKR_ATTRIBUTE_VALUE_INVALID),
        ((*SECRET[:2], Attribute(Cka.CKA_VALUE, bytes(15))), Ckr.CKR_ATTRIBUTE_VALUE_INVALID),
        ((*SECRET, Attribute.of(Cka.CKA_VALUE_LEN, 15)), Ckr.CKR_TEMPLATE_INCONSISTENT),
        ((*SECRET, Attribute.of(Cka.CKA_LOCAL, value=True)), Ckr.CKR_ATTRIBUTE_READ_ONLY),
    ],
)
def test_templates_that_describe_no_object_are_refused(
    program: Program, template: tuple[Attribute, ...], rv: Ckr
) -> None:
    assert program.rv("C_CreateObject", program.session(RO), template) is rv


@given(st.lists(st.tuples(st.sampled_from(Cka), st.binary(max_size=12)), max_size=6))
def test_no_template_is_answered_by_a_bug(pairs: list[tuple[Cka, bytes]]) -> None:
    program = _shared()
    session = program.session(RO)
    template = tuple(Attribute(kind, value) for kind, value in pairs)

    for start in ((), DATA[:1], CERTIFICATE, EC_KEY, SECRET):
        assert program.rv("C_CreateObject", session, (*start, *template)) is not Ckr.CKR_GENERAL_ERROR

    program("C_CloseSession", session)


_programs: list[Program] = []


def _shared() -> Program:
    if not _programs:
        _programs.append(Desk(blank=True).program())

    return _programs[0]


def test_a_token_object_needs_a_read_write_session(program: Program) -> None:
    template = (*DATA, Attribute.of(Cka.CKA_TOKEN, value=True))

    assert program.rv("C_CreateObject", program.session(RO), template) is Ckr.CKR_SESSION_READ_ONLY


def test_a_secret_keys_value_is_read_as_long_as_it_is_extractable_and_not_sensitive(program: Program) -> None:
    session = program.session(RO)
    handle = program("C_CreateObject", session, SECRET)
    query = (Query(Cka.CKA_VALUE, 16),)

    assert program.read(session, handle, Cka.CKA_VALUE) == bytes(16)
    program("C_SetAttributeValue", session, handle, (Attribute.of(Cka.CKA_SENSITIVE, value=True),))
    assert program.rv("C_GetAttributeValue", session, handle, query) is Ckr.CKR_ATTRIBUTE_SENSITIVE
    back = (Attribute.of(Cka.CKA_SENSITIVE, value=False),)
    assert program.rv("C_SetAttributeValue", session, handle, back) is Ckr.CKR_ATTRIBUTE_READ_ONLY


def test_a_change_of_several_attributes_is_whole_or_not_at_all(program: Program) -> None:
    session = program.session(RO)
    handle = program("C_CreateObject", session, DATA)
    changes = (Attribute.of(Cka.CKA_LABEL, "other"), Attribute.of(Cka.CKA_PRIVATE, value=True))

    assert program.rv("C_SetAttributeValue", session, handle, changes) is Ckr.CKR_ATTRIBUTE_READ_ONLY
    assert program.read(session, handle, Cka.CKA_LABEL) == b"note"
    program("C_SetAttributeValue", session, handle, changes[:1])
    assert program.read(session, handle, Cka.CKA_LABEL) == b"other"


def test_what_is_not_modifiable_stays_as_it_is(program: Program) -> None:
    session = program.session(RO)
    handle = program("C_CreateObject", session, (*DATA, Attribute.of(Cka.CKA_MODIFIABLE, value=False)))
    change = (Attribute.of(Cka.CKA_LABEL, "other"),)

    assert program.rv("C_SetAttributeValue", session, handle, change) is Ckr.CKR_ACTION_PROHIBITED
