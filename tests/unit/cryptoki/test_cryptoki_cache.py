"""CacheValidity through PKCS#11: one rule for all that a program keeps of a card."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from cardtwin.cryptoki.constants import Cka, Ckc, Cko, Cku
from cardtwin.cryptoki.values import Attribute
from cardtwin.source import SourceText
from support.profiles import certificate
from support.programs import MAIN, PIN, SIGN_PIN, SIGNATURE, Desk, Program, configured
from support.signers import Signer
from support.tokens import MODELS, READER, profile_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.middleware.configuration import ClientConfiguration

CACHED = configured("[Cache]", "CacheValidity=10")
DER = certificate().public_bytes(Encoding.DER)
CERTIFICATE = Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_CERTIFICATE))
DATA = Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_DATA))
PROFILE_ID = Attribute.of(Cka.CKA_LABEL, "ProfileId")
PROFILE_ID_FILE = "3F00/5015/F001"


class Watch:
    """The time of a program."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **by: int) -> None:
        self.time += timedelta(**by)


@pytest.fixture(params=MODELS)
def desk(request: pytest.FixtureRequest) -> Desk:
    return Desk(request.param)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def program(desk: Desk, watch: Watch) -> Iterator[Program]:
    """A program that keeps what it has read for ten minutes."""
    program = desk.program(configuration=CACHED, now=watch)
    yield program
    program.close()


def store(holder: Signer) -> int:
    template = (
        CERTIFICATE,
        Attribute.of(Cka.CKA_CERTIFICATE_TYPE, int(Ckc.CKC_X_509)),
        Attribute.of(Cka.CKA_TOKEN, value=True),
        Attribute(Cka.CKA_ID, holder.read(Cka.CKA_ID)),
        Attribute(Cka.CKA_VALUE, DER),
    )
    handle: int = holder.program("C_CreateObject", holder.session, template)
    return handle


def test_what_another_program_writes_is_seen_when_cache_validity_has_passed(
    desk: Desk, program: Program, watch: Watch
) -> None:
    session = program.session()
    assert program.find(session, CERTIFICATE) == []
    holder = Signer(desk)
    handle = store(holder)
    assert holder.program.find(holder.session, CERTIFICATE) == [handle]

    watch.forward(minutes=9, seconds=59)
    assert program.find(session, CERTIFICATE) == []
    watch.forward(seconds=1)
    assert len(program.find(session, CERTIFICATE)) == 1


def test_what_another_program_destroys_is_shown_until_then(
    desk: Desk, program: Program, watch: Watch
) -> None:
    holder = Signer(desk)
    handle = store(holder)
    session = program.session()
    (shown,) = program.find(session, CERTIFICATE)
    holder.program("C_DestroyObject", holder.session, handle)

    assert program.find(session, CERTIFICATE) == [shown]
    assert program.read(session, shown, Cka.CKA_VALUE) == DER
    watch.forward(minutes=10)
    assert program.find(session, CERTIFICATE) == []


def test_a_login_shows_no_newer_content_and_neither_does_its_end(desk: Desk, program: Program) -> None:
    session = program.session()
    store(Signer(desk))
    program("C_Login", session, Cku.CKU_USER, PIN)
    assert program.find(session, CERTIFICATE) == []
    program("C_Logout", session)
    assert program.find(session, CERTIFICATE) == []


def test_the_middleware_and_pkcs11_of_one_program_keep_the_same_content(
    desk: Desk, program: Program, watch: Watch
) -> None:
    client = program.application.client
    assert not [each for each in client.token(READER).objects if each.label == "Badge"]
    assert client.token(READER).label != "Badge"
    desk.program().application.client.init_token(READER, SourceText("t.cpf", profile_text(desk.model.name)))

    assert program("C_GetTokenInfo", MAIN).label != "Badge"
    assert client.token(READER).label != "Badge"
    watch.forward(minutes=10)
    assert client.token(READER).label == "Badge"
    assert program("C_GetTokenInfo", MAIN).label == "Badge"


def test_a_programs_own_writing_is_seen_by_its_middleware_too(desk: Desk, watch: Watch) -> None:
    holder = Signer(desk, configuration=CACHED, now=watch)
    client = holder.program.application.client
    client.token(READER)
    before = len(desk.commands)
    client.token(READER)
    assert not any(command[1] == 0xB0 for command in desk.commands[before:])
    store(holder)

    before = len(desk.commands)
    client.token(READER)
    assert any(command[1] == 0xB0 for command in desk.commands[before:])


def test_a_card_that_this_program_initialises_is_shown_as_it_is(desk: Desk, program: Program) -> None:
    program("C_GetTokenInfo", MAIN)
    program.application.client.init_token(READER, SourceText("t.cpf", profile_text(desk.model.name)))

    assert program("C_GetTokenInfo", MAIN).label == "Badge"


def test_a_card_that_was_taken_out_is_read_anew(desk: Desk, program: Program) -> None:
    assert program.find(program.session(), CERTIFICATE) == []
    store(Signer(desk))
    desk.manager.remove(READER)
    desk.manager.insert(READER, desk.card)

    assert len(program.find(program.session(), CERTIFICATE)) == 1


def test_what_is_kept_costs_a_search_no_command(desk: Desk, program: Program) -> None:
    session = program.session()
    before = len(desk.commands)
    program.find(session, DATA)

    assert len(desk.commands) == before


# What only a login lets be read


def value(program: Program, session: int) -> bytes:
    (found,) = program.find(session, DATA, PROFILE_ID)
    return program.read(session, found, Cka.CKA_VALUE).rstrip(b"\0")


@pytest.mark.parametrize("configuration", [None, CACHED], ids=["no-cache", "cache"])
def test_what_a_login_lets_be_read_is_seen_after_it_and_not_after_its_end(
    desk: Desk, configuration: ClientConfiguration | None
) -> None:
    desk.guard(PROFILE_ID_FILE, 1)
    program = desk.program(configuration=configuration)
    session = program.session()
    assert value(program, session) == b""
    program("C_Login", session, Cku.CKU_USER, PIN)
    assert value(program, session).startswith(b"cardtwin")
    program("C_Logout", session)
    assert value(program, session) == b""
    program("C_Login", session, Cku.CKU_USER, PIN)
    assert value(program, session).startswith(b"cardtwin")


def test_what_one_of_two_logins_lets_be_read_is_seen_until_both_have_ended(desk: Desk) -> None:
    desk.guard(PROFILE_ID_FILE, 1)
    program = desk.program(configuration=CACHED)
    program.slots()
    main, signature = program.user_session(), program.session(slot=SIGNATURE)
    program("C_Login", signature, Cku.CKU_USER, SIGN_PIN)
    assert value(program, main).startswith(b"cardtwin")
    program("C_Logout", signature)
    assert value(program, main).startswith(b"cardtwin")
    program("C_Logout", main)
    assert value(program, main) == b""
