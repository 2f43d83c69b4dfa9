"""A client of pcsc-lite's protocol for tests, written from the C structures' sizes, apart from the server."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path

READERS = 16
READER_SIZE = 184
OK = 0


class RawClient:
    """Speaks the protocol byte by byte. `call` sends a command and reads its answer."""

    def __init__(self, path: Path, *, greet: bool = True) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(str(path))

        if greet:
            assert self.call(0x11, "iiI", 4, 4, 0) == (4, 4, OK)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read(self, size: int) -> bytes:
        data = b""

        while len(data) < size:
            more = self.socket.recv(size - len(data))

            if not more:
                raise EOFError(f"closed after {len(data)} of {size} bytes")

            data += more

        return data

    def ask(self, command: int, body: bytes = b"", data: bytes = b"") -> None:
        self.send(struct.pack("=II", len(body), command) + body + data)

    def call(self, command: int, layout: str, *fields: Any, data: bytes = b"") -> tuple[Any, ...]:
        body = struct.pack("=" + layout, *fields)
        self.ask(command, body, data)
        return struct.unpack("=" + layout, self.read(len(body)))

    @property
    def closed(self) -> bool:
        """Whether the server closes the session, be it after what it still had to say."""
        try:
            while self.socket.recv(4096):
                pass
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

        return True

    # The functions, by their results

    def establish(self) -> int:
        _, context, result = self.call(0x01, "III", 2, 0, 0)
        assert result == OK
        return int(context)

    def connect(
        self, context: int, reader: str = "R1", share: int = 2, protocols: int = 3
    ) -> tuple[int, int, int]:
        """Return handle, protocol, result."""
        answer = self.call(0x04, "I128sIIiII", context, reader.encode(), share, protocols, 7, 7, 0)
        return answer[4], answer[5], answer[6]

    def transmit(
        self, card: int, command: bytes, *, protocol: int = 1, room: int = 65548
    ) -> tuple[int, bytes]:
        answer = self.call(
            0x09, "iIIIIIII", card, protocol, 16, len(command), protocol, 16, room, 0, data=command
        )
        length, result = answer[6], answer[7]
        return result, self.read(length) if result == OK else b""

    def states(self) -> list[tuple[str, int, int, int, bytes, int]]:
        """Return name, counter, bits, sharing, ATR, protocol of each reader."""
        self.ask(0x12)
        return self.read_states()

    def read_states(self) -> list[tuple[str, int, int, int, bytes, int]]:
        raw = self.read(READERS * READER_SIZE)
        states = []

        for at in range(0, len(raw), READER_SIZE):
            name, counter, bits, sharing, atr, length, protocol = struct.unpack(
                "=128sIIi33s3xII", raw[at : at + READER_SIZE]
            )

            if name.strip(b"\0"):
                text = name.split(b"\0")[0].decode()
                states.append((text, counter, bits, sharing, atr[:length], protocol))

        return states
