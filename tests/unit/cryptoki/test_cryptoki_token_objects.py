from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from cardtwin.card.memory import Ef
from cardtwin.cryptoki.constants import Cka, Cko, Cku
from cardtwin.cryptoki.values import Attribute
from cardtwin.middleware import Ckr
from support.objects import RSA_PAIR, Template, data_object, labels, of, public_object, rsa_pair, template
from support.profiles import certificate, rsa_key
from support.programs import MAIN, PIN, PUK, RO, RW, SIGNATURE, Desk, Program
from support.signers import DATA, SIMPLE
from support.tokens import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator

DER = certificate().public_bytes(Encoding.DER)
PLACE = "3F00/5015/4541"
OID = bytes.fromhex("06092A864886F70D010701")


@pytest.fixture(params=MODELS)
def desk(request: pytest.FixtureRequest) -> Desk:
    return Desk(request.param)


@pytest.fixture
def program(desk: Desk) -> Iterator[Program]:
    program = desk.program()
    program.slots()
    yield program
    program.close()


def prkdf(desk: Desk) -> bytes:
    file = desk.card.image.files[bytes.fromhex("3F0050154401")]
    assert isinstance(file, Ef)
    return file.content


# Data


@pytest.mark.parametrize("value", [b"", b"x", bytes(300), b"text\0\0"])
def test_a_data_object_is_kept_on_the_token(desk: Desk, program: Program, value: bytes) -> None:
    described = data_object(APPLICATION="app", OBJECT_ID=OID, VALUE=value)
    program("C_CreateObject", program.user_session(), described)
    other = desk.program()
    session = other.session()
    (found,) = other.find(session, *described)

    assert other.read(session, found, Cka.CKA_VALUE) == value
    assert other.read(session, found, Cka.CKA_OBJECT_ID) == OID


def test_private_data_are_the_users_alone(desk: Desk, program: Program) -> None:
    described = data_object(PRIVATE=True, VALUE=b"secret")
    assert program.rv("C_CreateObject", program.session(), described) is Ckr.CKR_USER_NOT_LOGGED_IN
    session = program.user_session()
    handle = program("C_CreateObject", session, described)
    assert program.read(session, handle, Cka.CKA_VALUE) == b"secret"
    program("C_Logout", session)

    assert program.find(session, of(Cko.CKO_DATA), Attribute.of(Cka.CKA_LABEL, "note")) == []
    file = desk.card.image.files[bytes.fromhex("3F00501550553401")]
    assert file.access[0] == 1


@pytest.mark.parametrize("identifier", [b"1.2.3", b"\x06\x00", b"\x06\x02\x2a\x86", b"\x06\x03\x2a\x80\x01"])
def test_an_object_identifier_is_one(program: Program, identifier: bytes) -> None:
    described = data_object(OBJECT_ID=identifier, VALUE=b"x")

    rv = program.rv("C_CreateObject", program.user_session(), described)
    assert rv is Ckr.CKR_ATTRIBUTE_VALUE_INVALID


def test_data_are_not_kept_in_the_signature_slot(program: Program) -> None:
    program.user_session(RW, MAIN)
    session = program.user_session(RW, SIGNATURE)

    rv = program.rv("C_CreateObject", session, data_object(VALUE=b"x"))
    assert rv is Ckr.CKR_TEMPLATE_INCONSISTENT


@pytest.mark.parametrize("so", [False, True])
def test_the_card_decides_who_makes_objects(desk: Desk, program: Program, so: bool) -> None:
    session = program.session()
    before = desk.card.image

    if so:
        program("C_Login", session, Cku.CKU_SO, PUK)

    assert program.rv("C_CreateObject", session, data_object(VALUE=b"x")) is Ckr.CKR_USER_NOT_LOGGED_IN
    assert desk.card.image == before


