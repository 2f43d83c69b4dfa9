"""Frames, and the server that programs bring them to."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.cryptoki.errors import CryptokiError, MalformedFrameError
from cardtwin.cryptoki.functions import BY_NAME, FUNCTIONS, Function, sum_of_table
from cardtwin.cryptoki.wire import Greeting, decode_call, function_of
from cardtwin.middleware import Ckr
from support.cryptoki import BOUND, served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.cryptoki import Served


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
