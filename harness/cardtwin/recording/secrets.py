"""The secrets that a trace hides: what they are called, and how they get into its commands again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.iso7816 import ApduFormatError, CommandApdu
from cardtwin.recording.chains import chains
from cardtwin.recording.errors import ReplayRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cardtwin.events import Event
    from cardtwin.plan import Secret
    from cardtwin.recording.chains import Chain

__all__ = ["HiddenSecrets", "is_secret_name"]

HIDDEN: Final = "**"
_KINDS: Final = {0x20: "PIN", 0x21: "PIN", 0x24: "CHANGE", 0x2C: "UNBLOCK"}
"""What secrets are called, by the command that carries them (ISO/IEC 7816-4:2020, 11.6)."""

_INS, _P2 = 1, 3


def is_secret_name(name: str) -> bool:
    """Whether a name is that of a secret in commands, such as ``PIN:81``."""
    kind, colon, reference = name.partition(":")
    return bool(colon) and kind in _KINDS.values() and len(reference) == 2 and _is_hex(reference)


class HiddenSecrets:
    """Values for the hidden bytes of commands, by names such as ``PIN:81``: what it is, and P2 in hex.

    ``PIN`` is the data of VERIFY, ``CHANGE`` that of CHANGE REFERENCE DATA (both PINs, one after the other,
    as the card has them), ``UNBLOCK`` that of RESET RETRY COUNTER. A value that is shorter than the hidden
    bytes is padded.

    Args:
        values: By name.
        padding: The byte for it.
    """

    def __init__(self, values: Mapping[str, Secret], padding: int = 0) -> None:
        self._values = values
        self._padding = padding

    def commands(self, events: Iterable[Event]) -> Mapping[int, tuple[bytes, str]]:
        """Return the commands of a trace with their hidden bytes filled in, by the identity of their events.

        In the place of one that can't be filled in are no bytes, and why. The pieces of a chained command get
        what each has of the value, by their lengths, or none of them does.

        Raises:
            ReplayRefusedError: A value is longer than the hidden bytes.
        """
        return {
            id(event): command
            for chain in chains(events)
            for event, command in zip(chain.pieces, self._filled(chain), strict=True)
        }

    def _filled(self, chain: Chain) -> list[tuple[bytes, str]]:
        pieces = [each.command.split() for each in chain.pieces]
        places = [[at for at, byte in enumerate(digits) if byte == HIDDEN] for digits in pieces]
        total = sum(map(len, places))
        name = _name(pieces[0])
        why = ""

        if total and (name is None or not all(map(_is_data, pieces, places))):
            why = "it has hidden bytes"
        elif total and name not in self._values:
            why = f"it has a hidden secret; --secret {name}=... gives it"

        if why:
            return [(b"", why)] * len(pieces)

        value = self._values[name].reveal() if total and name is not None else b""

        if len(value) > total and chain.whole:
            if chain.after_refusal:
                why = "how much of its secret it has isn't known: the card has refused the piece before"
                return [(b"", why)] * len(pieces)

            raise ReplayRefusedError(f"{name} is longer than what the trace hides: {total} bytes")

        rest = iter(value.ljust(total, bytes((self._padding,))))
        return [(_with(digits, at, rest), "") for digits, at in zip(pieces, places, strict=True)]


def _with(digits: list[str], places: list[int], data: Iterator[int]) -> bytes:
    """Return a command with the next bytes of the data in its hidden places."""
    for at in places:
        digits[at] = f"{next(data):02X}"

    return bytes.fromhex("".join(digits))


def _is_data(digits: list[str], places: list[int]) -> bool:
    """Whether nothing but bytes of the data is hidden, as far as the length tells."""
    if not places:
        return True

    try:
        apdu = CommandApdu.parse(bytes.fromhex("".join(digits).replace(HIDDEN, "00")))
    except ApduFormatError:
        return False

    return places[0] > _P2 + 1 and len(places) <= len(apdu.data)


def _name(digits: list[str]) -> str | None:
    """Return what the secret in a command is called; None where it isn't known."""
    if HIDDEN in digits[: _P2 + 1] or len(digits) <= _P2:
        return None

    kind = _KINDS.get(int(digits[_INS], 16))
    return None if kind is None else f"{kind}:{digits[_P2]}"


def _is_hex(text: str) -> bool:
    return all(digit in "0123456789ABCDEF" for digit in text)
