"""Logins that are gone: which call tells it, with which return value, and how a program gets back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding

from cardtwin.card import models
from cardtwin.cryptoki.constants import Cka, Ckm, Cko, Cks, Cku
from cardtwin.cryptoki.values import Attribute, Buffer, Mechanism
from cardtwin.middleware import Ckr
from cardtwin.pcsc import Disposition
from cardtwin.provenance import Switches
from support.profiles import certificate
from support.programs import KEPT_PIN, PIN, Desk, Program
from support.signers import SIMPLE, Signer
from support.tokens import MODELS, READER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cardtwin.pcsc import CardConnection

LOST, OK = Ckr.CKR_USER_NOT_LOGGED_IN, Ckr.CKR_OK
FOREIGN_AID = bytes.fromhex("00A4040C0BA000000308000010000100")
LOGOUT = bytes.fromhex("80EA0000")
PRIVATE_KEYS = Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_PRIVATE_KEY))
PRIVATE = Attribute.of(Cka.CKA_PRIVATE, value=True)
PUBLIC_DATA = (
    Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_DATA)),
    Attribute.of(Cka.CKA_LABEL, "note"),
    Attribute(Cka.CKA_VALUE, b"note"),
)


TOKEN_DATA = (*PUBLIC_DATA, Attribute.of(Cka.CKA_TOKEN, value=True))
PAIR = Mechanism(Ckm.CKM_RSA_PKCS_KEY_PAIR_GEN)


def halves(*, token: bool, private: bool) -> tuple[tuple[Attribute, ...], tuple[Attribute, ...]]:
    """Return the templates of a key pair."""
    common = (Attribute.of(Cka.CKA_TOKEN, value=token), Attribute(Cka.CKA_ID, b"\x77"))
    public = (*common, Attribute.of(Cka.CKA_MODULUS_BITS, 2048))
    return public, (*common, Attribute.of(Cka.CKA_PRIVATE, value=private))


def desk_with(*quirks: str, model: str = "cardos-5.3") -> Desk:
    """Return a desk with an encoded card that has these quirks."""
    desk = Desk(model)
    desk.manager.remove(READER)
    desk.model = replace(models.get(model), quirks=frozenset(quirks))
    desk.card = desk.new_card(desk.card.image)
    desk.manager.insert(READER, desk.card)
    return desk


def state(program: Program, session: int) -> Cks:
    return Cks(program("C_GetSessionInfo", session).state)


def tried(signer: Signer) -> tuple[Ckr, Ckr]:
    """Return what C_SignInit and C_Sign answer."""
    return signer.init(), signer.finish()


def reset(desk: Desk) -> None:
    connected(desk).disconnect(Disposition.RESET)


def end_a_transaction_by_reset(desk: Desk) -> None:
    with connected(desk).transaction(Disposition.RESET):
        pass


def probe(desk: Desk) -> None:
    connected(desk).transmit(FOREIGN_AID)


def log_out(desk: Desk) -> None:
    connected(desk).transmit(LOGOUT)


def log_in_and_out(desk: Desk) -> None:
    other = desk.program()
    other("C_Logout", other.user_session())


def connected(desk: Desk) -> CardConnection:
    return desk.manager.context().connect(READER)


def nothing(_desk: Desk) -> None:
    """Leave the card alone."""


EVENTS: Iterable[object] = [
    pytest.param((), nothing, OK, id="nothing"),
    pytest.param((), probe, OK, id="probe without the quirk"),
    pytest.param(("drop_pin_on_select",), nothing, LOST, id="drop_pin_on_select"),
    pytest.param((), reset, LOST, id="reset"),
    pytest.param((), end_a_transaction_by_reset, LOST, id="transaction"),
    pytest.param(("unknown_aid_resets",), probe, LOST, id="unknown_aid_resets"),
    pytest.param((), log_out, LOST, id="LOGOUT"),
    pytest.param((), log_in_and_out, LOST, id="C_Logout of another program"),
]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("quirks", "event", "rv"), EVENTS)
def test_a_card_that_forgets_the_login_is_told_by_the_call_that_needs_the_key(
    model: str, quirks: tuple[str, ...], event: Callable[[Desk], None], rv: Ckr
) -> None:
    desk = desk_with(*quirks, model=model)
    signer = Signer(desk)
    event(desk)

    assert tried(signer) == (OK, rv)
    expected = Cks.CKS_RW_USER_FUNCTIONS if rv is OK else Cks.CKS_RW_PUBLIC_SESSION
    assert state(signer.program, signer.session) == expected


@pytest.mark.parametrize(
    "event", [reset, end_a_transaction_by_reset, log_out, log_in_and_out], ids=lambda event: event.__name__
)
def test_after_it_the_session_is_public_and_a_login_brings_the_key_back(
    event: Callable[[Desk], None],
) -> None:
    desk = desk_with()
    signer = Signer(desk)
    event(desk)
    tried(signer)

    assert signer.init() is LOST
    assert signer.program.find(signer.session, PRIVATE_KEYS) == []
    assert signer.program.rv("C_Logout", signer.session) is LOST
    signer.program("C_Login", signer.session, Cku.CKU_USER, PIN)
    signer.key = signer.program.key(signer.session)
    assert tried(signer) == (OK, OK)


@pytest.mark.parametrize("event", [reset, log_out], ids=lambda event: event.__name__)
def test_deciphering_tells_it_as_signing_does(event: Callable[[Desk], None]) -> None:
    desk = desk_with()
    signer = Signer(desk)
    event(desk)
    signer.program("C_DecryptInit", signer.session, Mechanism(Ckm.CKM_RSA_PKCS), signer.key)

    assert signer.program.rv("C_Decrypt", signer.session, bytes(256), Buffer(256)) is LOST
    assert state(signer.program, signer.session) == Cks.CKS_RW_PUBLIC_SESSION


@pytest.mark.parametrize("event", [reset, log_out], ids=lambda event: event.__name__)
def test_handles_are_good_again_after_a_login_that_the_card_has_lost(event: Callable[[Desk], None]) -> None:
    desk = desk_with()
    signer = Signer(desk)
    event(desk)
    assert tried(signer)[-1] is LOST
    assert signer.init() is LOST
    signer.program("C_Login", signer.session, Cku.CKU_USER, PIN)

    assert tried(signer) == (OK, OK)
    assert signer.program.key(signer.session) == signer.key


@pytest.mark.parametrize("event", [reset, log_out], ids=lambda event: event.__name__)
def test_writing_a_certificate_tells_it_too(event: Callable[[Desk], None]) -> None:
    desk = desk_with()
    signer = Signer(desk)
    der = certificate().public_bytes(Encoding.DER)
    template = (
        Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_CERTIFICATE)),
        Attribute.of(Cka.CKA_CERTIFICATE_TYPE, 0),
        Attribute.of(Cka.CKA_TOKEN, value=True),
        Attribute(Cka.CKA_ID, signer.read(Cka.CKA_ID)),
        Attribute(Cka.CKA_VALUE, der),
    )
    event(desk)

    assert signer.program.rv("C_CreateObject", signer.session, template) is LOST
    assert state(signer.program, signer.session) == Cks.CKS_RW_PUBLIC_SESSION
    signer.program("C_Login", signer.session, Cku.CKU_USER, PIN)
    made = signer.program("C_CreateObject", signer.session, template)
    event(desk)
    assert signer.program.rv("C_DestroyObject", signer.session, made) is LOST
    assert state(signer.program, signer.session) == Cks.CKS_RW_PUBLIC_SESSION


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("event", [reset, log_out], ids=lambda event: event.__name__)
@pytest.mark.parametrize(
    ("name", "arguments"),
    [("C_GenerateKeyPair", (PAIR, *halves(token=True, private=True))), ("C_CreateObject", (TOKEN_DATA,))],
    ids=["key pair", "data"],
)
def test_making_something_on_the_token_tells_it_and_leaves_the_card_as_it_was(
    model: str, event: Callable[[Desk], None], name: str, arguments: tuple[object, ...]
) -> None:
    desk = desk_with(model=model)
    signer = Signer(desk)
    before = desk.card.image
    event(desk)

    assert signer.program.rv(name, signer.session, *arguments) is LOST
    assert desk.card.image == before
    assert state(signer.program, signer.session) == Cks.CKS_RW_PUBLIC_SESSION
    signer.program("C_Login", signer.session, Cku.CKU_USER, PIN)
    signer.program(name, signer.session, *arguments)


def test_with_the_last_session_the_login_is_gone_and_an_old_handle_says_so() -> None:
    signer = Signer(desk_with())
    signer.program("C_CloseSession", signer.session)
    signer.session = signer.program.session()

    assert signer.init() is LOST
    assert signer.finish() is Ckr.CKR_OPERATION_NOT_INITIALIZED


# What helps: the middleware keeps the PIN, and logs in again for each operation


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("quirks", "event", "rv"),
    [
        pytest.param((), reset, OK, id="reset"),
        pytest.param((), log_in_and_out, OK, id="logout"),
        pytest.param(("unknown_aid_resets",), probe, OK, id="unknown_aid_resets"),
        pytest.param(("one_signature_per_verify",), nothing, OK, id="one_signature_per_verify"),
        pytest.param(("drop_pin_on_select",), nothing, LOST, id="drop_pin_on_select"),
    ],
)
def test_a_kept_pin_bears_all_but_a_select_between_login_and_signature(
    model: str, quirks: tuple[str, ...], event: Callable[[Desk], None], rv: Ckr
) -> None:
    desk = desk_with(*quirks, model=model)
    signer = Signer(desk, configuration=KEPT_PIN)
    event(desk)

    assert tried(signer) == (OK, rv)
    event(desk)
    assert tried(signer) == ((OK, OK) if rv is OK else (LOST, Ckr.CKR_OPERATION_NOT_INITIALIZED))


@pytest.mark.parametrize("model", MODELS)
def test_a_pin_good_for_one_signature_is_told_by_the_second(model: str) -> None:
    signer = Signer(desk_with("one_signature_per_verify", model=model))

    assert [*tried(signer), *tried(signer)] == [OK, OK, OK, LOST]
    assert state(signer.program, signer.session) == Cks.CKS_RW_PUBLIC_SESSION


# Transactions that end with a reset


RESETTING = Switches({"cryptoki.transaction-end": "reset"})


def test_with_transactions_that_end_with_a_reset_a_login_is_gone_before_the_keys_are_sought() -> None:
    program = desk_with().program(switches=RESETTING)
    session = program.user_session()

    assert state(program, session) == Cks.CKS_RW_USER_FUNCTIONS
    assert program.find(session, PRIVATE_KEYS) == []
    assert state(program, session) == Cks.CKS_RW_PUBLIC_SESSION
    assert program.rv("C_Logout", session) is LOST


def test_a_kept_pin_bears_transactions_that_end_with_a_reset() -> None:
    signer = Signer(desk_with(), switches=RESETTING, configuration=KEPT_PIN)

    assert [*tried(signer), *tried(signer)] == [OK, OK, OK, OK]


# A login for each session


@pytest.fixture
def split() -> Program:
    program = desk_with().program(switches=Switches({"cryptoki.login-scope": "session"}))
    program.slots()
    return program


def test_with_a_login_for_each_session_another_session_has_no_private_keys(split: Program) -> None:
    first, second = split.user_session(), split.session()
    key = split.key(first)

    assert split.find(second, PRIVATE_KEYS) == []
    assert split.rv("C_SignInit", second, SIMPLE, key) is LOST
    assert split.rv("C_DecryptInit", second, Mechanism(Ckm.CKM_RSA_PKCS), key) is LOST
    assert split.rv("C_GetAttributeValue", second, key, ()) is LOST
    assert split.rv("C_CreateObject", second, (*PUBLIC_DATA, PRIVATE)) is LOST
    assert split.rv("C_GenerateKeyPair", second, PAIR, *halves(token=False, private=True)) is LOST
    assert split.rv("C_Logout", second) is LOST
    assert len(split.sign(first, key, SIMPLE, b"data")) == 256


def test_with_a_login_for_each_session_one_logs_out_for_itself(split: Program) -> None:
    first, second = split.user_session(), split.user_session()
    key = split.key(second)
    split("C_Logout", first)

    assert split.rv("C_SignInit", first, SIMPLE, key) is LOST
    assert len(split.sign(second, key, SIMPLE, b"data")) == 256
    split("C_CloseSession", second)
    split("C_Login", first, Cku.CKU_USER, PIN)
    assert len(split.sign(first, split.key(first), SIMPLE, b"data")) == 256


def test_with_a_login_for_each_session_the_card_forgets_with_the_last_one(split: Program) -> None:
    first, second, _bystander = split.user_session(), split.user_session(), split.session()
    key = split.key(first)
    split("C_CloseSession", second)
    assert len(split.sign(first, key, SIMPLE, b"data")) == 256
    split("C_CloseSession", first)

    third = split.session()
    assert split.rv("C_SignInit", third, SIMPLE, key) is LOST


# Session objects


@pytest.mark.parametrize(("value", "rv"), [("free", OK), ("login", LOST)])
def test_by_a_switch_each_way_to_make_a_session_object_demands_a_login(value: str, rv: Ckr) -> None:
    program = desk_with().program(switches=Switches({"cryptoki.session-objects": value}))
    program.slots()
    session = program.session()
    public_keys = program.find(session, Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_PUBLIC_KEY)))
    copied = (Attribute.of(Cka.CKA_TOKEN, value=False),)

    assert program.rv("C_CreateObject", session, PUBLIC_DATA) is rv
    assert program.rv("C_CopyObject", session, public_keys[0], copied) is rv
    assert program.rv("C_GenerateKeyPair", session, PAIR, *halves(token=False, private=False)) is rv
    program("C_Login", session, Cku.CKU_USER, PIN)
    made = program("C_CreateObject", session, PUBLIC_DATA)
    program("C_CopyObject", session, public_keys[0], copied)
    program("C_Logout", session)
    assert program.rv("C_DestroyObject", session, made) is OK


# Signing after a logout

KEPT = Switches({"cryptoki.logout": "kept"})


def test_with_the_login_kept_all_private_operations_go_on_after_a_logout() -> None:
    signer = Signer(desk_with(), switches=KEPT)
    signer.program("C_Logout", signer.session)

    assert state(signer.program, signer.session) == Cks.CKS_RW_PUBLIC_SESSION
    assert signer.program.find(signer.session, PRIVATE_KEYS) == []
    assert tried(signer) == (OK, OK)
    cryptogram = signer.rsa.encrypt(b"secret", PKCS1v15())
    signer.program("C_DecryptInit", signer.session, Mechanism(Ckm.CKM_RSA_PKCS), signer.key)
    assert signer.program("C_Decrypt", signer.session, cryptogram, Buffer(256)).content == b"secret"
    signer.program("C_GetAttributeValue", signer.session, signer.key, ())


def test_with_the_login_kept_the_card_still_decides() -> None:
    desk = desk_with()
    signer = Signer(desk, switches=KEPT)
    signer.program("C_Logout", signer.session)
    reset(desk)

    assert tried(signer) == (OK, LOST)


def test_with_login_and_pin_kept_signing_works_until_the_logout() -> None:
    signer = Signer(desk_with(), switches=KEPT, configuration=KEPT_PIN)
    assert tried(signer) == (OK, OK)
    signer.program("C_Logout", signer.session)

    assert tried(signer) == (OK, LOST)  # the middleware has told the card to forget after each signature


@pytest.mark.parametrize("model", MODELS)
def test_without_the_switch_nothing_private_works_after_a_logout(model: str) -> None:
    signer = Signer(desk_with(model=model))
    signer.init()
    signer.program("C_Logout", signer.session)

    assert signer.finish() is LOST
    assert signer.init() is LOST
    assert signer.program.rv("C_GetAttributeValue", signer.session, signer.key, ()) is LOST
