"""CardOS M4's phases and the StartKey's commands.

The StartKey's commands are protected by secure messaging without a challenge. So the payload itself is a
credential: whoever has seen it can send it again. It is hidden whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.decode.forms import Details, Form
from cardtwin.decode.model import Effect
from cardtwin.provenance import Basis

if TYPE_CHECKING:
    from cardtwin.iso7816 import CommandApdu

__all__ = ["FORMS"]


def _phase(_: CommandApdu) -> Details:
    return Details("between administration and operational")


def _protected(apdu: CommandApdu) -> Details:
    return Details(f"under the StartKey, {len(apdu.data)} bytes")


# All spend a try of the StartKey if the payload is wrong, and packages and keys don't come back.
_BURNS: Final = Effect.SPENDS_TRIES | Effect.WRITES | Effect.DESTROYS | Effect.IRREVERSIBLE
_ADDS: Final = Effect.SPENDS_TRIES | Effect.WRITES | Effect.IRREVERSIBLE

FORMS: Final = (
    Form("PHASE CONTROL", "80 10 00 00", Effect.WRITES, Basis.CLIENT, _phase),
    Form("ERASE FILES", "84 06 00 00", _BURNS, Basis.RECORDED, _protected, hides=True),
    Form("FORMAT", "84 40 00 ..", _BURNS, Basis.RECORDED, _protected, hides=True),
    Form("LOAD EXECUTABLE", "84 20 00 00", _ADDS, Basis.RECORDED, _protected, hides=True),
    Form("CHANGE STARTKEY", "84 24 00 00", _ADDS, Basis.RECORDED, _protected, hides=True),
)
