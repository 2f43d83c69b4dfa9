from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from cardtwin.cryptoki.constants import UNAVAILABLE_INFORMATION, Cka, Ckk, Cko, Cku
from cardtwin.cryptoki.values import Attribute, Query
from cardtwin.middleware import Ckr
from support.objects import labels, of
from support.profiles import certificate
from support.programs import MAIN, PIN, PUK, RO, RW, SIGNATURE, Desk, Program, configured
from support.tokens import MODELS, READER

if TYPE_CHECKING:
    from collections.abc import Iterator

DER = certificate().public_bytes(Encoding.DER)
ROOM = "3F00/5015/4541"


@pytest.fixture(params=MODELS)
def desk(request: pytest.FixtureRequest) -> Desk:
    return Desk(request.param)


@pytest.fixture
def program(desk: Desk) -> Iterator[Program]:
    program = desk.program()
    yield program
    program.close()


def test_private_keys_are_hidden_without_a_login(program: Program) -> None:
    session = program.session()

    assert program.find(session, of(Cko.CKO_PRIVATE_KEY)) == []
    program("C_Login", session, Cku.CKU_USER, PIN)
    assert labels(program, session, of(Cko.CKO_PRIVATE_KEY)) == ["Digital Signature"]


def test_the_so_sees_no_private_object(program: Program) -> None:
    session = program.session()
    program("C_Login", session, Cku.CKU_SO, PUK)

    assert program.find(session, of(Cko.CKO_PRIVATE_KEY)) == []


def test_keys_are_in_the_slot_of_the_pin_that_guards_them(program: Program) -> None:
    program.slots()
    session = program.user_session(RW, SIGNATURE)

    assert labels(program, session) == ["Non Repudiation", "Non Repudiation"]
    assert "Non Repudiation" not in labels(program, program.user_session())


def test_public_objects_are_seen_without_a_login(program: Program) -> None:
    session = program.session(RO)

    assert labels(program, session) == ["Digital Signature", "ProfileId", "Card Eraser"]


def test_an_object_has_the_same_handle_in_every_session(program: Program) -> None:
    first, second = program.session(), program.session()

    assert program.find(first) == program.find(second)


def test_handles_of_other_slots_are_invalid(program: Program) -> None:
    program.slots()
    handle = program.find(program.session())[0]
    session = program.session(RW, SIGNATURE)

    assert program.rv("C_GetObjectSize", session, handle) is Ckr.CKR_OBJECT_HANDLE_INVALID


def test_a_search_gives_its_results_in_pieces(program: Program) -> None:
    session = program.session()
    program("C_FindObjectsInit", session, ())

    assert [len(program("C_FindObjects", session, most)) for most in (0, 2, 2, 2)] == [0, 2, 1, 0]
    program("C_FindObjectsFinal", session)


def test_one_search_goes_on_at_a_time(program: Program) -> None:
    session, other = program.session(), program.session()
    program("C_FindObjectsInit", session, ())

    assert program.rv("C_FindObjectsInit", session, ()) is Ckr.CKR_OPERATION_ACTIVE
    program("C_FindObjectsInit", other, ())


def test_without_a_search_there_is_nothing_to_be_told_or_ended(program: Program) -> None:
    session = program.session()

    assert program.rv("C_FindObjects", session, 1) is Ckr.CKR_OPERATION_NOT_INITIALIZED
    assert program.rv("C_FindObjectsFinal", session) is Ckr.CKR_OPERATION_NOT_INITIALIZED


def test_a_logout_takes_private_objects_out_of_a_search(program: Program) -> None:
    session = program.user_session()
    program("C_FindObjectsInit", session, (of(Cko.CKO_PRIVATE_KEY),))
    program("C_Logout", session)

    assert program("C_FindObjects", session, 10) == []


