"""Keys as AuthentIC V2 has them, each behind a file: import, generation, signing, deciphering."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.card.chip.algorithms import KEY_CLASS
from cardtwin.card.chip.authentic import KeyOperation
from cardtwin.card.chip.iasecc import PUBLIC_CLASS
from cardtwin.card.chip.session import KeyChoice
from cardtwin.card.commands import environment
from cardtwin.card.commands.form import DONE, Outcome
from cardtwin.card.commands.iasecc_keys import new_rsa
from cardtwin.card.commands.operations import carried_out, chosen_key, crypto_refused, use_key
from cardtwin.card.commands.sdo_writes import key_components, public_values, with_public_values
from cardtwin.card.crypto import RsaPrivateKey, unpad_encryption
from cardtwin.card.errors import Refusal
from cardtwin.card.memory import Ef, FileKind, ObjectKey
from cardtwin.card.memory.access import DfOperation
from cardtwin.card.memory.writes import PutObject, Write
from cardtwin.iso7816 import StatusWord

if TYPE_CHECKING:
    from cardtwin.card.chip import Chip
    from cardtwin.iso7816 import CommandApdu

__all__ = ["begin_component", "choose", "decipher", "generate", "put_component", "read_component", "sign"]

_TYPES: Final = {0xA1: FileKind.RSA_PUBLIC, 0xA3: FileKind.RSA_PRIVATE}
_PRIVATE: Final = {1: 0x92, 2: 0x93, 3: 0x94, 4: 0x95, 5: 0x96}
_PUBLIC: Final = {1: 0x81, 2: 0x82}
_MODULUS, _EXPONENT = 0x81, 0x82
"""The numbers of components: p, q, 1/q mod p, dp, dq; modulus, exponent."""

_PKCS1: Final = bytes.fromhex("800111")
_LONGEST: Final = 96
_UPDATE: Final = 0
_F4: Final = 65537


def _key_file(chip: Chip, kind: FileKind) -> tuple[ObjectKey, Ef]:
    """Return the key of the current file, and the file. Refuses with 6981 a file of another kind."""
    file, path = chip.current_ef(), chip.session.ef or b""

    if file.kind is not kind:
        raise Refusal(StatusWord.COMMAND_INCOMPATIBLE_WITH_FILE_STRUCTURE)

    class_ = PUBLIC_CLASS if kind is FileKind.RSA_PUBLIC else KEY_CLASS
    return ObjectKey(path[:-2], class_, int.from_bytes(path[-2:])), file


def begin_component(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Take the beginning of a component that one command doesn't hold."""
    kind, value = _value(apdu)
    chip.session.component = bytes((kind, apdu.p1)) + value
    return DONE


