"""CardOS's objects: PINs, keys, security environments and access conditions, written with PUT DATA.

In object control information (OCI) the lengths are single plain bytes, so that ``8F 82`` means 130 bytes: it
is no BER-TLV. The body, tag 8F, is a PIN or a part of a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.decode.forms import Details, Form
from cardtwin.decode.model import Effect
from cardtwin.iso7816 import Tlv, TlvFormatError
from cardtwin.provenance import Basis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.iso7816 import CommandApdu

__all__ = ["FORMS"]

_NAME, _PARAMETERS, _ACCESS, _ACCESS_RULES, _MESSAGING, _BODY = 0x83, 0x85, 0x86, 0xAB, 0x8B, 0x8F
_OCI: Final = frozenset({_NAME, _PARAMETERS, _ACCESS, _MESSAGING, _BODY})
_ALWAYS_RULE: Final = 0x90
_PUBLIC_FILES: Final = {0x00, 0x10, 0x12}
"""The files A0.. of a GIDS card that everybody reads."""


def _plain_objects(data: bytes) -> Iterator[tuple[int, slice]]:
    """Yield tag and place of each object with a plain length.

    Raises:
        ValueError: The lengths don't add up.
    """
    at = 0

    while at < len(data):
        end = at + 2 + data[at + 1] if at + 1 < len(data) else len(data) + 1

        if end > len(data):
            raise ValueError("the lengths of the objects don't add up")

        yield data[at], slice(at + 2, end)
        at = end


def _object_name(data: bytes) -> str:
    if len(data) != 2:
        return "object"

    kind, number = data

    if kind == 0x00:
        return f"test object {number:02X}"

    if kind & 0xF0 == 0x20:
        return f"key {number:02X}, part {(kind & 0x0F) + 1}"

    return f"object {number:02X} of class {kind:02X}"


def _oci(apdu: CommandApdu) -> Details:
    try:
        objects = tuple(_plain_objects(apdu.data))
    except ValueError:
        return Details(f"{len(apdu.data)} bytes that are no object control information")

    found = dict(objects)

    # Bytes from within a key may add up too; they hardly have each tag once, the name and no unknown one.
    if len(found) < len(objects) or _NAME not in found or not _OCI.issuperset(found):
        return Details(f"{len(apdu.data)} bytes")

    name = _object_name(apdu.data[found[_NAME]])

    if (body := found.get(_BODY)) is None:
        return Details(f"{name}, without body", secrets=())

    return Details(f"{name}, {body.stop - body.start} bytes", secrets=(body,))


def _seci(apdu: CommandApdu) -> Details:
    number = apdu.data[2:3].hex().upper() if apdu.data[:2] == b"\x83\x01" else ""
    return Details(f"security environment {number}".rstrip())


def _fci(apdu: CommandApdu) -> Details:
    """Read new conditions: those that leave everything open can be changed again, others perhaps not."""
    try:
        open_again = all(_is_open(found) for found in Tlv.parse_all(apdu.data))
    except TlvFormatError:
        open_again = False

    return Details("access conditions of the current file", Effect.WRITES if open_again else None)


def _is_open(found: Tlv) -> bool:
    if found.tag == _ACCESS:
        return not any(found.value)

    if found.tag == _ACCESS_RULES:
        return all(child.tag in {0x80, _ALWAYS_RULE} for child in found.children())

    return False


def _key_data(apdu: CommandApdu) -> Details:
    return Details(f"{_object_name(bytes((apdu.p1, apdu.p2)))}, {len(apdu.data)} bytes")


def _component(apdu: CommandApdu) -> Details:
    return Details(f"component {apdu.p1}" + (f", {len(apdu.data)} bytes" if apdu.data else ""))


def _put(apdu: CommandApdu) -> Details:
    return Details(f"object {apdu.p1:02X}{apdu.p2:02X}, {len(apdu.data)} bytes")


def _put_into_file(apdu: CommandApdu) -> Details:
    """Read a data object for a file; those of files that everybody reads are no secret."""
    try:
        found = Tlv.parse(apdu.data)
    except TlvFormatError:
        return Details(f"{len(apdu.data)} bytes for file {apdu.p1:02X}{apdu.p2:02X}")

    text = f"object {found.tag:X} of file {apdu.p1:02X}{apdu.p2:02X}, {len(found.value)} bytes"
    return Details(text, secrets=() if apdu.p2 in _PUBLIC_FILES else None)


_LOCKS: Final = Effect.WRITES | Effect.IRREVERSIBLE

FORMS: Final = (
    Form("PUT DATA OCI", "00 DA 01 6E", Effect.WRITES, Basis.CLIENT, _oci, hides=True),
    Form("PUT DATA SECI", "00 DA 01 6D", Effect.WRITES, Basis.CLIENT, _seci),
    Form("PUT DATA FCI", "00 DA 01 6F", _LOCKS, Basis.CLIENT, _fci),
    Form("CHANGE KEY DATA", "90 24 .. ..", Effect.WRITES, Basis.CLIENT, _key_data, hides=True),
    Form("PUT DATA", "00 DB A0 ..", Effect.WRITES, Basis.CLIENT, _put_into_file, hides=True),
    Form("PUT KEY COMPONENT", "80 D8 .. 04", Effect.WRITES, Basis.CLIENT, _component, hides=True),
    Form("PUT KEY COMPONENT", "90 D8 .. 04", Effect.WRITES, Basis.CLIENT, _component, hides=True),
    Form("READ KEY COMPONENT", "80 B4 .. 00", Effect.READS, Basis.CLIENT, _component),
    # Other objects may be keys: what they hold stays hidden.
    Form("PUT DATA", "00 DA .. ..", _LOCKS, Basis.STATED, _put, hides=True),
    Form("PUT DATA", "00 DB .. ..", _LOCKS, Basis.STATED, _put, hides=True),
)
