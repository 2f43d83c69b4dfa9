"""From C_Initialize to C_Finalize, and what is said before and after."""

from __future__ import annotations

import ctypes
import os
import socket
from typing import TYPE_CHECKING

import pytest

from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.functions import STANDARD
from cardtwin.cryptoki.server import CryptokiServer
from cardtwin.middleware import Ckr
from cardtwin.sockets import private_directory
from support.cryptoki import served, with_function
from support.pkcs11_module import CkInitializeArgs, CkInterface, CkVersion, room, ulong
from support.threads import BOUND, in_thread, joined

if TYPE_CHECKING:
    from pathlib import Path

    from support.cryptoki import Served
    from support.pkcs11_module import Module

OK = Ckr.CKR_OK
POINTER = 0x1000


def carried(module: Module) -> dict[str, int]:
    """Call every function with zeros and NULLs; return what each returned."""
    return {
        function.name: getattr(module, function.name)(*(0 for _ in _arguments(module, function.name)))
        for function in STANDARD
        if not function.local
    }


def _arguments(module: Module, name: str) -> list[object]:
    types: list[object] = getattr(module, name).argtypes
    return types


def test_every_function_is_refused_before_c_initialize(bare: Module) -> None:
    assert set(carried(bare).values()) == {Ckr.CKR_CRYPTOKI_NOT_INITIALIZED}
    assert bare.C_Finalize(None) == Ckr.CKR_CRYPTOKI_NOT_INITIALIZED


def test_every_function_is_refused_after_c_finalize(module: Module) -> None:
    assert module.C_Finalize(None) == OK
    assert set(carried(module).values()) == {Ckr.CKR_CRYPTOKI_NOT_INITIALIZED}


def test_every_function_reaches_the_server(module: Module) -> None:
    assert set(carried(module).values()) <= {
        OK,
        Ckr.CKR_ARGUMENTS_BAD,
        Ckr.CKR_FUNCTION_NOT_SUPPORTED,
        Ckr.CKR_GENERAL_ERROR,
        Ckr.CKR_SLOT_ID_INVALID,
    }
    assert module.C_Logout(1) == Ckr.CKR_FUNCTION_NOT_SUPPORTED


def test_a_second_c_initialize_is_refused_and_changes_nothing(module: Module, token: Served) -> None:
    assert module.C_Initialize(None) == Ckr.CKR_CRYPTOKI_ALREADY_INITIALIZED
    assert len(token.programs) == 1
    assert module.C_GetInfo(room(88)) == OK


def test_c_initialize_after_c_finalize_begins_a_new_application(module: Module, token: Served) -> None:
    assert module.C_Finalize(None) == OK
    assert token.program.closed.is_set()
    assert module.C_Initialize(None) == OK
    assert len(token.programs) == 2
    assert not token.program.closed.is_set()


@pytest.mark.parametrize(
    ("functions", "flags", "reserved", "expected"),
    [
        ((0, 0, 0, 0), 0, 0, OK),
        ((0, 0, 0, 0), 2, 0, OK),
        ((0, 0, 0, 0), 3, 0, OK),
        ((POINTER,) * 4, 0, 0, OK),
        ((POINTER,) * 4, 2, 0, OK),
        ((POINTER, 0, 0, 0), 2, 0, Ckr.CKR_ARGUMENTS_BAD),
        ((POINTER, POINTER, POINTER, 0), 0, 0, Ckr.CKR_ARGUMENTS_BAD),
        ((0, 0, 0, 0), 2, POINTER, Ckr.CKR_ARGUMENTS_BAD),
    ],
)
def test_the_arguments_of_c_initialize_are_held_to_the_standard(
    token: Served, bare: Module, functions: tuple[int, ...], flags: int, reserved: int, expected: Ckr
) -> None:
    arguments = CkInitializeArgs(*functions, flags, reserved)

    assert bare.C_Initialize(ctypes.byref(arguments)) == expected
    assert bool(token.programs) == (expected is OK)


def test_a_reserved_pointer_of_c_finalize_is_refused(module: Module) -> None:
    assert module.C_Finalize(POINTER) == Ckr.CKR_ARGUMENTS_BAD
    assert module.C_GetInfo(room(88)) == OK


