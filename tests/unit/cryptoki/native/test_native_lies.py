"""Servers that answer what is no answer: the library writes nothing that it has no room for."""

from __future__ import annotations

import ctypes
import socket
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cardtwin.middleware import Ckr
from cardtwin.sockets import private_directory
from support.cryptoki import many
from support.pkcs11_module import queries, room, template, ulongs, value_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.pkcs11_module import Module

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


@many
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
