"""Files as wholes: create, delete, activate, deactivate, terminate (ISO/IEC 7816-9; 7816-4:2020, 11.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.decode.forms import Details, Form
from cardtwin.decode.model import Effect
from cardtwin.iso7816 import FileControl, TlvFormatError
from cardtwin.provenance import Basis

if TYPE_CHECKING:
    from cardtwin.iso7816 import CommandApdu

__all__ = ["FORMS"]

_KIND: Final = {
    0x01: "transparent EF",
    0x02: "linear fixed EF",
    0x04: "linear variable EF",
    0x05: "linear variable TLV EF",
    0x06: "cyclic EF",
    0x18: "key EF",
    0x21: "executable EF",
    0x38: "DF",
    0x39: "EF of data objects",
}
_SHAREABLE: Final = 0x40


def _create(apdu: CommandApdu) -> Details:
    try:
        control = FileControl.parse(apdu.data)
    except TlvFormatError:
        return Details(f"{len(apdu.data)} bytes that are no control parameters")

    descriptor = control.descriptor
    kind = (
        "file"
        if descriptor is None
        else _KIND.get(descriptor & ~_SHAREABLE, f"file of type {descriptor:02X}")
    )
    name = "" if control.file_id is None else f" {control.file_id:04X}"
    size = "" if control.size is None else f", {control.size} bytes"
    return Details(f"{kind}{name}{size}")


def _named(apdu: CommandApdu) -> Details:
    return Details(f"file {apdu.data.hex().upper()}" if apdu.data else "current file")


_ENDS: Final = Effect.DESTROYS | Effect.IRREVERSIBLE

FORMS: Final = (
    Form("CREATE FILE", "00 E0 00 00", Effect.WRITES, Basis.RECORDED, _create),
    Form("CREATE FILE", "00 E0 00 ..", Effect.WRITES, Basis.CLIENT, _create),
    Form("DELETE FILE", "00 E4 00 00", Effect.WRITES | Effect.DESTROYS, Basis.CLIENT, _named),
    Form("DELETE FILE", "00 E4 01 00", Effect.WRITES | Effect.DESTROYS, Basis.CLIENT, _named),
    Form("DELETE FILE", "00 E4 02 00", Effect.WRITES | Effect.DESTROYS, Basis.CLIENT, _named),
    Form("LIST FILES", "80 34 00 00", Effect.READS, Basis.CLIENT),
    Form("DEACTIVATE FILE", "00 04 00 00", Effect.WRITES, Basis.CLIENT, _named),
    Form("ACTIVATE FILE", "00 44 00 00", Effect.WRITES, Basis.CLIENT, _named),
    Form("TERMINATE DF", "00 E6 .. ..", _ENDS, Basis.STATED, _named),
    Form("TERMINATE EF", "00 E8 .. ..", _ENDS, Basis.STATED, _named),
    # It has no data. What has the same header and some is another system's: PIV cards import keys so.
    Form("TERMINATE CARD USAGE", "00 FE .. ..", _ENDS, Basis.STATED, hides=True),
)
