"""The way to a card that is only read: what is no reading command isn't sent, and what was said is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cardtwin.decode import HARMLESS, decode
from cardtwin.iso7816 import CommandApdu, ResponseApdu, StatusWord
from cardtwin.middleware.channel import Channel
from cardtwin.targets.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.pcsc import CardConnection

__all__ = ["Heard", "ReadingChannel"]

_SELECT, _READ_BINARY, _READ_RECORD, _DIRECTORY = 0xA4, 0xB0, 0xB2, 0x16
_GET_DATA, _GET_DATA_OBJECTS = 0xCA, 0xCB
_READING: Final = frozenset({_SELECT, _READ_BINARY, _READ_RECORD, _GET_DATA, _GET_DATA_OBJECTS, _DIRECTORY})
_VERIFY: Final = 0x20


class Heard(NamedTuple):
    """A command, and what the card answered."""

    command: CommandApdu
    response: ResponseApdu


class ReadingChannel(Channel):
    """A channel for SELECT, READ BINARY, READ RECORD, GET DATA and DIRECTORY alone.

    Attributes:
        heard: All commands and their responses, in order.
    """

    def __init__(
        self,
        connection: CardConnection,
        *,
        ask_tries: bool = False,
        may_send: Callable[[bytes], bool] = lambda _command: True,
    ) -> None:
        """Take the connection.

        Args:
            connection: To the card.
            ask_tries: Whether VERIFY without data is let through too, which asks for the tries left.
            may_send: Whether a reading command may be sent; else it is answered as by a card that lacks it.
        """
        super().__init__(connection)
        self.heard: list[Heard] = []
        self._ask_tries = ask_tries
        self._may_send = may_send

    def ask(self, header: str, data: bytes = b"", le: int | None = None) -> ResponseApdu:
        """Send a command and return the response, as Channel does.

        Raises:
            TargetError: It is no reading command; it was not sent.
        """
        cla, ins, p1, p2 = bytes.fromhex(header)
        command = CommandApdu(cla, ins, p1, p2, data, le)

        if not self._only_reads(command):
            raise TargetError(f"the command {header} is no reading one, and was not sent")

        if not self._may_send(command.encode()):
            return ResponseApdu(b"", StatusWord.INSTRUCTION_NOT_SUPPORTED)

        response = super().ask(header, data, le)
        self.heard.append(Heard(command, response))
        return response

    def _only_reads(self, command: CommandApdu) -> bool:
        if decode(command.encode()).effect & ~HARMLESS:
            return False

        return command.ins in _READING or (self._ask_tries and command.ins == _VERIFY and not command.data)
