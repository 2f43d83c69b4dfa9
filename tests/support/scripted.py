"""A card that answers by rote: drivers' commands are compared byte for byte."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from cardtwin.middleware.channel import Channel
from cardtwin.middleware.drivers.cardos_m4 import CardOs44
from cardtwin.pcsc import CardConnection, Disposition, PcscError, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from cardtwin.middleware.drivers import CardDriver

ATR_43B = bytes.fromhex("3BF2180002C10A31FE58C80874")
ATR_44 = bytes.fromhex("3BD21802C10A31FE58C80D51")
ATR_53 = bytes.fromhex("3BD218008131FE58C90316")
OTHER_ATR = bytes.fromhex("3B0200FF")


class Script(CardConnection):
    """A connection that expects commands in order and has an answer to each: hex, or an error."""

    def __init__(
        self, *script: tuple[str, str | PcscError], atr: bytes = ATR_44, max_data: int = 65535
    ) -> None:
        self._script = [(bytes.fromhex(command), answer) for command, answer in script]
        self._atr = atr
        self._max_data = max_data

    reader = "by rote"
    protocol = Protocol.T1

    @property
    def atr(self) -> bytes:
        return self._atr

    @property
    def max_command_data(self) -> int:
        return self._max_data

    def transmit(self, command: bytes) -> bytes:
        assert self._script, f"not expected: {command.hex()}"
        expected, answer = self._script.pop(0)
        assert command.hex(" ") == expected.hex(" ")

        if isinstance(answer, PcscError):
            raise answer

        return bytes.fromhex(answer)

    def done(self) -> None:
        assert not self._script, f"not sent: {self._script[0][0].hex()}"

    def transaction(self, disposition: Disposition = Disposition.LEAVE) -> AbstractContextManager[None]:
        assert disposition is Disposition.LEAVE
        return nullcontext()

    def reconnect(self, *_: object, **__: object) -> None:
        raise AssertionError("no driver reconnects")

    def disconnect(self, disposition: Disposition = Disposition.LEAVE) -> None:
        assert disposition is Disposition.LEAVE


def play(
    action: Callable[[CardDriver], object],
    script: Iterable[tuple[str, str | PcscError]],
    kind: type[CardDriver] = CardOs44,
    **connection: object,
) -> object:
    """Return what an action comes to on a card that expects exactly this script."""
    card = Script(*script, **connection)  # type: ignore[arg-type]
    result = action(kind(Channel(card)))
    card.done()
    return result


def done(*commands: str) -> list[tuple[str, str | PcscError]]:
    return [(command, "9000") for command in commands]
