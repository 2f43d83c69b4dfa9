"""The secrets that a trace hides: what they are called, and how they get into its commands again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.recording.errors import ReplayRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.plan import Secret
    from cardtwin.trace import MaskedExchange

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

    def command(self, exchange: MaskedExchange) -> tuple[bytes, str]:
        """Return a command with its hidden bytes filled in; or nothing, and why it can't be.

        Raises:
            ReplayRefusedError: The value is longer than the hidden bytes.
        """
        digits = exchange.command.split()
        places = [at for at, byte in enumerate(digits) if byte == HIDDEN]

        if not places:
            return bytes.fromhex(exchange.command), ""

        name = _name(digits)

        if name is None:
            return b"", "it has hidden bytes"

        if name not in self._values:
            return b"", f"it has a hidden secret; --secret {name}=... gives it"

        value = self._values[name].reveal()

        if len(value) > len(places):
            raise ReplayRefusedError(f"{name} is longer than what the trace hides: {len(places)} bytes")

        for at, byte in zip(places, value.ljust(len(places), bytes((self._padding,))), strict=True):
            digits[at] = f"{byte:02X}"

        return bytes.fromhex("".join(digits)), ""


def _name(digits: list[str]) -> str | None:
    """Return what the secret in a command is called; None where it isn't known."""
    if HIDDEN in digits[: _P2 + 1] or len(digits) <= _P2:
        return None

    kind = _KINDS.get(int(digits[_INS], 16))
    return None if kind is None else f"{kind}:{digits[_P2]}"


def _is_hex(text: str) -> bool:
    return all(digit in "0123456789ABCDEF" for digit in text)
