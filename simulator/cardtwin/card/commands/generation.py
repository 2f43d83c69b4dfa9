"""GENERATE KEY PAIR: fills a key object that is there, and writes the public key into an EF."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cardtwin.card.chip.algorithms import (
    EC,
    KEY_CLASS,
    bare_body,
    curve_of,
    ec_body,
    has_prefix,
    key_parts,
    prefixed,
)
from cardtwin.card.commands.records import appended
from cardtwin.card.crypto import EcPrivateKey, RsaPrivateKey, UnsupportedKeyError
from cardtwin.card.errors import Refusal
from cardtwin.card.memory import Ef, FileKind, ObjectKey
from cardtwin.card.memory.access import EfOperation, ObjectOperation
from cardtwin.card.memory.writes import PutFile, PutObject
from cardtwin.iso7816 import StatusWord, Tlv

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardtwin.card.chip import Chip
    from cardtwin.card.commands.form import Outcome
    from cardtwin.card.memory import SecurityObject
    from cardtwin.iso7816 import CommandApdu

__all__ = ["generate"]

_EXPONENT: Final = 65537
_LENGTH: Final = 8
_GENKEY: Final = 6  # the seventh condition byte of a key, where it is given
_MODULUS_RECORD: Final = 0x10
_EXPONENT_RECORD: Final = 0x11


def generate(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Generate a key pair: ``class id EF(2) rounds difference exponent-bits(2)``.

    The object's components say the size; the public key goes into the EF of the current DF: RSA with two
    parts as TLV records 10 (modulus) and 11 (exponent), all else as 7F49 into a transparent EF.
    """
    data = apdu.data

    if len(data) != _LENGTH:
        raise Refusal(StatusWord.WRONG_LENGTH)

    if data[0] != KEY_CLASS or int.from_bytes(data[6:8]) < _EXPONENT.bit_length():
        raise Refusal(StatusWord.WRONG_DATA)

    key = chip.image.find_object(chip.session.df, KEY_CLASS, data[1])

    if key is None:
        raise Refusal(StatusWord.REFERENCED_DATA_NOT_FOUND)

    parts = key_parts(chip.image, key)
    chip.require(key.df, parts[0].condition(ObjectOperation.CHANGE))

    if len(parts[0].access) > _GENKEY:
        chip.require(key.df, parts[0].access[_GENKEY])

    path, file = _public_file(chip, data[2:4])
    bodies, public = _key_pair(chip, parts, file)
    writes = [
        PutObject(ObjectKey(key.df, KEY_CLASS + place, key.id), replace(part, body=body))
        for place, (part, body) in enumerate(zip(parts, bodies, strict=True))
    ]
    return b"", StatusWord.SUCCESS, (*writes, PutFile(path, public))


def _public_file(chip: Chip, file_id: bytes) -> tuple[bytes, Ef]:
    path = chip.child(chip.session.df, file_id)
    file = chip.image.files.get(path) if path else None

    if path is None or not isinstance(file, Ef):
        raise Refusal(StatusWord.FILE_NOT_FOUND)

    chip.require_active(path)
    chip.require_of_file(path, EfOperation.UPDATE)
    return path, file


def _key_pair(chip: Chip, parts: Sequence[SecurityObject], file: Ef) -> tuple[tuple[bytes, ...], Ef]:
    """Return the new bodies of the components and the file with the public key."""
    if parts[0].algorithm in EC:
        key = EcPrivateKey.generate(chip.entropy, curve_of(parts[0]))
        return (ec_body(key),), _transparent(file, _template((0x86, key.public_point)))

    sizes = [len(bare_body(part)) for part in parts]

    if has_prefix(parts[0]) and len(parts) == 2 and sizes[0] == sizes[1]:
        rsa = _rsa(chip, 8 * sizes[0])
        bodies = tuple(prefixed(number.to_bytes(sizes[0])) for number in (rsa.n, rsa.d))
        return bodies, _with_record_pair(file, rsa)

    if not has_prefix(parts[0]) and len(parts) == 5 and len(set(sizes)) == 1:
        rsa = _rsa(chip, 16 * sizes[0])
        numbers = (rsa.p, rsa.q, rsa.dp, rsa.dq, rsa.qinv)
        modulus, exponent = rsa.n.to_bytes(rsa.size), _EXPONENT.to_bytes(3)
        bodies = tuple(number.to_bytes(sizes[0]) for number in numbers)
        return bodies, _transparent(file, _template((0x81, modulus), (0x82, exponent)))

    raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)


def _rsa(chip: Chip, bits: int) -> RsaPrivateKey:
    if bits > chip.model.max_rsa_bits:
        raise Refusal(StatusWord.FUNCTION_NOT_SUPPORTED)

    try:
        return RsaPrivateKey.generate(chip.entropy, bits, _EXPONENT, fresh=chip.fresh_keys)
    except UnsupportedKeyError:
        raise Refusal(StatusWord.FUNCTION_NOT_SUPPORTED) from None


def _template(*values: tuple[int, bytes]) -> bytes:
    return Tlv.constructed(0x7F49, (Tlv(tag, value) for tag, value in values)).encode()


def _transparent(file: Ef, public: bytes) -> Ef:
    if file.kind is not FileKind.TRANSPARENT:
        raise Refusal(StatusWord.COMMAND_INCOMPATIBLE_WITH_FILE_STRUCTURE)

    if len(public) > file.size:
        raise Refusal(StatusWord.NOT_ENOUGH_MEMORY)

    return replace(file, content=public + file.content[len(public) :])


def _with_record_pair(file: Ef, key: RsaPrivateKey) -> Ef:
    if file.kind is not FileKind.LINEAR_TLV:
        raise Refusal(StatusWord.COMMAND_INCOMPATIBLE_WITH_FILE_STRUCTURE)

    file = replace(file, records=())

    for tag, number in ((_MODULUS_RECORD, key.n.to_bytes(key.size)), (_EXPONENT_RECORD, key.e.to_bytes(3))):
        value = prefixed(number)
        file = appended(file, bytes((tag, len(value))) + value)

    return file