def test_handles_of_private_objects_die_with_the_login(program: Program) -> None:
    session = program.user_session()
    key = program.key(session)
    program("C_Logout", session)

    assert program.rv("C_GetObjectSize", session, key) is Ckr.CKR_USER_NOT_LOGGED_IN
    program("C_Login", session, Cku.CKU_USER, PIN)
    assert program.rv("C_GetObjectSize", session, key) is Ckr.CKR_OBJECT_HANDLE_INVALID
    assert program.key(session) != key


def test_a_search_for_what_nobody_has_finds_nothing(program: Program) -> None:
    assert program.find(program.session(), Attribute.of(Cka.CKA_LABEL, "nobody's")) == []
    assert program.find(program.session(), Attribute(0x7FFFFFFF, b"")) == []


def test_sensitive_attributes_match_nothing(program: Program) -> None:
    session = program.user_session()

    assert program.find(session, of(Cko.CKO_PRIVATE_KEY), Attribute(Cka.CKA_PRIVATE_EXPONENT, b"")) == []


def test_a_private_key_shows_its_public_half_and_hides_the_rest(program: Program) -> None:
    session = program.user_session()
    key, public = program.key(session), program.key(session, kind=Cko.CKO_PUBLIC_KEY)

    for kind in (Cka.CKA_MODULUS, Cka.CKA_PUBLIC_EXPONENT, Cka.CKA_ID):
        assert program.read(session, key, kind) == program.read(session, public, kind)

    for kind in (Cka.CKA_PRIVATE_EXPONENT, Cka.CKA_PRIME_1, Cka.CKA_COEFFICIENT):
        assert (
            program.rv("C_GetAttributeValue", session, key, (Query(kind, 512),))
            is Ckr.CKR_ATTRIBUTE_SENSITIVE
        )


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Cka.CKA_SENSITIVE, True),
        (Cka.CKA_EXTRACTABLE, False),
        (Cka.CKA_PRIVATE, True),
        (Cka.CKA_TOKEN, True),
        (Cka.CKA_SIGN, True),
        (Cka.CKA_LOCAL, True),
        (Cka.CKA_ALWAYS_AUTHENTICATE, False),
        (Cka.CKA_KEY_TYPE, int(Ckk.CKK_RSA)),
    ],
)
def test_a_key_made_on_the_card_tells_so(program: Program, kind: Cka, value: bool | int) -> None:
    session = program.user_session()

    assert program.read(session, program.key(session), kind) == Attribute.of(kind, value).value


def test_a_key_with_consent_wants_a_login_for_each_use(program: Program) -> None:
    program.slots()
    session = program.user_session(RW, SIGNATURE)

    assert (
        program.read(session, program.key(session, "Non Repudiation"), Cka.CKA_ALWAYS_AUTHENTICATE) == b"\x01"
    )


def test_attributes_are_read_each_for_itself(program: Program) -> None:
    session = program.user_session()
    key = program.key(session)
    kinds = (Cka.CKA_LABEL, Cka.CKA_PRIME_1, Cka.CKA_VALUE, Cka.CKA_ID, Cka.CKA_CLASS)
    rooms = (64, 512, 512, 1, None)
    queries = tuple(Query(kind, room) for kind, room in zip(kinds, rooms, strict=True))
    rv, (readings,) = program.ask("C_GetAttributeValue", session, key, queries)

    assert rv is Ckr.CKR_ATTRIBUTE_SENSITIVE
    assert [reading.rv for reading in readings] == [
        Ckr.CKR_OK,
        Ckr.CKR_ATTRIBUTE_SENSITIVE,
        Ckr.CKR_ATTRIBUTE_TYPE_INVALID,
        Ckr.CKR_BUFFER_TOO_SMALL,
        Ckr.CKR_OK,
    ]
    assert [reading.length for reading in readings] == [17, *[UNAVAILABLE_INFORMATION] * 3, 8]
    assert readings[0].value == b"Digital Signature"
    assert readings[4].value is None


def test_a_place_without_a_certificate_is_no_object(program: Program) -> None:
    assert program.find(program.session(), of(Cko.CKO_CERTIFICATE)) == []


