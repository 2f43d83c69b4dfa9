"""The library in programs of their own: fork, threads, many at once, servers that die or talk nonsense."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cardtwin.middleware import Ckr
from cardtwin.sockets import private_directory
from support.cryptoki import BOUND, SANITIZED
from support.pkcs11_module import queries, room, template, ulongs, value_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.cryptoki import Served
    from support.pkcs11_module import Module

TESTS = Path(__file__).resolve().parents[3]

PRELUDE = """
import ctypes, os, sys, threading
from support.pkcs11_module import Module, room, ulong
module = Module(sys.argv[1])

def sign(data=b"abc"):
    buffer, length = room(len(data)), ulong(len(data))
    rv = module.C_Sign(1, data, len(data), buffer, ctypes.byref(length))
    return rv if rv else buffer.raw == data[::-1]
"""

SERVER = """
import sys
from support.cryptoki import *
with served() as token:
    print(token.server.path, flush=True)
    sys.stdin.read()
"""


def environment(**more: str) -> dict[str, str]:
    paths = [str(TESTS), *(path for path in sys.path if path)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **more}


def start(library: Path, program: str, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(program), str(library)],
        env=environment(**more),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Return what a program printed, which has to end well."""
    with process:
        output, errors = process.communicate(timeout=BOUND * 3)

    assert process.returncode == 0, errors
    return output, errors


def ran(library: Path, program: str, **more: str) -> str:
    return finished(start(library, program, **more))[0]


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_a_forked_child_is_not_initialised_and_its_parent_goes_on(library: Path, token: Served) -> None:
    output = ran(
        library,
        """
        module.C_Initialize(None)
        sign()

        if not os.fork():
            print(hex(module.C_GetInfo(room(88))), hex(module.C_Finalize(None)))
            print(module.C_Initialize(None), sign(), module.C_Finalize(None), flush=True)
            os._exit(0)

        os.wait()
        print(sign(), module.C_Finalize(None))
        """,
    )
    assert output.split() == ["0x190", "0x190", "0", "True", "0", "True", "0"]
    assert len({program.client.pid for program in token.programs}) == 2


def test_a_forked_child_does_not_keep_its_parents_application_open(library: Path, token: Served) -> None:
    child = start(
        library,
        """
        module.C_Initialize(None)
        sign()

        if os.fork():
            os._exit(0)

        print("there", flush=True)
        sys.stdin.readline()
        """,
    )
    assert line(child) == "there"
    assert token.program.closed.wait(BOUND)
    tell(child)
    finished(child)


def test_fork_while_other_threads_call_leaves_both_sides_well(library: Path, token: Served) -> None:
    output = ran(
        library,
        """
        module.C_Initialize(None)
        going = True

        def call():
            while going:
                assert sign() is True

        threads = [threading.Thread(target=call) for _ in range(3)]
        [thread.start() for thread in threads]
        states = []

        for _ in range(20):
            child = os.fork()

            if not child:
                results = module.C_GetInfo(room(88)), module.C_Initialize(None), sign()
                os._exit(0 if results == (0x190, 0, True) else 1)

            states.append(os.waitpid(child, 0)[1])

        going = False
        [thread.join() for thread in threads]
        print(set(states), module.C_Finalize(None))
        """,
    )
    assert output.split() == ["{0}", "0"]


def test_the_death_of_a_program_closes_its_application(library: Path, token: Served) -> None:
    process = start(library, "module.C_Initialize(None); print('there', flush=True); sys.stdin.read()")
    assert line(process) == "there"
    process.send_signal(signal.SIGKILL)

    with process:
        assert token.program.closed.wait(BOUND)


def test_threads_of_one_program_call_at_once(library: Path, token: Served) -> None:
    output = ran(
        library,
        """
        module.C_Initialize(None)
        results = []

        def call(number):
            results.extend(sign(bytes([number, at % 256]) * 100) for at in range(100))

        threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        print(len(results), set(results), module.C_Finalize(None))
        """,
    )
    assert output.split() == ["800", "{True}", "0"]
    assert len(token.programs) == 1


