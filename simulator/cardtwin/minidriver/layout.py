"""The files that an empty GIDS card gets, and those of keys, as OpenSC's gids-tool and driver make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.iso7816 import StatusWord, Tlv
from cardtwin.minidriver import files
from cardtwin.minidriver.adminkey import answer
from cardtwin.minidriver.errors import ContainerError
from cardtwin.minidriver.formats import CardCache, KeySpec
from cardtwin.minidriver.tables import FileTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.minidriver.channel import Channel
    from cardtwin.plan import Secret

__all__ = ["ADMIN_REFERENCE", "create_files", "key_file", "mechanism", "put_admin_key"]

ADMIN_REFERENCE: Final = 0x80

_DATA_OBJECTS, _KEY = b"\x39", b"\x18"
_ATTRIBUTES: Final[Mapping[int, str]] = {
    files.TABLES: "033000",
    files.EVERYBODY_READS_USER_WRITES: "033000",
    0xA011: "0330FF",
    files.EVERYBODY_READS_ADMIN_WRITES: "032000",
    0xA013: "033030",
    0xA014: "032020",
}
"""The files of data objects with their security attributes: access mode byte and conditions."""

_BLOCK, _CHECK_VALUE = 8, 3
_ADMIN_KEY_FILE: Final = 0xB080
_ADMIN_KEY_ATTRIBUTES: Final = "870020FF"
_KEY_ATTRIBUTES: Final = "8F10101000"
_AUTHENTICATION, _SIGNATURE, _CONFIDENTIALITY = 0xA4, 0xB6, 0xB8
_TRIPLE_DES: Final = 0x02
_MECHANISMS: Final = {1024: 0x06, 2048: 0x07, 3072: 0x08, 4096: 0x09}
_SIGNS: Final = ((_SIGNATURE, 0x10), (_SIGNATURE, 0x50))
_DECIPHERS: Final = ((_CONFIDENTIALITY, 0x00), (_CONFIDENTIALITY, 0x80), (_CONFIDENTIALITY, 0x40))
_USES: Final = {KeySpec.SIGNATURE: _SIGNS, KeySpec.EXCHANGE: (*_DECIPHERS, *_SIGNS)}
_COMPUTATION, _AUTHENTICATION_USE = b"\x40", b"\xc0"


def mechanism(bits: int) -> int:
    """Return the cryptographic mechanism identifier of an RSA key without padding.

    Raises:
        ContainerError: There is none for that length.
    """
    try:
        return _MECHANISMS[bits]
    except KeyError:
        known = ", ".join(map(str, _MECHANISMS))
        raise ContainerError(f"an RSA key on such a card has {known} bits, not {bits}") from None


def key_file(file_id: int, spec: KeySpec, bits: int) -> Tlv:
    """Return the control parameters of a key's file: who uses the key, and for what."""
    algorithm = mechanism(bits)
    templates = (
        _template(tag, padding | algorithm, file_id & 0xFF, _COMPUTATION) for tag, padding in _USES[spec]
    )
    return _file(file_id, _KEY, _KEY_ATTRIBUTES, Tlv.constructed(0xA5, templates))


def create_files(channel: Channel, card_id: bytes, admin_key: Secret) -> None:
    """Make the files of an empty card: those of data objects, the admin key, the tables, the five files.

    What an earlier try has left is taken over: until the application is activated all of it may be written.
    """
    for file_id, attributes in _ATTRIBUTES.items():
        _create(channel, file_id, _file(file_id, _DATA_OBJECTS, attributes))

    template = _template(_AUTHENTICATION, _TRIPLE_DES, ADMIN_REFERENCE, _AUTHENTICATION_USE)
    key = _file(_ADMIN_KEY_FILE, _KEY, _ADMIN_KEY_ATTRIBUTES, Tlv.constructed(0xA5, (template,)))
    _create(channel, _ADMIN_KEY_FILE, key)
    put_admin_key(channel, admin_key)
    contents = {
        files.CARDID: card_id,
        files.CARDAPPS: b"mscp".ljust(8, b"\0"),
        files.CARDCF: CardCache().encode(),
        files.CMAPFILE: b"",
    }

    for entry, content in contents.items():
        # Not twice: an empty one in the place of an empty one would be deleted.
        if channel.get(entry.file_id, entry.data_object) != content:
            channel.put(entry.file_id, entry.data_object, content)

    channel.put(files.TABLES, files.FILES, FileTable((files.MSCP, *contents)).encode())


def put_admin_key(channel: Channel, key: Secret) -> None:
    """Give the admin key a value; beside it goes a check value, the beginning of an encrypted block of 00."""
    check = answer(key, bytes(_BLOCK))[:_CHECK_VALUE]
    value = Tlv.constructed(0xA5, (Tlv(0x87, key.reveal()), Tlv(0x88, check)))
    data = Tlv.constructed(0x70, (Tlv(0x84, bytes((ADMIN_REFERENCE,))), value))
    channel.do("00DB3FFF", data.encode(), what="write the admin key")


def _create(channel: Channel, file_id: int, control: Tlv) -> None:
    selected = channel.ask("00A4000C", file_id.to_bytes(2))

    if selected.sw == StatusWord.FILE_NOT_FOUND:
        channel.create(control, what=f"file {file_id:04X}")
    else:
        channel.do("00440000", what=f"activate file {file_id:04X}")


def _file(file_id: int, descriptor: bytes, attributes: str, *more: Tlv) -> Tlv:
    head = (Tlv(0x82, descriptor), Tlv(0x83, file_id.to_bytes(2)), Tlv(0x8C, bytes.fromhex(attributes)))
    return Tlv.constructed(0x62, (*head, *more))


def _template(tag: int, algorithm: int, reference: int, use: bytes) -> Tlv:
    values = (Tlv(0x80, bytes((algorithm,))), Tlv(0x83, bytes((reference,))), Tlv(0x95, use))
    return Tlv.constructed(tag, values)
