"""Between the APDU and the command: chaining of commands and of responses, and the class byte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.card.chip.session import Chain
from cardtwin.card.commands.form import ANY, DONE, CommandForm, Outcome, Routes
from cardtwin.card.errors import Refusal
from cardtwin.card.memory.lifecycle import LIVING
from cardtwin.iso7816 import CommandApdu, StatusWord
from cardtwin.pcsc import Protocol
from cardtwin.provenance import Basis
from cardtwin.provenance.card import LONG_RESPONSE

if TYPE_CHECKING:
    from cardtwin.card.chip import Chip

__all__ = ["shortened", "unusual"]

_CHAINING: Final = 0x10
_PROPRIETARY: Final = 0x80
_SECURE_MESSAGING: Final = 0x0C
_CHANNEL: Final = 0x03
_GET_RESPONSE: Final = 0x00C0
_SHORT_LE: Final = 256


def unusual(chip: Chip, routes: Routes, apdu: CommandApdu) -> tuple[CommandForm, CommandApdu]:
    """Return the form of a command that isn't complete in itself, or is out of place, and the whole command.

    Comes in where a chain is in progress, where a response isn't wholly fetched, where CLA and INS aren't in
    the table, and where the lengths are extended ones. A link of a chain is answered by itself: its form does
    nothing.
    """
    session = chip.session
    rest, session.rest = session.rest, b""
    chain, session.chain = session.chain, None

    if apdu.cla << 8 | apdu.ins == _GET_RESPONSE and apdu.p1 == apdu.p2 == 0:
        return _get_response(rest), apdu

    links = apdu.cla & (_PROPRIETARY | _CHAINING) == _CHAINING and apdu.cla << 8 | apdu.ins not in routes
    whole = _with(apdu, apdu.data, cla=apdu.cla & ~_CHAINING) if links else apdu
    form = _form(routes, whole)

    if chain is not None:
        if chain.header != whole.header:
            raise Refusal(StatusWord.LAST_COMMAND_OF_CHAIN_EXPECTED)

        chain.data += apdu.data
        whole = _with(whole, bytes(chain.data))

    if len(whole.data) > chip.model.max_data or (apdu.extended and _speaks_t0(chip)):
        raise Refusal(StatusWord.WRONG_LENGTH)

    if not links:
        return form, whole

    if not form.chaining:
        raise Refusal(StatusWord.COMMAND_CHAINING_NOT_SUPPORTED)

    session.chain = chain or Chain(whole.header, bytearray(apdu.data))
    return _LINK, whole


def _with(apdu: CommandApdu, data: bytes, *, cla: int | None = None) -> CommandApdu:
    # Not dataclasses.replace(), which takes several times as long, for every link of every chain.
    cla = apdu.cla if cla is None else cla
    return CommandApdu(cla, apdu.ins, apdu.p1, apdu.p2, data, apdu.le, extended=apdu.extended)


def _form(routes: Routes, apdu: CommandApdu) -> CommandForm:
    route = routes.get(apdu.cla << 8 | apdu.ins)

    if route is None:
        raise Refusal(_unknown(routes, apdu))

    form = route.get(apdu.p1 << 8 | apdu.p2) or route.get(ANY)

    if form is None:
        raise Refusal(StatusWord.INCORRECT_P1_P2)

    return form


def _unknown(routes: Routes, apdu: CommandApdu) -> StatusWord:
    """Return what a command is answered whose CLA and INS aren't in the table."""
    if any(known >> 8 == apdu.cla for known in routes):
        return StatusWord.INSTRUCTION_NOT_SUPPORTED

    if apdu.cla & ~(_SECURE_MESSAGING | _CHANNEL) == 0:
        if apdu.cla & _SECURE_MESSAGING:
            return StatusWord.SECURE_MESSAGING_NOT_SUPPORTED

        if apdu.cla & _CHANNEL:
            return StatusWord.LOGICAL_CHANNEL_NOT_SUPPORTED

    # A card without file system knows fewer classes than it has; its instructions are what it lacks.
    if apdu.cla in {0x00, 0x80, 0x84, 0x90}:
        return StatusWord.INSTRUCTION_NOT_SUPPORTED

    return StatusWord.CLASS_NOT_SUPPORTED


def shortened(chip: Chip, apdu: CommandApdu, data: bytes, status: StatusWord) -> bytes:
    """Return a response whose data are longer than Le.

    Without Le nothing is sent (T=1, cases 1 and 3). In T=0 a command with data has no Le: all waits for
    GET RESPONSE. With a short Le the rest waits for it; with an extended one it's dropped (rule
    ``card.long-response``).
    """
    le = apdu.le

    if le is None and _speaks_t0(chip) and apdu.data and status is StatusWord.SUCCESS:
        chip.session.rest = data
        return _available(len(data)).to_bytes(2)

    if le is None:
        return status.to_bytes(2)

    if apdu.extended or status is not StatusWord.SUCCESS or chip.switches[LONG_RESPONSE] == "cut":
        return data[:le] + status.to_bytes(2)

    chip.session.rest = data[le:]
    return data[:le] + _available(len(data) - le).to_bytes(2)


def _speaks_t0(chip: Chip) -> bool:
    return chip.model.protocol is Protocol.T0


def _available(count: int) -> StatusWord:
    return StatusWord(0x6100 | (count if count < _SHORT_LE else 0))


def _get_response(rest: bytes) -> CommandForm:
    def handler(_chip: Chip, _apdu: CommandApdu) -> Outcome:
        if not rest:
            raise Refusal(StatusWord.CONDITIONS_OF_USE_NOT_SATISFIED)

        return rest, StatusWord.SUCCESS, ()

    return CommandForm("GET RESPONSE", 0x00, 0xC0, handler, Basis.INFERRED, "ISO/IEC 7816-4:2020, 11.10.1")


def _link(_chip: Chip, _apdu: CommandApdu) -> Outcome:
    return DONE


_LINK: Final = CommandForm("link of a chain", 0x10, 0x00, _link, Basis.CLIENT, "OpenSC 0.23", phases=LIVING)