def test_c_finalize_beside_calls_of_other_threads_ends_them_in_order(library: Path, token: Served) -> None:
    output = ran(
        library,
        """
        results = set()

        for _ in range(20):
            module.C_Initialize(None)
            began = threading.Barrier(5)

            def call():
                began.wait()

                while True:
                    result = sign()
                    results.add(result)

                    if result is not True:
                        return

            threads = [threading.Thread(target=call) for _ in range(4)]
            [thread.start() for thread in threads]
            began.wait()
            assert module.C_Finalize(None) == 0
            [thread.join() for thread in threads]

        print(*sorted(results))
        """,
    )
    assert set(output.split()) <= {"True", str(int(Ckr.CKR_CRYPTOKI_NOT_INITIALIZED))}


def test_many_programs_are_kept_apart(library: Path, token: Served) -> None:
    program = """
    module.C_Initialize(None)
    handles = [ulong() for _ in range(5)]
    rvs = {module.C_OpenSession(1, 4, None, None, ctypes.byref(handle)) for handle in handles}
    print(*rvs, *(handle.value for handle in handles))
    """
    processes = [start(library, program) for _ in range(16)]
    assert {finished(process)[0] for process in processes} == {"0 1 2 3 4 5\n"}
    assert len({program.client.pid for program in token.programs}) == 16


def test_a_second_copy_of_the_library_is_an_application_of_its_own(
    library: Path, token: Served, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.so"
    copy.write_bytes(library.read_bytes())
    output = ran(
        library,
        f"""
        other = Module({str(copy)!r})
        print(module.C_Initialize(None), other.C_Initialize(None), module.C_Finalize(None))
        print(other.C_GetInfo(room(88)), hex(module.C_GetInfo(room(88))))
        """,
    )
    assert output.split() == ["0", "0", "0", "0", "0x190"]
    assert len(token.programs) == 2


@pytest.fixture
def lonely_server() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER],
        env={**environment(), "LD_PRELOAD": ""},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def test_a_server_that_dies_is_a_device_error_until_the_next_c_initialize(
    library: Path, lonely_server: subprocess.Popen[str]
) -> None:
    path = line(lonely_server)
    client = start(
        library,
        """
        print(module.C_Initialize(None), sign(), flush=True)
        slot, ends = ctypes.byref(ulong()), []
        waiting = threading.Thread(target=lambda: ends.append(module.C_WaitForSlotEvent(0, slot, None)))
        waiting.start()
        sys.stdin.readline()
        waiting.join()
        print(*ends, sign(), sign(), module.C_GetInfo(room(88)), module.C_Finalize(None), sign())
        print(module.C_Initialize(None), sign())
        """,
        CARDTWIN_SOCKET=path,
    )
    assert line(client) == "0 True"
    lonely_server.kill()
    lonely_server.wait()
    tell(client)
    output, errors = finished(client)
    error, outside = (str(int(rv)) for rv in (Ckr.CKR_DEVICE_ERROR, Ckr.CKR_CRYPTOKI_NOT_INITIALIZED))
    assert output.split() == [error, error, error, error, "0", outside, error, outside]
    assert errors.count("cardtwin: no server answers at") == 1


def test_a_server_that_comes_back_is_found_by_the_next_c_initialize(
    library: Path, monkeypatch: pytest.MonkeyPatch, token: Served
) -> None:
    client = start(
        library,
        """
        print(module.C_Initialize(None), sign(), flush=True)
        sys.stdin.readline()
        print(sign(), module.C_Finalize(None), module.C_Initialize(None), sign())
        """,
    )
    assert line(client) == "0 True"
    token.server.stop()
    token.server.start()
    tell(client)
    assert finished(client)[0].split() == [str(int(Ckr.CKR_DEVICE_ERROR)), "0", "0", "True"]


