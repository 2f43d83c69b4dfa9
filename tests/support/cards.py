"""Cards for tests of what is above a card: they answer by rote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.pcsc import CardMuteError, Protocol, ProtocolMismatchError

if TYPE_CHECKING:
    from collections.abc import Callable

OK = b"\x90\x00"
LOGIN = bytes.fromhex("0020008104 31323334")
WHO_AM_I = bytes.fromhex("8000000000")
ATR = bytes.fromhex("3BD21802C10A31FE58C80D51")


class ScriptedCard:
    """Answers 9000 to everything, unless told otherwise; notes what comes.

    LOGIN sets its security status, a reset takes it away; WHO_AM_I answers 01 9000 with it, 00 9000 without.
    """

    def __init__(
        self,
        answer: Callable[[bytes], bytes] | None = None,
        *,
        atr: bytes = ATR,
        protocols: Protocol = Protocol.ANY,
        mute: bool = False,
    ) -> None:
        self.answer = answer or self.by_rote
        self.atr = atr
        self.protocols = protocols
        self.mute = mute
        self.log: list[bytes] = []
        self.powered_on_for: list[Protocol] = []
        self.powered = False
        self.logged_in = False
        self._protocol = Protocol.UNDEFINED

    @property
    def protocol(self) -> Protocol:
        return self._protocol

    def power_on(self, protocol: Protocol) -> bytes:
        self.powered_on_for.append(protocol)
        self.powered = self.logged_in = False

        if self.mute:
            raise CardMuteError

        common = protocol & self.protocols

        if not common:
            raise ProtocolMismatchError

        self._protocol = Protocol.T0 if Protocol.T0 in common else Protocol.T1
        self.powered = True
        return self.atr

    def process(self, command: bytes) -> bytes:
        assert self.powered, "a command to a card without power"

        if self.mute:
            raise CardMuteError

        self.log.append(command)
        return self.answer(command)

    def power_off(self) -> None:
        self.powered = self.logged_in = False

    def by_rote(self, command: bytes) -> bytes:
        if command == LOGIN:
            self.logged_in = True

        return bytes([self.logged_in]) + OK if command == WHO_AM_I else OK
