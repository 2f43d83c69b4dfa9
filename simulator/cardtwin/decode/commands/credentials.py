"""PINs: verify, change, unblock, log out (ISO/IEC 7816-4, 11.5; CardOS)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.decode.forms import Details, Form
from cardtwin.decode.model import Effect
from cardtwin.provenance import Basis

if TYPE_CHECKING:
    from cardtwin.iso7816 import CommandApdu

__all__ = ["FORMS"]

_BACKTRACKING: Final = 0x80


def _pin(apdu: CommandApdu) -> str:
    """Name the PIN. With bit 8 of P2, CardOS looks for it in the current DF and then upwards."""
    return f"PIN {apdu.p2 & 0x7F}" + (" (backtracking)" if apdu.p2 & _BACKTRACKING else "")


def _with_length(apdu: CommandApdu) -> Details:
    return Details(f"{_pin(apdu)}, {len(apdu.data)} bytes" if apdu.data else _pin(apdu))


def _verify(apdu: CommandApdu) -> Details:
    if not apdu.data:
        return Details(f"{_pin(apdu)}, status", Effect.READS)

    return _with_length(apdu)


def _change(apdu: CommandApdu) -> Details:
    return Details(f"{_pin(apdu)}, old and new, {len(apdu.data)} bytes")


def _replace(apdu: CommandApdu) -> Details:
    return Details(f"{_pin(apdu)}, new only, {len(apdu.data)} bytes")


def _unblock(apdu: CommandApdu) -> Details:
    return Details(f"{_pin(apdu)}, PUK and new, {len(apdu.data)} bytes")


def _reset_counter(apdu: CommandApdu) -> Details:
    return Details(f"{_pin(apdu)}, counter only" + (f", {len(apdu.data)} bytes" if apdu.data else ""))


_TRIES: Final = Effect.SPENDS_TRIES | Effect.WRITES

FORMS: Final = (
    Form("VERIFY", "00 20 00 8.", Effect.SPENDS_TRIES, Basis.RECORDED, _verify, hides=True),
    Form("VERIFY", "00 20 00 ..", Effect.SPENDS_TRIES, Basis.CLIENT, _verify, hides=True),
    Form("VERIFY", "00 20 FF ..", Effect.SELECTS, Basis.STATED, _with_length, hides=True),
    Form("VERIFY", "00 21 .. ..", Effect.SPENDS_TRIES, Basis.STATED, _with_length, hides=True),
    Form("CHANGE REFERENCE DATA", "00 24 00 ..", _TRIES, Basis.CLIENT, _change, hides=True),
    Form("CHANGE REFERENCE DATA", "00 24 01 ..", Effect.WRITES, Basis.CLIENT, _replace, hides=True),
    Form("RESET RETRY COUNTER", "00 2C 00 ..", _TRIES, Basis.CLIENT, _unblock, hides=True),
    Form("RESET RETRY COUNTER", "00 2C 01 ..", _TRIES, Basis.STATED, _reset_counter, hides=True),
    Form("RESET RETRY COUNTER", "00 2C 02 ..", Effect.WRITES, Basis.STATED, _replace, hides=True),
    Form("RESET RETRY COUNTER", "00 2C 03 ..", Effect.WRITES, Basis.CLIENT, _reset_counter, hides=True),
    Form("DISABLE VERIFICATION REQUIREMENT", "00 26 .. ..", _TRIES, Basis.STATED, _with_length, hides=True),
    Form("ENABLE VERIFICATION REQUIREMENT", "00 28 .. ..", _TRIES, Basis.STATED, _with_length, hides=True),
    Form("LOGOUT", "80 EA 00 00", Effect.SELECTS, Basis.CLIENT),
    Form("FORGET PIN", "80 2E 00 ..", Effect.SELECTS, Basis.CLIENT),
)
