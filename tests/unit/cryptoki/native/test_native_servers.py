"""Servers that are not there, die, come back or hang."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cardtwin.middleware import Ckr
from support.native_programs import environment, finished, line, start, tell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.cryptoki import Served

SERVER = """
import sys
from support.cryptoki import *
with served() as token:
    print(token.server.path, flush=True)
    sys.stdin.read()
"""


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


def test_the_server_is_the_one_of_c_initialize_whatever_the_environment_says_later(
    library: Path, token: Served
) -> None:
    client = start(
        library,
        """
        here = os.environ["CARDTWIN_SOCKET"]
        began = module.C_Initialize(None)
        os.environ["CARDTWIN_SOCKET"] = "/nowhere"
        print(began, sign(), module.C_Finalize(None), module.C_Initialize(None), flush=True)
        os.environ["CARDTWIN_SOCKET"] = here
        print(module.C_Initialize(None), sign())
        """,
        CARDTWIN_SOCKET=str(token.server.path),
    )
    assert finished(client)[0].split() == ["0", "True", "0", str(int(Ckr.CKR_DEVICE_ERROR)), "0", "True"]


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
