"""What a card's answers depend on, as far as a trace shows it: a state that commands lead to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from cardtwin.comparing import VOLATILE
from cardtwin.decode import Decoder, Effect
from cardtwin.iso7816 import ApduFormatError, CommandApdu

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.decode import Decoded
    from cardtwin.trace import MaskedExchange

__all__ = ["CardState", "TracedCommand", "Tracer", "is_get_response"]

HIDDEN: Final = "**"
_DONE: Final = ("90", "61", "62")
_WAITING: Final = ("61", "9F")
_WRONG_LE: Final = "6C"
_GET_RESPONSE: Final = "C0"
_CHANGES: Final = Effect.WRITES | Effect.DESTROYS | Effect.IRREVERSIBLE | Effect.UNKNOWN
_SELECT: Final = 0xA4
_BINARY, _RECORD = {0xB0, 0xD6}, {0xB2, 0xDC}
_BY_NAME, _FROM_MF = 0x04, 0x08
_MF: Final = bytes.fromhex("3F00")
_KEPT: Final = 8
"""How many steps to the current file count; a card has no deeper files."""

_HEADER: Final = 11
"""Of a command in hex, the characters of CLA, INS, P1 and P2."""


@dataclass(frozen=True, slots=True)
class TracedCommand:
    """An exchange of a trace, and what its command does.

    Attributes:
        exchange: The exchange.
        decoded: The command, hidden bytes taken as zero.
    """

    exchange: MaskedExchange
    decoded: Decoded

    @property
    def done(self) -> bool:
        """Whether the card did it."""
        return self.exchange.response[-5:-3] in _DONE

    @property
    def waits(self) -> bool:
        """Whether GET RESPONSE may follow, which belongs to it."""
        return self.exchange.response[-5:-3] in _WAITING

    @property
    def linked(self) -> bool:
        """Whether more of a chain follows, which belongs to it."""
        apdu = self.apdu
        return apdu is not None and apdu.chained

    @property
    def has_wrong_le(self) -> bool:
        """Whether nothing was done, since the answer has another length (ISO/IEC 7816-3:2006, 12.2.2)."""
        return self.exchange.response[-5:-3] == _WRONG_LE

    @property
    def fetches(self) -> bool:
        """Whether it is GET RESPONSE."""
        return is_get_response(self.exchange.command)

    @property
    def in_turn(self) -> bool:
        """Whether it is answered anew each time, whatever the card's state is."""
        reads = not self.decoded.effect & ~Effect.READS
        return reads and self.exchange.meaning.startswith(tuple(VOLATILE))

    @property
    def anywhere(self) -> bool:
        """Whether it selects what it selects from everywhere."""
        apdu = self.apdu
        return apdu is not None and apdu.ins == _SELECT and _is_whole(apdu)

    @property
    def apdu(self) -> CommandApdu | None:
        """The command, hidden bytes zero; None if it is none."""
        try:
            return CommandApdu.parse(_unhidden(self.exchange.command))
        except ApduFormatError:
            return None


class Scope(Enum):
    """On what an answer depends."""

    STATE = "on the state"
    CHANGES = "on what has changed on the card"
    TURN = "on nothing: answers come in their order"


class Tracer:
    """Reads the exchanges of one card in their order."""

    def __init__(self) -> None:
        self._decoder = Decoder()

    def reset(self) -> None:
        """The card was reset."""
        self._decoder.reset()

    def read(self, exchange: MaskedExchange) -> TracedCommand:
        """Read the next one."""
        return TracedCommand(exchange, self._decoder.command(_unhidden(exchange.command)))


