"""Finding one's way: SELECT, GET DATA, DIRECTORY, channels (ISO/IEC 7816-4, 11.2; CardOS)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.decode.forms import Details, Form
from cardtwin.decode.model import Effect
from cardtwin.provenance import Basis

if TYPE_CHECKING:
    from cardtwin.iso7816 import CommandApdu

__all__ = ["FORMS"]

_SELECTED: Final = {
    0x00: "file",
    0x01: "child DF",
    0x02: "EF of the current DF",
    0x03: "parent DF",
    0x04: "application",
    0x08: "path from the MF",
    0x09: "path from the current DF",
}
_ANSWER: Final = {0x00: "FCI", 0x04: "FCP", 0x08: "FMD", 0x0C: "no data"}

_CARDOS_DATA: Final = {
    0x80: "product name",
    0x81: "serial number",
    0x82: "system version",
    0x83: "life cycle",
    0x84: "satisfied test objects",
    0x85: "free memory",
    0x86: "ATR status",
    0x87: "current path",
    0x88: "packages",
    0x89: "chip configuration",
    0x8A: "free EEPROM",
    0x8B: "production data",
    0x8D: "longest data field",
    0x96: "key versions and tries",
}
_TAG_LIST: Final = b"\x5c"
_LISTED: Final = {0x00: "EFs", 0x01: "DFs", 0x02: "EFs and DFs"}


def _select(apdu: CommandApdu) -> Details:
    what = _SELECTED.get(apdu.p1, f"by method {apdu.p1:02X}")
    target = apdu.data.hex().upper() if apdu.data else ("" if apdu.p1 == 0x03 else "MF")
    answer = _ANSWER.get(apdu.p2 & 0x0C, "")
    occurrence = ("", ", last", ", next", ", previous")[apdu.p2 & 0x03]
    return Details(f"{what} {target}".rstrip() + f", {answer}{occurrence}")


def _get_cardos_data(apdu: CommandApdu) -> Details:
    return Details(_CARDOS_DATA.get(apdu.p2, f"object {apdu.p2:02X}"))


def _get_data(apdu: CommandApdu) -> Details:
    return Details(f"object {apdu.p1:02X}{apdu.p2:02X}")


def _get_of_file(apdu: CommandApdu) -> Details:
    tags = apdu.data[2:].hex().upper() if apdu.data[:1] == _TAG_LIST else ""
    return Details(f"object {tags} of file {apdu.p1:02X}{apdu.p2:02X}" if tags else "objects of a file")


def _directory(apdu: CommandApdu) -> Details:
    return Details(f"{_LISTED.get(apdu.p1, f'kind {apdu.p1:02X}')}, from {apdu.p2}")


def _get_response(apdu: CommandApdu) -> Details:
    return Details(f"up to {apdu.le} bytes" if apdu.le else "")


FORMS: Final = (
    Form("SELECT", "00 A4 .. ..", Effect.SELECTS, Basis.RECORDED, _select),
    Form("GET DATA", "00 CA 01 ..", Effect.READS, Basis.RECORDED, _get_cardos_data),
    Form("GET DATA", "00 CA .. ..", Effect.READS, Basis.STATED, _get_data),
    Form("GET DATA", "80 CA .. ..", Effect.READS, Basis.CLIENT, _get_data),
    Form("GET DATA", "00 CB .. ..", Effect.READS, Basis.STATED, _get_data),
    Form("GET DATA", "00 CB A0 ..", Effect.READS, Basis.CLIENT, _get_of_file),
    Form("DIRECTORY", "80 16 .. ..", Effect.READS, Basis.CLIENT, _directory),
    Form("MANAGE CHANNEL", "00 70 .. ..", Effect.SELECTS, Basis.STATED),
    # What it fetches is as secret as the command before it; alone, it may be anything.
    Form("GET RESPONSE", "00 C0 00 00", Effect.READS, Basis.STATED, _get_response, hides_response=True),
)
