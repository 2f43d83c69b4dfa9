"""The driver's side of vpcd: what the system's pcscd does with a card in one of its slots."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

OFF, ON, RESET, ASK = (bytes([control]) for control in (0, 1, 2, 4))
BOUND = 20


class Driver:
    """The driver's side of one slot."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.connection = self.accept()

    def accept(self) -> socket.socket:
        connection, _ = self.listener.accept()
        connection.settimeout(BOUND)
        return connection

    def again(self) -> None:
        """Take the card for removed, and for inserted when it comes back."""
        self.close()
        self.connection = self.accept()

    def close(self) -> None:
        self.connection.close()

    def send(self, message: bytes) -> None:
        self.connection.sendall(len(message).to_bytes(2) + message)

    def ask(self, message: bytes) -> bytes:
        self.send(message)
        return self.answer()

    def answer(self) -> bytes:
        return self._exactly(int.from_bytes(self._exactly(2)))

    def _exactly(self, count: int) -> bytes:
        collected = b""

        while len(collected) < count:
            data = self.connection.recv(count - len(collected))

            if not data:
                raise EOFError

            collected += data

        return collected