def test_a_certificate_shows_what_is_in_it(desk: Desk, program: Program) -> None:
    desk.write(ROOM, DER)
    session = program.session()
    (found,) = program.find(session, of(Cko.CKO_CERTIFICATE))
    expected = certificate()

    assert program.read(session, found, Cka.CKA_VALUE) == DER
    assert program.read(session, found, Cka.CKA_SUBJECT) == expected.subject.public_bytes()
    assert program.read(session, found, Cka.CKA_ISSUER) == expected.issuer.public_bytes()
    assert program.read(session, found, Cka.CKA_SERIAL_NUMBER) == bytes.fromhex("020101")
    assert program.read(session, found, Cka.CKA_START_DATE) == b"20200101"
    assert program.read(session, found, Cka.CKA_CERTIFICATE_TYPE) == bytes(8)


def test_a_certificate_has_the_identifier_of_its_key(desk: Desk, program: Program) -> None:
    desk.write(ROOM, DER)
    session = program.user_session()
    key = program.key(session)
    (found,) = program.find(
        session, of(Cko.CKO_CERTIFICATE), Attribute(Cka.CKA_ID, program.read(session, key, Cka.CKA_ID))
    )

    assert program.read(session, found, Cka.CKA_LABEL) == b"Digital Signature"
    assert program.read(session, key, Cka.CKA_SUBJECT) == certificate().subject.public_bytes()


def test_without_a_cache_each_search_reads_the_card(desk: Desk, program: Program) -> None:
    session = program.session()
    assert program.find(session, of(Cko.CKO_CERTIFICATE)) == []
    desk.write(ROOM, DER)

    assert len(program.find(session, of(Cko.CKO_CERTIFICATE))) == 1


def test_with_a_cache_a_search_may_see_what_was_there_before(desk: Desk) -> None:
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    kept = configured("[Cache]", "CacheValidity=10")
    program = desk.program(configuration=kept, now=lambda: now[0])
    session = program.session()
    program.find(session)
    before = len(desk.commands)
    desk.write(ROOM, DER)

    now[0] += 0.99 * kept.cache_validity
    assert program.find(session, of(Cko.CKO_CERTIFICATE)) == []
    assert len(desk.commands) == before
    now[0] += 0.01 * kept.cache_validity
    assert len(program.find(session, of(Cko.CKO_CERTIFICATE))) == 1


def test_a_data_object_has_its_contents(program: Program) -> None:
    session = program.session()
    found = program.key(session, "ProfileId", Cko.CKO_DATA)

    assert program.read(session, found, Cka.CKA_VALUE).rstrip(b"\0").startswith(b"cardtwin_CardOS")


def test_the_size_of_an_object_covers_its_value(desk: Desk, program: Program) -> None:
    desk.write(ROOM, DER)
    session = program.session()
    (found,) = program.find(session, of(Cko.CKO_CERTIFICATE))

    assert program("C_GetObjectSize", session, found) > len(DER)


def test_handles_that_never_were_are_invalid(program: Program) -> None:
    session = program.session()

    for name, more in (
        ("C_GetObjectSize", ()),
        ("C_GetAttributeValue", ((),)),
        ("C_SetAttributeValue", ((),)),
        ("C_CopyObject", ((),)),
        ("C_DestroyObject", ()),
    ):
        assert program.rv(name, session, 4711, *more) is Ckr.CKR_OBJECT_HANDLE_INVALID


def test_objects_go_with_the_card(desk: Desk, program: Program) -> None:
    session = program.session()
    handle = program.find(session)[0]
    desk.manager.remove(READER)
    desk.manager.insert(READER, desk.card)
    program.rv("C_GetSessionInfo", session)
    session = program.session()

    assert program.rv("C_GetObjectSize", session, handle) is Ckr.CKR_OBJECT_HANDLE_INVALID
    assert handle not in program.find(session)
    assert program("C_GetTokenInfo", MAIN).session_count == 1
