"""Commands and responses, read one by one or in the order in which a card got them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from cardtwin.decode.commands import FORMS
from cardtwin.decode.forms import Details, Form, Table
from cardtwin.decode.model import Decoded, Effect
from cardtwin.iso7816 import ApduFormatError, CommandApdu, StatusWord
from cardtwin.provenance import Basis

if TYPE_CHECKING:
    from cardtwin.events import Exchange

__all__ = [
    "TABLE",
    "Decoder",
    "Reading",
    "decode",
    "explain",
    "logical_channel",
    "masked",
    "masked_response",
    "secrets_in_response",
]

TABLE: Final = Table(FORMS)

_HEADER_SIZE: Final = 4
_CHAINED: Final = 0x10
_CHANNELS: Final = 20
_FURTHER: Final = 0x40
"""The two first bits of CLA for the channels 4 to 19."""

_GET_RESPONSE: Final = "GET RESPONSE"
_WAITING: Final = {0x61, 0x6C, 0x9F}
"""The first byte of the status words after which data wait (ISO/IEC 7816-4, 5.6; ETSI TS 102 221, 10.2.1)."""

_UNKNOWN: Final = Form("unknown", ".. 00 .. ..", Effect.UNKNOWN, Basis.OURS, hides=True, hides_response=True)


@dataclass(frozen=True, slots=True)
class Reading:
    """One exchange, read and masked: fit for reports and traces.

    Attributes:
        decoded: The command.
        command: Its bytes in hex, with ``**`` for each byte that may be a secret.
        response: The response's bytes likewise.
        status: The status word; None if the response has none.
        answered: How many bytes of data the response has.
    """

    decoded: Decoded
    command: str
    response: str
    status: StatusWord | None
    answered: int

    @property
    def line(self) -> str:
        """The exchange in one line: header, name, parameters, status word by name, length of the answer."""
        what = f"{self.decoded.name} {self.decoded.parameters}".rstrip()
        answer = "no status word" if self.status is None else str(self.status)
        size = f", {self.answered} bytes" if self.answered else ""
        return f"{self.command[: 3 * _HEADER_SIZE - 1]}  {what} -> {answer}{size}"


@dataclass(frozen=True, slots=True)
class _Chain:
    """The pieces of a chained command so far; they may hold secrets."""

    header: bytes
    data: bytes = field(repr=False)


@dataclass(slots=True)
class _Channel:
    """What the commands before leave open on one logical channel.

    Attributes:
        chain: The chain that goes on.
        open_waits: Whether what GET RESPONSE fetches is known to be no secret.
    """

    chain: _Chain | None = None
    open_waits: bool = False


class Decoder:
    """Reads the commands that one card gets, in their order, and so understands chains and GET RESPONSE.

    A new decoder takes what came before as unknown.
    """

    def __init__(self, table: Table = TABLE) -> None:
        self._table = table
        self.reset()

    def reset(self) -> None:
        """Forget what came before, as the card does at a reset."""
        self._channels = {number: _Channel() for number in range(_CHANNELS)}
        self._current = self._channels[0]

    def command(self, command: bytes) -> Decoded:
        """Read the next command."""
        try:
            apdu = CommandApdu.parse(command)
        except ApduFormatError:
            self._current = self._channels[logical_channel(command[0]) if command else 0]
            self._current.chain = None
            return _malformed(command)

        self._current = channel = self._channels[logical_channel(apdu.cla)]
        size = len(command)
        form = self._table.find(_canonical(apdu)) or _UNKNOWN
        pending, channel.chain = channel.chain, None

        if pending and pending.header != _unchained(apdu):
            pending = None

        if apdu.chained:
            channel.chain = chain = _Chain(_unchained(apdu), (pending.data if pending else b"") + apdu.data)
            return _piece(form, apdu, len(chain.data), size)

        decoded = _last_piece(form, apdu, pending, size) if pending else _whole(form, apdu, size)

        if form.name == _GET_RESPONSE:
            return replace(decoded, secret_response=not channel.open_waits)

        return decoded

    def read(self, command: bytes, response: bytes) -> Reading:
        """Read the next command with its response, and mask both."""
        decoded = self.command(command)
        status = StatusWord(int.from_bytes(response[-2:])) if len(response) >= 2 else None
        waits = status is not None and status >> 8 in _WAITING
        self._current.open_waits = waits and not decoded.secret_response

        return Reading(
            decoded,
            _hex(command, decoded.secrets),
            _hex(response, _response_secrets(decoded, response)),
            status,
            max(0, len(response) - 2),
        )


def decode(command: bytes) -> Decoded:
    """Read one command by itself. For a piece of a chained command, a :class:`Decoder` knows more."""
    return Decoder().command(command)


def masked(command: bytes) -> str:
    """Return a command in hex, with ``**`` for each byte that may be a secret."""
    return _hex(command, decode(command).secrets)


def secrets_in_response(command: bytes, response: bytes) -> tuple[slice, ...]:
    """Return where in a response secrets lie, or may lie. The status word is never one."""
    return _response_secrets(decode(command), response)


def masked_response(command: bytes, response: bytes) -> str:
    """Return the response to a command in hex, with ``**`` for each byte that may be a secret."""
    return _hex(response, secrets_in_response(command, response))


def explain(exchange: Exchange) -> str:
    """Return an exchange in one line, for reports. Holds no secret."""
    return Decoder().read(exchange.command, exchange.response).line


def _malformed(command: bytes) -> Decoded:
    secrets = (slice(_HEADER_SIZE, len(command)),) if len(command) > _HEADER_SIZE else ()
    return Decoded(
        "malformed", f"{len(command)} bytes", Effect.UNKNOWN, Basis.STATED, secrets, secret_response=True
    )


def _whole(form: Form, apdu: CommandApdu, size: int) -> Decoded:
    if _protected(apdu):
        return _sealed(form, apdu, size)

    details = form.read(apdu)

    if form.hides and details.secrets is not None:
        return _decoded(form, details, _placed(details.secrets, apdu))

    return _decoded(form, details, _all_data(apdu, size) if form.hides else ())


def _piece(form: Form, apdu: CommandApdu, so_far: int, size: int) -> Decoded:
    """Describe a piece that isn't the last one: hidden whole, if the command may hold a secret at all."""
    details = Details(f"piece of a chain, {len(apdu.data)} bytes, {so_far} so far")
    return _decoded(form, details, _all_data(apdu, size) if form.hides or _protected(apdu) else ())