def test_a_full_list_takes_no_more(desk: Desk, program: Program) -> None:
    session = program.user_session()
    rv = Ckr.CKR_OK

    while rv is Ckr.CKR_OK:
        before = desk.card.image
        rv = program.rv("C_CreateObject", session, data_object(LABEL="x" * 100, VALUE=b"x"))

    assert rv is Ckr.CKR_DEVICE_MEMORY
    assert desk.card.image == before


def test_a_full_card_takes_no_more_and_nothing_is_half_done(desk: Desk, program: Program) -> None:
    session = program.user_session()
    rv = Ckr.CKR_OK

    while rv is Ckr.CKR_OK:
        before = desk.card.image
        rv = program.rv("C_CreateObject", session, data_object(LABEL="", VALUE=bytes(15000)))

    assert rv is Ckr.CKR_DEVICE_MEMORY
    assert desk.card.image == before


def test_secret_keys_are_not_kept(desk: Desk, program: Program) -> None:
    secret = template(CLASS=int(Cko.CKO_SECRET_KEY), KEY_TYPE=0x10, TOKEN=True, VALUE=b"secret")
    before = desk.card.image

    rv = program.rv("C_CreateObject", program.user_session(), secret)
    assert rv is Ckr.CKR_TEMPLATE_INCONSISTENT
    assert desk.card.image == before


# Public keys


def test_a_public_key_is_kept_and_verifies(program: Program) -> None:
    session = program.user_session()
    handle = program("C_CreateObject", session, public_object(rsa_key().public_key(), ID=b"5"))

    assert program.read(session, handle, Cka.CKA_MODULUS_BITS) == (2048).to_bytes(8, "little")
    assert program.rv("C_VerifyInit", session, SIMPLE, handle) is Ckr.CKR_OK
    second = public_object(rsa_key().public_key(), ID=b"5")
    assert program.rv("C_CreateObject", session, second) is Ckr.CKR_TEMPLATE_INCONSISTENT


def test_a_public_key_on_a_curve_is_kept(program: Program) -> None:
    session = program.user_session()
    described = public_object(ec.derive_private_key(5, ec.SECP384R1()).public_key())
    handle = program("C_CreateObject", session, described)
    point = next(each.value for each in described if each.type == Cka.CKA_EC_POINT)

    assert program.read(session, handle, Cka.CKA_EC_POINT) == point


# Changes


