"""A client of pcsc-lite's protocol for tests, written from the C structures' sizes, apart from the server."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Any, Self

from cardtwin.events import Event, Hub
from cardtwin.readers import ReaderManager
from cardtwin.readers.pcsclite import PcscLiteServer
from support.cards import ScriptedCard

if TYPE_CHECKING:
    from pathlib import Path

READERS = 16
READER_SIZE = 184

SUCCESS = 0
CANCELLED = 0x80100002
INVALID_HANDLE = 0x80100003
INSUFFICIENT_BUFFER = 0x80100008
UNKNOWN_READER = 0x80100009
SHARING_VIOLATION = 0x8010000B
NO_SMARTCARD = 0x8010000C
PROTOCOL_MISMATCH = 0x8010000F
INVALID_VALUE = 0x80100011
NOT_TRANSACTED = 0x80100016
SERVICE_STOPPED = 0x8010001E
UNSUPPORTED = 0x8010001F
UNPOWERED = 0x80100067
RESET = 0x80100068
REMOVED = 0x80100069


class RawClient:
    """Speaks the protocol byte by byte. `call` sends a command and reads its answer."""

    def __init__(self, path: Path, *, minor: int = 4, greet: bool = True) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(str(path))

        if greet:
            assert self.call(0x11, "iiI", 4, minor, 0) == (4, minor, SUCCESS)

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
        assert result == SUCCESS
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
        return result, self.read(length) if result == SUCCESS else b""

    def states(self) -> list[tuple[str, int, int, int, bytes, int]]:
        """Return name, counter, bits, sharing, ATR, protocol of each reader."""
        self.ask(0x12)
        return self.read_states()

    def read_states(self, size: int = READERS) -> list[tuple[str, int, int, int, bytes, int]]:
        raw = self.read(size * READER_SIZE)
        states = []

        for at in range(0, len(raw), READER_SIZE):
            name, counter, bits, sharing, atr, length, protocol = struct.unpack(
                "=128sIIi33s3xII", raw[at : at + READER_SIZE]
            )

            if name.strip(b"\0"):
                text = name.split(b"\0")[0].decode()
                states.append((text, counter, bits, sharing, atr[:length], protocol))

        return states


class World:
    """A manager with one card in reader R1, on a socket."""

    def __init__(self, folder: Path) -> None:
        self.hub = Hub()
        self.events: list[Event] = []
        self.hub.subscribe(self.events.append)
        self.card = ScriptedCard()
        self.manager = ReaderManager(self.hub)
        self.manager.add_reader("R1")
        self.manager.insert("R1", self.card)
        self.server = PcscLiteServer(self.manager, folder / "pcscd")
        self.clients: list[RawClient] = []

    def client(self, minor: int = 4) -> RawClient:
        self.clients.append(RawClient(self.server.path, minor=minor))
        return self.clients[-1]

    def close_clients(self) -> None:
        for client in self.clients:
            client.socket.close()

    def connected(self) -> tuple[RawClient, int]:
        client = self.client()
        handle, _, result = client.connect(client.establish())
        assert result == SUCCESS
        return client, handle
