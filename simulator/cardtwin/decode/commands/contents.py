"""Contents of files: binary and record commands (ISO/IEC 7816-4, 11.3 and 11.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.decode.forms import Details, Form
from cardtwin.decode.model import Effect
from cardtwin.provenance import Basis

if TYPE_CHECKING:
    from cardtwin.iso7816 import CommandApdu

__all__ = ["FORMS"]


def _amount(apdu: CommandApdu) -> str:
    if apdu.data:
        return f"{len(apdu.data)} bytes"

    return f"up to {apdu.le} bytes" if apdu.le else "no bytes"


def _binary(apdu: CommandApdu) -> Details:
    if apdu.p1 & 0x80:
        return Details(f"short EF {apdu.p1 & 0x1F:02X}, offset {apdu.p2}, {_amount(apdu)}")

    return Details(f"offset {apdu.p1 << 8 | apdu.p2}, {_amount(apdu)}")


def _file(apdu: CommandApdu) -> Details:
    return Details(f"file {apdu.p1:02X}{apdu.p2:02X}, {_amount(apdu)}")


def _record(apdu: CommandApdu) -> Details:
    short = f", short EF {apdu.p2 >> 3:02X}" if apdu.p2 >> 3 else ""
    by = "record" if apdu.p2 & 0x04 else "identifier"
    which = f"{by} {apdu.p1:02X}" if apdu.p1 or by == "identifier" else "current record"
    return Details(f"{which}{short}, {_amount(apdu)}")


def _append(apdu: CommandApdu) -> Details:
    short = f"short EF {apdu.p2 >> 3:02X}, " if apdu.p2 >> 3 else ""
    return Details(short + _amount(apdu))


_ERASES: Final = Effect.WRITES | Effect.DESTROYS

FORMS: Final = (
    Form("READ BINARY", "00 B0 .. ..", Effect.READS, Basis.RECORDED, _binary),
    Form("READ BINARY", "00 B1 .. ..", Effect.READS, Basis.STATED, _file),
    Form("UPDATE BINARY", "00 D6 .. ..", Effect.WRITES, Basis.RECORDED, _binary),
    Form("UPDATE BINARY", "00 D7 .. ..", Effect.WRITES, Basis.STATED, _file),
    Form("WRITE BINARY", "00 D0 .. ..", Effect.WRITES, Basis.STATED, _binary),
    Form("WRITE BINARY", "00 D1 .. ..", Effect.WRITES, Basis.STATED, _file),
    Form("SEARCH BINARY", "00 A0 .. ..", Effect.READS, Basis.STATED, _binary),
    Form("ERASE BINARY", "00 0E .. ..", _ERASES, Basis.STATED, _binary),
    Form("ERASE BINARY", "00 0F .. ..", _ERASES, Basis.STATED, _file),
    Form("READ RECORD", "00 B2 .. ..", Effect.READS, Basis.CLIENT, _record),
    Form("READ RECORD", "00 B3 .. ..", Effect.READS, Basis.STATED, _record),
    Form("UPDATE RECORD", "00 DC .. ..", Effect.WRITES, Basis.STATED, _record),
    Form("UPDATE RECORD", "00 DD .. ..", Effect.WRITES, Basis.STATED, _record),
    Form("WRITE RECORD", "00 D2 .. ..", Effect.WRITES, Basis.STATED, _record),
    Form("APPEND RECORD", "00 E2 00 ..", Effect.WRITES, Basis.CLIENT, _append),
    Form("DELETE RECORD", "80 32 .. 04", Effect.WRITES | Effect.DESTROYS, Basis.CLIENT, _record),
    Form("SEARCH RECORD", "00 A2 .. ..", Effect.READS, Basis.STATED, _record),
    Form("ERASE RECORD", "00 0C .. ..", _ERASES, Basis.STATED, _record),
)