def test_a_server_that_hangs_is_a_device_error_after_a_while(
    library: Path, lonely_server: subprocess.Popen[str]
) -> None:
    path = line(lonely_server)
    client = start(
        library,
        """
        print(module.C_Initialize(None), flush=True)
        sys.stdin.readline()
        print(sign(), module.C_Finalize(None))
        """,
        CARDTWIN_SOCKET=path,
        CARDTWIN_TIMEOUT="1",
    )
    assert line(client) == "0"
    lonely_server.send_signal(signal.SIGSTOP)
    tell(client)
    assert finished(client)[0].split() == [str(int(Ckr.CKR_DEVICE_ERROR)), "0"]


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        ({"CARDTWIN_SOCKET": ""}, "CARDTWIN_SOCKET is not set"),
        (
            {"CARDTWIN_SOCKET": "/" + "x" * 108},
            "CARDTWIN_SOCKET has 109 bytes, and a socket's path",
        ),
        ({"CARDTWIN_SOCKET": "/nobody/here"}, "no server answers at /nobody/here: No such file or directory"),
        ({"CARDTWIN_TIMEOUT": "soon"}, "CARDTWIN_TIMEOUT=soon is no number of seconds"),
    ],
)
def test_what_keeps_a_program_from_the_server_is_said_once(
    library: Path, token: Served, variable: dict[str, str], message: str
) -> None:
    _, errors = finished(
        start(library, "module.C_Initialize(None); module.C_Initialize(None)", LC_ALL="C", **variable)
    )
    assert errors.startswith(f"cardtwin: {message}")
    assert errors.count("\n") == 1


def test_a_lost_server_sends_no_signal(library: Path, lonely_server: subprocess.Popen[str]) -> None:
    """SIGPIPE would end a program that doesn't expect it."""
    path = line(lonely_server)
    client = start(
        library,
        """
        import signal
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        print(module.C_Initialize(None), sign(), flush=True)
        sys.stdin.readline()
        print(sign(bytes(1000000)), sign())
        """,
        CARDTWIN_SOCKET=path,
    )
    assert line(client) == "0 True"
    lonely_server.kill()
    lonely_server.wait()
    tell(client)
    finished(client)


GREETED = (9).to_bytes(4, "little") + bytes(9)


def framed(body: bytes) -> bytes:
    return len(body).to_bytes(4, "little") + body


class Liar:
    """A server that greets, initialises, and then answers each call with the next of its lies."""

    def __init__(self, folder: Path) -> None:
        self.answer = b""
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / "s"))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return

            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            while body := connection.recv(1 << 16):
                local = body[4:12] == b"cardtwin" or int.from_bytes(body[4:6], "little") < 2
                connection.sendall(GREETED if local else self.answer)

                if not local:
                    return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def liar(monkeypatch: pytest.MonkeyPatch, bare: Module) -> Iterator[Liar]:
    with private_directory() as folder:
        liar = Liar(folder)
        monkeypatch.setenv("CARDTWIN_SOCKET", str(folder / "s"))
        assert bare.C_Initialize(None) == 0
        yield liar
        liar.close()


def length(value: int = 0) -> ctypes.Array[ctypes.c_ulong]:
    """Return a CK_ULONG with a pointer to it."""
    return (ctypes.c_ulong * 1)(value)


def calls(module: Module) -> list[int]:
    """Call a function with each kind of result, with room and without; return the return values."""
    attributes = queries((0, 4), (1, None), (2, 0))
    return [
        module.C_GetInfo(room(88)),
        module.C_GetTokenInfo(1, room(208)),
        module.C_GetSlotList(0, ulongs(2), length(2)),
        module.C_GetSlotList(0, None, length(2)),
        module.C_FindObjects(1, ulongs(2), 2, length()),
        module.C_Sign(1, b"x", 1, room(4), length(4)),
        module.C_Sign(1, b"x", 1, None, length(4)),
        module.C_Sign(1, b"x", 1, None, None),
        module.C_OpenSession(1, 4, None, None, length()),
        module.C_OpenSession(1, 4, None, None, None),
        module.C_GetInfo(None),
        module.C_GetAttributeValue(1, 1, attributes, 3),
        module.C_GetAttributeValue(1, 1, None, 0),
        module.C_GenerateRandom(1, room(4), 4),
        module.C_CreateObject(1, template((0, b"x")), 1, length()),
        module.C_Logout(1),
    ]