def _last_piece(form: Form, apdu: CommandApdu, pending: _Chain, size: int) -> Decoded:
    if _protected(apdu):
        return _sealed(form, apdu, size)

    details = form.read(replace(apdu, data=pending.data + apdu.data, extended=True))
    return _decoded(form, details, _all_data(apdu, size) if form.hides else ())


def _sealed(form: Form, apdu: CommandApdu, size: int) -> Decoded:
    """Describe a command under secure messaging: its data are not looked into, and hidden whole."""
    details = Details(f"secure messaging, {len(apdu.data)} bytes")
    return replace(_decoded(form, details, _all_data(apdu, size)), secret_response=True)


def _decoded(form: Form, details: Details, secrets: tuple[slice, ...]) -> Decoded:
    effect = form.effect if details.effect is None else details.effect
    return Decoded(form.name, details.parameters, effect, form.basis, secrets, form.hides_response)


def _data_start(apdu: CommandApdu) -> int:
    return _HEADER_SIZE + (3 if apdu.extended and apdu.data else 1)


def _all_data(apdu: CommandApdu, size: int) -> tuple[slice, ...]:
    """Return all behind Lc: where that is wrong, what looks like Le may be the end of a secret."""
    start = _data_start(apdu)
    return (slice(start, size),) if size > start else ()


def _placed(secrets: tuple[slice, ...], apdu: CommandApdu) -> tuple[slice, ...]:
    """Turn places in the data field into places in the command."""
    start = _data_start(apdu)
    return tuple(slice(start + one.start, start + one.stop) for one in secrets if one.stop > one.start)


def _response_secrets(decoded: Decoded, response: bytes) -> tuple[slice, ...]:
    return (slice(0, len(response) - 2),) if decoded.secret_response and len(response) > 2 else ()


def _hex(data: bytes, secrets: tuple[slice, ...]) -> str:
    digits = [f"{byte:02X}" for byte in data]

    for place in secrets:
        digits[place] = ["**"] * len(digits[place])

    return " ".join(digits)


def _interindustry(cla: int) -> bool:
    return not cla & 0x80


def _protected(apdu: CommandApdu) -> bool:
    """Tell whether CLA announces the standard's secure messaging (ISO/IEC 7816-4, 5.4.1)."""
    mask = 0x20 if apdu.cla & 0x40 else 0x0C
    return _interindustry(apdu.cla) and bool(apdu.cla & mask)


def _canonical(apdu: CommandApdu) -> bytes:
    """Return the header without the bits for channel, chaining and secure messaging."""
    return bytes((0 if _interindustry(apdu.cla) else apdu.cla,)) + apdu.header[1:]


def logical_channel(cla: int) -> int:
    """Return the logical channel that CLA names (ISO/IEC 7816-4, 5.4.1)."""
    return 4 + (cla & 0x0F) if cla & 0xC0 == _FURTHER else cla & 0x03


def _unchained(apdu: CommandApdu) -> bytes:
    return bytes((apdu.cla & ~_CHAINED,)) + apdu.header[1:]
