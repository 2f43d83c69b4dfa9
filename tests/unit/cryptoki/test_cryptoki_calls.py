"""Calls: in turn, never an exception, told with their secrets masked."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from cardtwin.cryptoki.calls import Client, Registry
from cardtwin.cryptoki.constants import Cka, Ckm, Cko
from cardtwin.cryptoki.dispatch import Caller, Outcome
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.functions import BY_NAME
from cardtwin.cryptoki.values import Attribute, Buffer, Mechanism, NamedValue
from cardtwin.events import CallBegan, CallEnded, Cause, Defect, Event, Hub, because, current_cause
from cardtwin.middleware import Ckr, MiddlewareError
from cardtwin.plan import Secret
from support.cryptoki import BOUND, Program, registry, with_function
from support.threads import in_thread, joined

if TYPE_CHECKING:
    from collections.abc import Callable


def caller(functions: Registry = registry, hub: Hub | None = None) -> Caller:
    return Caller(Program(Client(1, "test")), functions, hub or Hub())


def observed(functions: Registry, name: str, *arguments: object) -> list[Event]:
    hub, events = Hub(), list[Event]()
    hub.subscribe(events.append)
    caller(functions, hub).call(name, arguments)
    return events


def test_a_result_comes_with_ckr_ok() -> None:
    assert caller().call("C_OpenSession", (1, 4)) == Outcome(Ckr.CKR_OK, (1,))


def test_errors_of_both_kinds_become_return_values_with_their_reasons() -> None:
    def fail(error: Exception) -> Callable[..., None]:
        def run(application: object, session: int) -> None:
            raise error

        return run

    for error in (
        CryptokiError(Ckr.CKR_PIN_LOCKED, "why"),
        MiddlewareError(Ckr.CKR_PIN_LOCKED, "why"),
    ):
        outcome = caller(with_function("C_Logout", fail(error))).call("C_Logout", (1,))
        assert (outcome.rv, outcome.reason) == (Ckr.CKR_PIN_LOCKED, "why")


def test_a_bug_is_told_and_is_a_general_error() -> None:
    events = observed(registry, "C_SeedRandom", 1, b"seed")
    _, defect, ended = events
    assert isinstance(defect, Defect)
    assert "RuntimeError" in defect.detail
    assert "a bug" not in defect.detail
    assert isinstance(ended, CallEnded)
    assert ended.result == "CKR_GENERAL_ERROR"


def test_calls_wait_for_one_another() -> None:
    inside, most = [0], [0]
    going = threading.Barrier(4)

    def run(application: object, session: int) -> None:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0)  # lets another thread have its turn
        inside[0] -= 1

    one = caller(with_function("C_Logout", run))

    def call_often() -> None:
        going.wait(BOUND)

        for _ in range(200):
            one.call("C_Logout", (1,))

    for thread in [in_thread(call_often) for _ in range(4)]:
        joined(thread)

    assert most[0] == 1


def test_what_waits_lets_others_by_and_ends_when_the_application_closes() -> None:
    program = Program(Client(1, "test"))
    one = Caller(program, registry, Hub())
    outcomes: list[Outcome] = []
    thread = in_thread(lambda: outcomes.append(one.call("C_WaitForSlotEvent", (0,))))
    assert program.waiting.wait(BOUND)
    assert one.call("C_OpenSession", (1, 4)).rv is Ckr.CKR_OK
    one.close()
    one.close()
    joined(thread)
    assert [outcome.rv for outcome in outcomes] == [Ckr.CKR_CRYPTOKI_NOT_INITIALIZED]
    assert one.call("C_OpenSession", (1, 4)).rv is Ckr.CKR_CRYPTOKI_NOT_INITIALIZED


def test_what_happens_in_a_call_has_it_as_its_cause() -> None:
    causes: list[Cause | None] = []

    def run(application: object, session: int) -> None:
        causes.append(current_cause())

    observed(with_function("C_Logout", run), "C_Logout", 1)
    assert causes == [Cause("C_Logout")]


SECRET = b"31415926"


@pytest.mark.parametrize(
    ("name", "arguments", "shown"),
    [
        ("C_Login", (1, 1, Secret(SECRET)), ("1", "CKU_USER", "**")),
        ("C_Login", (1, 0, None), ("1", "CKU_SO", "NULL")),
        ("C_Sign", (1, SECRET, Buffer[bytes](256)), ("1", "8 bytes", "room for 256", "8")),
        ("C_Sign", (1, SECRET, Buffer[bytes](None)), ("1", "8 bytes", "NULL", "8")),
        ("C_GetSlotList", (True, Buffer[list[int]](4)), ("true", "room for 4", "1: 1")),
        (
            "C_CreateObject",
            (1, (Attribute(Cka.CKA_PRIME_1, SECRET), Attribute.of(Cka.CKA_ID, b"\5"))),
            ("1", "CKA_PRIME_1=**, CKA_ID=05", "2"),
        ),
        ("C_EncryptInit", (1, Mechanism(Ckm.CKM_RSA_PKCS), 5), ("1", "CKM_RSA_PKCS", "5")),
        ("C_GenerateRandom", (1, 8), ("1", "8", "8 bytes")),
        (
            "cardtwin_InitTokenPPA",
            (1, b"profile", (), (NamedValue("PIN1", SECRET),), b""),
            ("1", "7 bytes", "none", "PIN1=**", "0 bytes"),
        ),
    ],
)
def test_a_call_is_told_by_names_and_without_secrets(
    name: str, arguments: tuple[object, ...], shown: tuple[str, ...]
) -> None:
    began, ended = observed(registry, name, *arguments)
    assert isinstance(began, CallBegan)
    assert isinstance(ended, CallEnded)
    assert tuple(text for _, text in (*began.arguments, *ended.results)) == shown
    assert ended.result == "CKR_OK"
    assert SECRET.decode() not in f"{began} {ended}"
    assert SECRET.hex(" ").upper() not in f"{began} {ended}".upper()


def test_a_call_begins_and_ends_in_its_callers_cause_and_is_itself_one() -> None:
    hub, events = Hub(), list[Event]()
    hub.subscribe(events.append)

    with because("step 1") as step:
        Caller(Program(Client(1, "test")), registry, hub, "java.exe").call("C_OpenSession", (1, 4))

    began, ended = events
    assert isinstance(began, CallBegan)
    assert isinstance(ended, CallEnded)
    assert (began.cause, ended.cause) == (step, step)
    assert began.call is ended.call
    assert began.call.path() == (step, began.call)
    assert (began.program, began.call.what) == ("java.exe", "C_OpenSession")


def test_a_function_that_is_not_there_is_told_like_any_other() -> None:
    began, ended = observed(Registry(), "C_DigestKey", 1, 2)
    assert isinstance(began, CallBegan)
    assert isinstance(ended, CallEnded)
    assert (began.call.what, ended.result) == ("C_DigestKey", "CKR_FUNCTION_NOT_SUPPORTED")


def test_a_call_refused_for_its_arguments_is_told_without_them() -> None:
    hub, events = Hub(), list[Event]()
    hub.subscribe(events.append)
    program = Program(Client(1, "test"))
    error = CryptokiError(Ckr.CKR_ARGUMENTS_BAD, "NULL")
    Caller(program, registry, hub).refuse(BY_NAME["C_Login"], error)
    began, ended = events
    assert isinstance(began, CallBegan)
    assert isinstance(ended, CallEnded)
    assert (began.arguments, ended.result, ended.reason) == ((), "CKR_ARGUMENTS_BAD", "NULL")
    assert program.log == ["C_Login() CKR_ARGUMENTS_BAD NULL"]


def test_beginning_and_ending_are_calls_too_unless_the_program_is_just_gone() -> None:
    for gone, names in ((False, ["C_Initialize", "C_Finalize"]), (True, ["C_Initialize"])):
        hub, events = Hub(), list[Event]()
        hub.subscribe(events.append)
        one, outcome = Caller.begin(lambda: Program(Client(1, "test")), registry, hub)
        assert outcome.rv is Ckr.CKR_OK
        assert one is not None
        one.close(gone=gone)
        assert [event.call.what for event in events if isinstance(event, CallEnded)] == names


@pytest.mark.parametrize(
    "name", ["CKA_VALUE", "CKA_PRIVATE_EXPONENT", "CKA_WRAP_TEMPLATE", "CKA_VENDOR_DEFINED"]
)
def test_values_that_may_be_secret_are_masked(name: str) -> None:
    began, _ = observed(
        registry, "C_CreateObject", 1, (Attribute(Cka[name], SECRET), Attribute(0x999, SECRET))
    )
    assert isinstance(began, CallBegan)
    assert began.arguments[1] == ("pTemplate", f"{name}=**, 0x00000999=**")


def test_public_values_are_told_as_what_they_are() -> None:
    template = (
        Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_PRIVATE_KEY)),
        Attribute.of(Cka.CKA_LABEL, "Schlüssel\n"),
        Attribute.of(Cka.CKA_TOKEN, value=True),
        Attribute.of(Cka.CKA_ID, b"\1"),
        Attribute.of(Cka.CKA_MODULUS_BITS, 2048),
        Attribute.of(Cka.CKA_TRUSTED, b"odd"),
        Attribute.of(Cka.CKA_SUBJECT, bytes(70)),
    )
    began, _ = observed(registry, "C_CreateObject", 1, template)
    assert isinstance(began, CallBegan)
    assert began.arguments[1][1] == (
        "CKA_CLASS=CKO_PRIVATE_KEY, CKA_LABEL='Schlüssel\\n', CKA_TOKEN=true, CKA_ID=01, "
        f"CKA_MODULUS_BITS=2048, CKA_TRUSTED=6F 64 64, CKA_SUBJECT={bytes(64).hex(' ')} and 6 bytes more"
    )


def test_the_programs_own_log_gets_what_it_wants() -> None:
    program = Program(Client(1, "test"))
    one = Caller(program, registry, Hub())
    one.call("C_Login", (1, 1, Secret(SECRET)))
    one.call("C_GetSlotInfo", (5,))
    one.close()
    assert program.log == [
        "C_Login(hSession=1, userType=CKU_USER, pPin=**) CKR_OK",
        "C_GetSlotInfo(slotID=5) CKR_SLOT_ID_INVALID",
        "C_Finalize() CKR_OK",
    ]
