"""Calls: in turn, never an exception, told with their secrets masked; and frames that are none."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.cryptoki.calls import Client, Registry
from cardtwin.cryptoki.constants import Cka, Ckm, Cko
from cardtwin.cryptoki.dispatch import Caller, Outcome
from cardtwin.cryptoki.errors import CryptokiError, MalformedFrameError
from cardtwin.cryptoki.functions import BY_NAME, FUNCTIONS, Function, sum_of_table
from cardtwin.cryptoki.values import Attribute, Buffer, Mechanism, NamedValue
from cardtwin.cryptoki.wire import Greeting, decode_call, function_of
from cardtwin.events import CallBegan, CallEnded, Cause, Defect, Event, Hub, because, current_cause
from cardtwin.middleware import Ckr, MiddlewareError
from cardtwin.plan import Secret
from support.cryptoki import BOUND, Program, registry, served, with_function
from support.threads import in_thread, joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.cryptoki import Served


def caller(functions: Registry = registry, hub: Hub | None = None) -> Caller:
    return Caller(Program(Client(1, "test")), functions, hub or Hub())


def observed(functions: Registry, name: str, *arguments: object) -> list[Event]:
    hub, events = Hub(), list[Event]()
    hub.subscribe(events.append)
    caller(functions, hub).call(name, arguments)
    return events


# One call


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


# Frames


def functions_carried() -> list[Function]:
    return [function for function in FUNCTIONS if function.carried]


@given(function=st.sampled_from(functions_carried()), body=st.binary(max_size=80))
def test_any_bytes_are_arguments_or_refused(function: Function, body: bytes) -> None:
    with contextlib.suppress(MalformedFrameError, CryptokiError):
        arguments = decode_call(function, function.number.to_bytes(2, "little") + body)
        assert len(arguments) == len(function.arguments)


@given(
    function=st.sampled_from(functions_carried()),
    parts=st.lists(
        st.sampled_from([b"\0", b"\1", b"\2", bytes(8), b"\1" + bytes(7), b"\xff" * 8]), max_size=12
    ),
)
def test_bytes_that_look_like_arguments_are_arguments_or_refused(
    function: Function, parts: list[bytes]
) -> None:
    with contextlib.suppress(MalformedFrameError, CryptokiError):
        arguments = decode_call(function, bytes(2) + b"".join(parts))
        assert len(arguments) == len(function.arguments)


@pytest.mark.parametrize("body", [b"", b"\1", b"\3\0", b"\xff\xff", len(FUNCTIONS).to_bytes(2, "little")])
def test_a_call_of_no_function_is_no_frame(body: bytes) -> None:
    with pytest.raises(MalformedFrameError):
        function_of(body)


def greeting(instance: int = 7, *, table: int | None = None, control: bool = True) -> bytes:
    number = sum_of_table() if table is None else table
    return b"cardtwin" + number.to_bytes(4, "little") + instance.to_bytes(8, "little") + bytes([control])


def test_a_greeting_is_of_the_same_table() -> None:
    assert Greeting.parse(greeting()) == Greeting(7, control=True)

    with pytest.raises(MalformedFrameError, match="another version of cardtwin"):
        Greeting.parse(greeting(table=1))

    for other in (b"", greeting()[:-1], b"something" + greeting()[9:]):
        with pytest.raises(MalformedFrameError, match="no greeting"):
            Greeting.parse(other)


# The server


@pytest.fixture
def token() -> Iterator[Served]:
    with served() as token:
        yield token


class Line:
    """A connection that sends what it likes."""

    def __init__(self, token: Served) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(BOUND)
        self.socket.connect(str(token.server.path))

    def ask(self, body: bytes) -> bytes:
        """Send a frame; return what comes, and nothing if the connection ends."""
        return self.send(len(body).to_bytes(4, "little") + body)

    def send(self, data: bytes) -> bytes:
        try:
            self.socket.sendall(data)
            return self.socket.recv(1000)
        except ConnectionError:
            return b""


@pytest.fixture
def open_line(token: Served) -> Iterator[Callable[[], Line]]:
    with contextlib.ExitStack() as lines:

        def open_one() -> Line:
            line = Line(token)
            lines.enter_context(line.socket)
            return line

        yield open_one


GOOD = (9).to_bytes(4, "little") + bytes(9)
INITIALIZE = bytes(2)
LOGOUT = BY_NAME["C_Logout"].number.to_bytes(2, "little") + bytes(8)
INFO = BY_NAME["C_GetInfo"].number.to_bytes(2, "little") + b"\1"


def begun(line: Line, instance: int = 7) -> None:
    assert line.ask(greeting(instance)) == GOOD
    assert line.ask(INITIALIZE) == GOOD


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\0\0\0\0",
        b"GET / HTTP/1.1\r\n\r\n",
        (2**32 - 1).to_bytes(4, "little") + b"x",
        (10).to_bytes(4, "little") + LOGOUT + b"more",
        (11).to_bytes(4, "little") + LOGOUT + b"m",
        (2).to_bytes(4, "little") + b"\0\0",
    ],
)
def test_nonsense_ends_the_line_that_brings_it_and_no_other(
    token: Served, open_line: Callable[[], Line], nonsense: bytes
) -> None:
    control, first, second = open_line(), open_line(), open_line()
    begun(control)
    assert first.ask(greeting(control=False)) == GOOD
    assert second.ask(greeting(control=False)) == GOOD
    assert first.send(nonsense) == b""
    assert second.ask(INFO)[4:13] == bytes(8) + b"\1"
    assert not token.program.closed.is_set()


def test_a_line_without_a_greeting_is_answered_and_ended(open_line: Callable[[], Line]) -> None:
    line = open_line()
    assert line.ask(INFO)[4:12] == int(Ckr.CKR_GENERAL_ERROR).to_bytes(8, "little")
    assert line.ask(INFO) == b""


def test_calls_of_a_program_that_never_began_are_refused(open_line: Callable[[], Line]) -> None:
    line = open_line()
    assert line.ask(greeting(99, control=False))[4:12] == int(Ckr.CKR_DEVICE_ERROR).to_bytes(8, "little")
    assert line.ask(INFO) == b""


def test_a_frame_may_come_in_pieces(open_line: Callable[[], Line]) -> None:
    line = open_line()
    frame = len(greeting()).to_bytes(4, "little") + greeting()

    for part in frame[:-1]:
        line.socket.sendall(bytes([part]))

    assert line.send(frame[-1:]) == GOOD


def test_the_end_of_the_first_line_ends_the_application(token: Served, open_line: Callable[[], Line]) -> None:
    control = open_line()
    begun(control)
    control.socket.close()
    assert token.program.closed.wait(BOUND)


def test_nonsense_on_the_first_line_ends_the_application(
    token: Served, open_line: Callable[[], Line]
) -> None:
    control = open_line()
    begun(control)
    assert control.ask(INFO) == b""
    assert token.program.closed.wait(BOUND)


def test_a_program_of_another_user_is_not_served(
    token: Served, open_line: Callable[[], Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    line = open_line()
    assert line.ask(greeting()) == b""


def test_the_socket_is_for_its_owner_alone(token: Served) -> None:
    assert token.server.path.stat().st_mode & 0o777 == 0o600
    assert token.server.path.parent.stat().st_mode & 0o777 == 0o700


def test_stopping_the_server_closes_applications_and_takes_the_socket_away(
    token: Served, open_line: Callable[[], Line]
) -> None:
    begun(open_line())
    token.server.stop()
    token.server.stop()
    assert token.program.closed.is_set()
    assert not token.server.path.exists()


def test_two_first_lines_of_one_program_end_one_after_the_other(
    token: Served, open_line: Callable[[], Line]
) -> None:
    first, second = open_line(), open_line()
    begun(first)
    begun(second)
    first.socket.close()
    second.socket.close()
    assert all(program.closed.wait(BOUND) for program in token.programs)