@dataclass(frozen=True, slots=True)
class CardState:
    """What came before, as far as answers may depend on it. Equal ones are one state.

    Attributes:
        selected: What leads to the current file, from the last SELECT on that depends on none before it.
        environment: Verified PINs, security environments and the like, by the commands' headers: what was
            sent and answered last. A reset clears it.
        tries: Wrong PINs by the commands' headers: the last answer.
        changes: The commands that have changed what the card keeps, in their order: a digest, for there may
            be many. Empty where there are none.
        pending: The commands before to which the next one belongs, if it is more of their chain, or GET
            RESPONSE: a digest.
        linked: Whether they are pieces of a chain.
        scope: On what their answers depend.
    """

    selected: tuple[str, ...] = ()
    environment: frozenset[tuple[str, str]] = frozenset()
    tries: frozenset[tuple[str, str]] = frozenset()
    changes: bytes = b""
    pending: bytes = b""
    linked: bool = False
    scope: Scope = Scope.STATE

    def before(self, command: str) -> CardState:
        """Return the state for a command: what waits for GET RESPONSE is gone with any other one."""
        if self.linked or not self.pending:
            return self

        if not is_get_response(command):
            return replace(self, pending=b"", scope=Scope.STATE)

        match self.scope:
            case Scope.TURN:
                return CardState(pending=self.pending, scope=self.scope)
            case Scope.CHANGES:
                return self.anywhere
            case _:
                return self

    @property
    def loose(self) -> CardState:
        """The same where of the way to the current file only the last step counts."""
        return replace(self, selected=self.selected[-1:])

    @property
    def anywhere(self) -> CardState:
        """The same where neither the current file counts nor what a reset clears."""
        return CardState(changes=self.changes, pending=self.pending, linked=self.linked, scope=self.scope)

    def reset(self) -> CardState:
        """Return the state after a reset."""
        return CardState(tries=self.tries, changes=self.changes)

    def after(self, traced: TracedCommand) -> CardState:
        """Return the state after a command."""
        exchange, effect = traced.exchange, traced.decoded.effect
        state = self._followed(traced)
        header = exchange.command[:_HEADER]

        if Effect.SPENDS_TRIES in effect:
            state = _with_tries(state, traced, header)
        elif effect & _CHANGES and traced.done:
            state = replace(state, changes=_changed(self.changes, exchange.command))
        elif effect & Effect.SELECTS and traced.done and not _is_select(traced):
            state = replace(state, environment=_set(self.environment, header, exchange.command))

        return replace(state, selected=_selected(self.selected, traced)) if traced.done else state

    def _followed(self, traced: TracedCommand) -> CardState:
        """Return the state with what may belong to a command."""
        if traced.has_wrong_le and traced.fetches:
            return self

        belongs = self.linked or traced.fetches
        before = self.pending if belongs else b""

        if not traced.waits and not traced.linked:
            return replace(self, pending=b"", linked=False, scope=Scope.STATE)

        scope = Scope.TURN if traced.in_turn else Scope.CHANGES if traced.anywhere else Scope.STATE
        which = f" {id(traced.exchange)}" if traced.in_turn else ""  # what is new each time goes together
        return replace(
            self,
            pending=_changed(before, f"{traced.exchange.command}{which}"),
            linked=traced.linked,
            scope=self.scope if traced.fetches else scope,
        )


def _with_tries(state: CardState, traced: TracedCommand, header: str) -> CardState:
    """Return the state after a PIN, which may have been wrong, or after something else that takes tries."""
    command, response = traced.exchange.command, traced.exchange.response
    changes = traced.done and traced.decoded.effect & _CHANGES
    return replace(
        state,
        tries=_set(state.tries, header, "" if traced.done else response),
        environment=_set(state.environment, header, f"{command} {response}"),
        changes=_changed(state.changes, command) if changes else state.changes,
    )


def _changed(before: bytes, command: str) -> bytes:
    return sha256(before + command.encode()).digest()


def _set(pairs: frozenset[tuple[str, str]], key: str, value: str) -> frozenset[tuple[str, str]]:
    """Return pairs with another value for a key; an empty one takes it away."""
    found: Mapping[str, str] = {**dict(pairs), key: value}
    return frozenset((name, each) for name, each in found.items() if each)


def _is_select(traced: TracedCommand) -> bool:
    apdu = traced.apdu
    return apdu is not None and apdu.ins == _SELECT


def _selected(before: tuple[str, ...], traced: TracedCommand) -> tuple[str, ...]:
    """Return the way to the current file after a command that the card did (ISO/IEC 7816-4:2020, 11.2)."""
    apdu = traced.apdu

    if apdu is None:
        return before

    if apdu.ins == _SELECT:
        step = f"{apdu.p1:02X} {apdu.data.hex().upper()}"
        return (step,) if _is_whole(apdu) else (*before, step)[-_KEPT:]

    if apdu.ins in _BINARY and apdu.p1 & 0x80:
        return (*before, f"SFI {apdu.p1 & 0x1F}")[-_KEPT:]

    if apdu.ins in _RECORD and apdu.p2 >> 3:
        return (*before, f"SFI {apdu.p2 >> 3}")[-_KEPT:]

    return before


def _is_whole(apdu: CommandApdu) -> bool:
    """Whether a SELECT names the whole way to a file: by name, by a path from the MF, or the MF."""
    return apdu.p1 in {_BY_NAME, _FROM_MF} or (apdu.p1 == 0 and apdu.data in {b"", _MF})


def is_get_response(command: str) -> bool:
    """Whether a command, in hex, fetches what waits (ISO/IEC 7816-4:2020, 11.10.1)."""
    return command[3:5] == _GET_RESPONSE


def _unhidden(command: str) -> bytes:
    return bytes.fromhex(command.replace(HIDDEN, "00"))