lies = st.one_of(
    st.binary(max_size=40),
    st.binary(max_size=300).map(lambda body: framed(bytes(8) + b"\1" + body)),
    st.lists(st.sampled_from([0, 1, 2, 3, 4, 5, 2**63, 2**64 - 1]), max_size=12).map(
        lambda numbers: framed(
            bytes(8) + b"\1" + b"\1".join(number.to_bytes(8, "little") for number in numbers)
        )
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15 if SANITIZED else 40)
@given(lie=lies)
@example(lie=b"")
@example(lie=(2**32 - 1).to_bytes(4, "little"))
@example(lie=framed(bytes(8)))
@example(lie=framed(bytes(9)) + b"more")
@example(lie=framed(bytes(8) + b"\1" + (2**64 - 1).to_bytes(8, "little") + b"\1"))
def test_no_answer_of_a_server_does_harm(bare: Module, liar: Liar, lie: bytes) -> None:
    liar.answer = lie
    assert all(rv >= 0 for rv in calls(bare))


def test_an_answer_that_is_none_is_a_device_error(bare: Module, liar: Liar) -> None:
    for lie in (b"", b"\1", framed(b"short"), framed(bytes(8) + b"\1" + bytes(5)), framed(bytes(12))):
        liar.answer = lie
        assert set(calls(bare)) <= {Ckr.CKR_DEVICE_ERROR}


def results(*parts: int | bytes) -> bytes:
    """Return an answer with CKR_OK and results."""
    body = b"".join(part if isinstance(part, bytes) else part.to_bytes(8, "little") for part in parts)
    return framed(bytes(8) + b"\1" + body)


def test_an_answer_longer_than_the_room_is_a_device_error_and_written_nowhere(
    bare: Module, liar: Liar
) -> None:
    buffer, numbers, count = room(8), ulongs(3), length(4)
    liar.answer = results(5, b"\1", b"12345")
    assert bare.C_Sign(1, b"x", 1, buffer, count) == Ckr.CKR_DEVICE_ERROR
    assert (buffer.raw, count[0]) == (b"\xa5" * 8, 4)

    liar.answer = results(5, b"12345")
    assert bare.C_GenerateRandom(1, buffer, 4) == Ckr.CKR_DEVICE_ERROR
    assert buffer.raw == b"\xa5" * 8

    count = length(2)
    liar.answer = results(3, b"\1", 1, 2, 3)
    assert bare.C_GetSlotList(0, numbers, count) == Ckr.CKR_DEVICE_ERROR
    liar.answer = results(3, 1, 2, 3)
    assert bare.C_FindObjects(1, numbers, 2, count) == Ckr.CKR_DEVICE_ERROR
    assert (list(numbers), count[0]) == ([0, 0, 0], 2)

    asked = queries((0, 4))
    liar.answer = results(1, 5, b"\1", b"12345")
    assert bare.C_GetAttributeValue(1, 1, asked, 1) == Ckr.CKR_DEVICE_ERROR
    assert (value_of(asked[0]), asked[0].length) == (b"\xa5" * 4, 4)

    liar.answer = results(2, 1, b"\1", b"1", 1, b"\1", b"1")
    assert bare.C_GetAttributeValue(1, 1, asked, 1) == Ckr.CKR_DEVICE_ERROR


def test_a_result_that_has_no_place_is_a_device_error(bare: Module, liar: Liar) -> None:
    liar.answer = results(1)
    assert bare.C_OpenSession(1, 4, None, None, None) == Ckr.CKR_DEVICE_ERROR
    liar.answer = results(bytes(88))
    assert bare.C_GetInfo(None) == Ckr.CKR_DEVICE_ERROR
    liar.answer = results(1, b"\1", b"1")
    assert bare.C_Sign(1, b"x", 1, None, length(1)) == Ckr.CKR_DEVICE_ERROR
    liar.answer = results(1, b"\0")
    assert bare.C_Sign(1, b"x", 1, None, None) == Ckr.CKR_DEVICE_ERROR