def put_component(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Put a component into the key of the current file: ``type length value 00``; P1 is its number."""
    kind, value = _value(apdu)
    begun, chip.session.component = chip.session.component, b""
    key, file = _key_file(chip, kind)
    chip.require(key.df, file.access[_UPDATE])
    tag = (_PUBLIC if kind is FileKind.RSA_PUBLIC else _PRIVATE).get(apdu.p1)

    if tag is None:
        raise Refusal(StatusWord.INCORRECT_P1_P2)

    if begun[:2] == bytes((kind, apdu.p1)):
        value = begun[2:] + value

    if kind is FileKind.RSA_PRIVATE:
        return b"", StatusWord.SUCCESS, key_components(chip, key, {tag: value})

    if len(value) > int.from_bytes(file.options) // 8:
        raise Refusal(StatusWord.WRONG_DATA)

    return b"", StatusWord.SUCCESS, (_with_public(chip, key, {tag: value}),)


def _value(apdu: CommandApdu) -> tuple[FileKind, bytes]:
    data = apdu.data

    if len(data) < 3 or data[0] not in _TYPES or data[1] != len(data) - 3 or data[-1]:
        raise Refusal(StatusWord.WRONG_DATA)

    return _TYPES[data[0]], data[2:-1]


def _with_public(chip: Chip, key: ObjectKey, values: dict[int, bytes]) -> Write:
    found = chip.object(key)
    changed = with_public_values(found, values)
    chip.require_room(changed.footprint - found.footprint)
    return PutObject(key, changed)


def read_component(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Tell the modulus (P1 1) or the exponent (2) of the public key of the current file."""
    key, _ = _key_file(chip, FileKind.RSA_PUBLIC)

    if apdu.data:
        raise Refusal(StatusWord.WRONG_LENGTH)

    value = public_values(chip.object(key)).get(_PUBLIC.get(apdu.p1, 0))

    if value is None:
        raise Refusal(StatusWord.REFERENCED_DATA_NOT_FOUND)

    return value, StatusWord.SUCCESS, ()


def generate(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Generate a pair into two files of the current DF: ``public private``, perhaps ``length exponent``."""
    data = apdu.data

    if len(data) < 4 or (data[4:] and (len(data) < 6 or data[4] != len(data) - 5)):
        raise Refusal(StatusWord.WRONG_LENGTH)

    public, public_file = _of_df(chip, data[:2], FileKind.RSA_PUBLIC)
    private, file = _of_df(chip, data[2:4], FileKind.RSA_PRIVATE)

    if public_file.options != file.options:
        raise Refusal(StatusWord.WRONG_DATA)

    chip.require_of_file(chip.session.df, DfOperation.APPEND)

    for key, each in ((public, public_file), (private, file)):
        chip.require(key.df, each.access[_UPDATE])

    made = new_rsa(chip, int.from_bytes(file.options), int.from_bytes(data[5:]) or _F4)
    half = made.size // 2
    numbers = {0x92: made.p, 0x93: made.q, 0x94: made.qinv, 0x95: made.dp, 0x96: made.dq}
    values = {tag: number.to_bytes(half) for tag, number in numbers.items()}
    exponent = made.e.to_bytes((made.e.bit_length() + 7) // 8)
    told = _with_public(chip, public, {_MODULUS: made.n.to_bytes(made.size), _EXPONENT: exponent})
    return b"", StatusWord.SUCCESS, (*key_components(chip, private, values), told)


def _of_df(chip: Chip, file_id: bytes, kind: FileKind) -> tuple[ObjectKey, Ef]:
    path = chip.child(chip.session.df, file_id)
    file = chip.image.files.get(path) if path else None

    if not isinstance(file, Ef):
        raise Refusal(StatusWord.FILE_NOT_FOUND)

    if file.kind is not kind:
        raise Refusal(StatusWord.COMMAND_INCOMPATIBLE_WITH_FILE_STRUCTURE)

    class_ = PUBLIC_CLASS if kind is FileKind.RSA_PUBLIC else KEY_CLASS
    return ObjectKey(chip.session.df, class_, int.from_bytes(file_id)), file


def choose(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Choose the key of the current file, with PKCS#1 padding: ``80 01 11``."""
    if apdu.data != _PKCS1:
        raise Refusal(StatusWord.WRONG_DATA)

    key, _ = _key_file(chip, FileKind.RSA_PRIVATE)
    chip.session.environment[apdu.p2] = KeyChoice(key.id)
    return DONE


def sign(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Sign a DigestInfo of 96 bytes at most, which the card pads."""
    choice = chosen_key(chip, environment.SIGNATURE)

    if not 1 <= len(apdu.data) <= _LONGEST:
        raise Refusal(StatusWord.WRONG_LENGTH)

    used = use_key(chip, choice.reference, KeyOperation.SIGN)

    with crypto_refused():
        return carried_out(chip, used, _rsa(used.private).sign_pkcs1(apdu.data))


def decipher(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Decipher a cryptogram, with nothing before it, and take the padding off."""
    choice = chosen_key(chip, environment.CONFIDENTIALITY)
    used = use_key(chip, choice.reference, KeyOperation.DECIPHER)
    private = _rsa(used.private)

    if len(apdu.data) != private.size:
        raise Refusal(StatusWord.WRONG_LENGTH)

    with crypto_refused():
        return carried_out(chip, used, unpad_encryption(private.raw(apdu.data)))


def _rsa(private: object) -> RsaPrivateKey:
    if not isinstance(private, RsaPrivateKey):
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    return private