def test_a_label_and_an_identifier_change_and_the_handle_stays(desk: Desk, program: Program) -> None:
    session = program.user_session()
    _, key = program("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(1024))
    program("C_SetAttributeValue", session, key, template(LABEL="ä" * 40, ID=b"other"))

    assert program.read(session, key, Cka.CKA_LABEL).decode() == "ä" * 40
    assert program.read(session, key, Cka.CKA_ID) == b"other"
    assert len(program.sign(session, key, SIMPLE, DATA)) == 128
    assert key in program.find(session, of(Cko.CKO_PRIVATE_KEY))
    other = desk.program()
    assert labels(other, other.user_session(), Attribute(Cka.CKA_ID, b"other")) == ["ä" * 40]


def test_other_entries_of_the_list_stay_byte_by_byte(desk: Desk, program: Program) -> None:
    before = prkdf(desk)
    session = program.user_session()
    _, key = program("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(1024))
    program("C_SetAttributeValue", session, key, template(LABEL="x" * 120))

    assert prkdf(desk).startswith(before.rstrip(b"\0"))
    program("C_DestroyObject", session, key)
    assert prkdf(desk) == before


@pytest.mark.parametrize(
    "change",
    [
        template(LABEL="other"),
        template(APPLICATION="other"),
        template(OBJECT_ID=OID),
        template(VALUE=b"longer than before"),
        template(VALUE=b""),
        template(LABEL="other", APPLICATION="", VALUE=bytes(400)),
    ],
)
@pytest.mark.parametrize("private", [False, True])
def test_what_a_data_object_holds_changes(program: Program, change: Template, private: bool) -> None:
    session = program.user_session()
    described = data_object(APPLICATION="app", VALUE=b"before", PRIVATE=private)
    handle = program("C_CreateObject", session, described)
    program("C_SetAttributeValue", session, handle, change)
    expected = {each.type: each.value for each in (*described, *change)}

    for kind, value in expected.items():
        assert program.read(session, handle, Cka(kind)) == value


def test_a_changed_value_leaves_no_file_behind(desk: Desk, program: Program) -> None:
    session = program.user_session()
    handle = program("C_CreateObject", session, data_object(VALUE=b"before"))
    count = len(desk.card.image.files)
    program("C_SetAttributeValue", session, handle, template(VALUE=b"after"))

    assert len(desk.card.image.files) == count
    program("C_DestroyObject", session, handle)
    assert len(desk.card.image.files) == count - 1


@pytest.mark.parametrize(
    ("change", "rv"),
    [
        (template(SIGN=False), Ckr.CKR_ATTRIBUTE_READ_ONLY),
        (template(SENSITIVE=False), Ckr.CKR_ATTRIBUTE_READ_ONLY),
        (template(EXTRACTABLE=True), Ckr.CKR_ATTRIBUTE_READ_ONLY),
        (template(SENSITIVE=True, EXTRACTABLE=False), Ckr.CKR_OK),
        (template(MODULUS=b"1"), Ckr.CKR_ATTRIBUTE_TYPE_INVALID),
        (template(LOCAL=False), Ckr.CKR_ATTRIBUTE_READ_ONLY),
        (template(TOKEN=False), Ckr.CKR_ATTRIBUTE_READ_ONLY),
        (template(START_DATE="20260101"), Ckr.CKR_ATTRIBUTE_READ_ONLY),
        (template(LABEL=b"\xff"), Ckr.CKR_ATTRIBUTE_VALUE_INVALID),
        (template(LABEL="other", SIGN=False), Ckr.CKR_ATTRIBUTE_READ_ONLY),
    ],
)
def test_what_does_not_change_is_refused_whole(change: Template, rv: Ckr) -> None:
    desk = Desk()
    program = desk.program()
    session = program.user_session()
    _, key = program("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(1024))
    before = desk.card.image

    assert program.rv("C_SetAttributeValue", session, key, change) is rv
    assert desk.card.image == before


def test_a_change_is_the_users_in_a_read_write_session(desk: Desk, program: Program) -> None:
    session = program.user_session()
    handle = program("C_CreateObject", session, data_object(VALUE=b"x"))
    reading = program.session(RO)
    before = desk.card.image
    change = template(LABEL="other")

    assert program.rv("C_SetAttributeValue", reading, handle, change) is Ckr.CKR_SESSION_READ_ONLY
    assert program.rv("C_DestroyObject", reading, handle) is Ckr.CKR_SESSION_READ_ONLY
    program("C_Logout", session)
    assert program.rv("C_SetAttributeValue", session, handle, change) is Ckr.CKR_USER_NOT_LOGGED_IN
    assert program.rv("C_DestroyObject", session, handle) is Ckr.CKR_USER_NOT_LOGGED_IN
    assert desk.card.image == before


def test_what_is_not_modifiable_is_neither_changed_nor_destroyed(program: Program) -> None:
    session = program.user_session()
    handle = program("C_CreateObject", session, data_object(VALUE=b"x", MODIFIABLE=False))
    change = template(LABEL="other")

    assert program.rv("C_SetAttributeValue", session, handle, change) is Ckr.CKR_ACTION_PROHIBITED
    assert program.rv("C_DestroyObject", session, handle) is Ckr.CKR_ACTION_PROHIBITED


def test_an_identifier_that_another_key_has_is_refused(program: Program) -> None:
    session = program.user_session()
    _, key = program("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(1024))
    taken = program.read(session, program.key(session), Cka.CKA_ID)

    rv = program.rv("C_SetAttributeValue", session, key, template(ID=taken))
    assert rv is Ckr.CKR_TEMPLATE_INCONSISTENT


# Copies, and the end of objects


@pytest.mark.parametrize("private", [False, True])
def test_a_data_object_is_copied_on_the_token(program: Program, private: bool) -> None:
    session = program.user_session()
    handle = program("C_CreateObject", session, data_object(VALUE=b"text", PRIVATE=private))
    copy = program("C_CopyObject", session, handle, template(LABEL="copy"))
    program("C_DestroyObject", session, handle)

    assert program.read(session, copy, Cka.CKA_VALUE) == b"text"
    assert program.read(session, copy, Cka.CKA_LABEL) == b"copy"


def test_a_sessions_object_is_copied_onto_the_token(desk: Desk, program: Program) -> None:
    session = program.user_session()
    handle = program("C_CreateObject", session, data_object(TOKEN=False, VALUE=b"text"))
    program("C_CopyObject", session, handle, template(TOKEN=True))
    other = desk.program()

    assert "note" in labels(other, other.session())


def test_a_public_key_is_copied_under_another_identifier(program: Program) -> None:
    session = program.user_session()
    key = program.key(session, kind=Cko.CKO_PUBLIC_KEY)

    assert program.rv("C_CopyObject", session, key, ()) is Ckr.CKR_TEMPLATE_INCONSISTENT
    copy = program("C_CopyObject", session, key, template(ID=b"copy"))
    assert program.read(session, copy, Cka.CKA_MODULUS) == program.read(session, key, Cka.CKA_MODULUS)


def test_a_certificate_is_copied_from_the_token_into_a_session(desk: Desk, program: Program) -> None:
    desk.write(PLACE, DER)
    session = program.session(RO)
    (found,) = program.find(session, of(Cko.CKO_CERTIFICATE))
    copy = program("C_CopyObject", session, found, template(TOKEN=False, LABEL="copy"))

    assert program.read(session, copy, Cka.CKA_VALUE) == DER
    assert program.read(session, copy, Cka.CKA_LABEL) == b"copy"


def test_a_private_key_is_not_copied(program: Program) -> None:
    session = program.user_session()

    assert program.rv("C_CopyObject", session, program.key(session), ()) is Ckr.CKR_ACTION_PROHIBITED


def test_what_the_profile_has_made_is_not_destroyed(desk: Desk, program: Program) -> None:
    session = program.user_session()
    before = desk.card.image
    kinds = (Cko.CKO_PRIVATE_KEY, Cko.CKO_PUBLIC_KEY)
    profiles = [program.key(session, kind=kind) for kind in kinds]

    for handle in (*profiles, program.key(session, "ProfileId", Cko.CKO_DATA)):
        assert program.read(session, handle, Cka.CKA_DESTROYABLE) == b"\0"
        assert program.rv("C_DestroyObject", session, handle) is Ckr.CKR_ACTION_PROHIBITED

    assert desk.card.image == before


def test_what_programs_have_made_goes_without_a_trace(desk: Desk, program: Program) -> None:
    session = program.user_session()
    before = desk.card.image
    made = [
        *program("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(1024)),
        *program("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(2048, LABEL="second")),
        program("C_CreateObject", session, data_object(VALUE=b"text")),
    ]

    for handle in made:
        program("C_DestroyObject", session, handle)
        assert program.rv("C_GetObjectSize", session, handle) is Ckr.CKR_OBJECT_HANDLE_INVALID

    assert desk.card.image == before


def test_a_kept_handle_of_a_destroyed_object_is_told_so_in_other_programs(
    desk: Desk, program: Program
) -> None:
    session = program.user_session()
    handle = program("C_CreateObject", session, data_object(VALUE=b"text"))
    other = desk.program()
    watching = other.session()
    other("C_Login", watching, Cku.CKU_USER, PIN)
    seen = other.key(watching, "note", Cko.CKO_DATA)
    program("C_DestroyObject", session, handle)

    assert other.rv("C_DestroyObject", watching, seen) is not Ckr.CKR_OK
    assert "note" not in labels(other, watching)