def test_c_initialize_returns_what_the_server_says(bare: Module, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise CryptokiError(Ckr.CKR_HOST_MEMORY)

    with private_directory() as folder, CryptokiServer(folder / "s", refuse) as server:  # type: ignore[arg-type]
        monkeypatch.setenv("CARDTWIN_SOCKET", str(server.path))
        assert bare.C_Initialize(None) == Ckr.CKR_HOST_MEMORY
        assert bare.C_GetInfo(room(88)) == Ckr.CKR_CRYPTOKI_NOT_INITIALIZED


def test_a_program_is_known_by_its_process_and_executable(module: Module, token: Served) -> None:
    executable = os.path.basename(os.readlink("/proc/self/exe"))  # the kernel's own text

    assert token.program.client.pid == os.getpid()
    assert token.program.client.program == executable


def test_a_program_goes_by_the_name_it_is_told_to(bare: Module, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(program="java.exe") as token:
        monkeypatch.setenv("CARDTWIN_SOCKET", str(token.server.path))
        assert bare.C_Initialize(None) == OK
        assert token.program.client.program == "java.exe"
        assert bare.C_Finalize(None) == OK


def test_a_socket_that_is_not_there_is_a_device_error(
    bare: Module, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CARDTWIN_SOCKET", raising=False)
    assert bare.C_Initialize(None) == Ckr.CKR_DEVICE_ERROR
    monkeypatch.setenv("CARDTWIN_SOCKET", "x" * 200)
    assert bare.C_Initialize(None) == Ckr.CKR_DEVICE_ERROR

    with private_directory() as folder:
        monkeypatch.setenv("CARDTWIN_SOCKET", str(folder / "nobody"))
        assert bare.C_Initialize(None) == Ckr.CKR_DEVICE_ERROR


def test_a_library_of_another_table_is_refused(
    bare: Module, token: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cardtwin.cryptoki.wire.frames.sum_of_table", lambda: 1)

    assert bare.C_Initialize(None) == Ckr.CKR_DEVICE_ERROR
    assert not token.programs


def test_the_list_of_functions_is_that_of_2_40(bare: Module) -> None:
    place = ctypes.c_void_p()

    assert bare.C_GetFunctionList(None) == Ckr.CKR_ARGUMENTS_BAD
    assert bare.C_GetFunctionList(ctypes.byref(place)) == OK
    assert place.value is not None
    assert CkVersion.from_address(place.value).major == 2
    assert CkVersion.from_address(place.value).minor == 40

    entries = (ctypes.c_void_p * len(STANDARD)).from_address(place.value + 8)

    for entry, function in zip(entries, STANDARD, strict=True):
        assert entry == ctypes.cast(getattr(bare, function.name), ctypes.c_void_p).value, function.name


def test_the_interfaces_are_pkcs11_and_ours(bare: Module) -> None:
    count = ulong()
    assert bare.C_GetInterfaceList(None, None) == Ckr.CKR_ARGUMENTS_BAD
    assert bare.C_GetInterfaceList(None, ctypes.byref(count)) == OK
    assert count.value == 2

    interfaces = (CkInterface * 2)()
    count.value = 1
    assert bare.C_GetInterfaceList(interfaces, ctypes.byref(count)) == Ckr.CKR_BUFFER_TOO_SMALL
    assert count.value == 2
    assert bare.C_GetInterfaceList(interfaces, ctypes.byref(count)) == OK
    assert [each.name for each in interfaces] == [b"PKCS 11", b"Vendor cardtwin"]
    assert [each.flags for each in interfaces] == [0, 0]


@pytest.mark.parametrize(
    ("name", "version", "flags", "found"),
    [
        (None, None, 0, b"PKCS 11"),
        (b"PKCS 11", None, 0, b"PKCS 11"),
        (b"PKCS 11", (2, 40), 0, b"PKCS 11"),
        (b"Vendor cardtwin", (1, 0), 0, b"Vendor cardtwin"),
        (b"PKCS 11", (3, 0), 0, None),
        (b"Vendor other", None, 0, None),
        (None, None, 1, None),
    ],
)
def test_an_interface_is_found_by_name_version_and_flags(
    bare: Module, name: bytes | None, version: tuple[int, int] | None, flags: int, found: bytes | None
) -> None:
    place = ctypes.POINTER(CkInterface)()
    wanted = ctypes.byref(CkVersion(*version)) if version else None
    rv = bare.C_GetInterface(name, wanted, ctypes.byref(place), ctypes.c_ulong(flags))

    assert rv == (OK if found else Ckr.CKR_FUNCTION_FAILED)
    assert (place.contents.name if rv == OK else None) == found


def test_the_list_of_our_interface_holds_our_functions(bare: Module) -> None:
    place = ctypes.POINTER(CkInterface)()
    assert bare.C_GetInterface(b"Vendor cardtwin", None, ctypes.byref(place), ctypes.c_ulong(0)) == OK
    entries = (ctypes.c_void_p * 4).from_address(place.contents.functions + 8)
    names = ("InitTokenPPA", "GetProperty", "UnblockPIN", "LoginOperator")
    assert [*entries] == [
        ctypes.cast(getattr(bare, f"cardtwin_{name}"), ctypes.c_void_p).value for name in names
    ]


def test_waiting_for_a_slot_event_ends_with_c_finalize(module: Module, token: Served) -> None:
    returned: list[int] = []
    slot = ulong()
    thread = in_thread(lambda: returned.append(module.C_WaitForSlotEvent(0, ctypes.byref(slot), None)))
    assert token.program.waiting.wait(BOUND)
    assert module.C_GetInfo(room(88)) == OK
    assert module.C_Finalize(None) == OK
    joined(thread)
    assert returned == [Ckr.CKR_CRYPTOKI_NOT_INITIALIZED]


def test_a_server_that_does_not_end_the_wait_does_not_keep_c_finalize_from_it(
    bare: Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to C_Finalize is enough: the library lets its own threads go."""
    returned: list[int] = []

    with private_directory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "s"))
        listener.listen()
        monkeypatch.setenv("CARDTWIN_SOCKET", str(folder / "s"))
        answer = (9).to_bytes(4, "little") + bytes(9)
        initializing = in_thread(lambda: returned.append(bare.C_Initialize(None)))
        control, _ = listener.accept()

        with control:
            _answered(control, answer, 2)
            joined(initializing)
            waiting = in_thread(
                lambda: returned.append(bare.C_WaitForSlotEvent(0, ctypes.byref(ulong()), None))
            )
            silent, _ = listener.accept()

            with silent:
                _answered(silent, answer, 1)
                assert silent.recv(100)
                finalizing = in_thread(lambda: returned.append(bare.C_Finalize(None)))
                _answered(control, answer, 1)
                joined(finalizing)
                joined(waiting)

    assert sorted(returned) == [OK, OK, Ckr.CKR_CRYPTOKI_NOT_INITIALIZED]


def _answered(connection: socket.socket, answer: bytes, times: int) -> None:
    for _ in range(times):
        assert connection.recv(100)
        connection.sendall(answer)


def test_not_waiting_for_a_slot_event_is_answered_at_once(module: Module) -> None:
    assert module.C_WaitForSlotEvent(1, ctypes.byref(ulong()), None) == Ckr.CKR_NO_EVENT
    assert module.C_WaitForSlotEvent(1, None, None) == Ckr.CKR_ARGUMENTS_BAD
    assert module.C_WaitForSlotEvent(1, ctypes.byref(ulong()), POINTER) == Ckr.CKR_ARGUMENTS_BAD


def test_a_bug_in_a_function_is_a_general_error_and_is_told(
    module: Module, caplog: pytest.LogCaptureFixture
) -> None:
    assert module.C_SeedRandom(1, b"x", 1) == Ckr.CKR_GENERAL_ERROR
    assert "C_SeedRandom failed by a bug of cardtwin" in caplog.text
    assert module.C_GetInfo(room(88)) == OK


def test_what_has_no_function_is_not_supported(bare: Module, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(functions=with_function("C_Logout", lambda program, session: None)) as token:
        monkeypatch.setenv("CARDTWIN_SOCKET", str(token.server.path))
        assert bare.C_Initialize(None) == OK
        assert bare.C_Logout(1) == OK
        assert bare.C_GetInfo(room(88)) == Ckr.CKR_FUNCTION_NOT_SUPPORTED
        assert bare.C_Finalize(None) == OK
