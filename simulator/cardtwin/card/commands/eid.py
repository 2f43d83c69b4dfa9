"""What an eID on Cosmo 8 does its own way: PIN counters, keys on the curve P-384."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cardtwin.card.chip.algorithms import TEST_CLASS
from cardtwin.card.chip.iasecc import KeyOperation
from cardtwin.card.commands import binary, environment
from cardtwin.card.commands.operations import carried_out, chosen_key, crypto_refused, use_key
from cardtwin.card.crypto import EcPrivateKey
from cardtwin.card.errors import Refusal
from cardtwin.iso7816 import StatusWord, Tlv, TlvFormatError

if TYPE_CHECKING:
    from cardtwin.card.chip import Chip
    from cardtwin.card.chip.session import KeyChoice
    from cardtwin.card.commands.form import Outcome
    from cardtwin.card.commands.operations import KeyInUse
    from cardtwin.iso7816 import CommandApdu

__all__ = ["agree", "authenticate", "choose", "get_data", "read", "sign"]

_LONGEST_READ: Final = 0xE7
_LOCAL: Final = 0x80
_ALGORITHM, _KEY = 0x80, 0x84
_ALGORITHMS: Final = {
    environment.AUTHENTICATION: {"FF200800", "04"},
    environment.SIGNATURE: {"FF150800", "54"},
    environment.CONFIDENTIALITY: {"FF300400", "04", "0B"},
}
"""The algorithm references that clients use, in their long form and in their short one."""

_PLAIN: Final = b"\x00"
_REQUEST: Final = bytes.fromhex("4D087006BF81")
_PARAMETERS: Final = bytes.fromhex("02A080")
_PIN_RULES: Final = bytes.fromhex("F30000734300")
"""The access rules that each PIN of such cards tells, the same over contacts and without."""


def read(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Read from an offset, 231 bytes at most."""
    return binary.read(chip, replace(apdu, le=min(apdu.le or 0, _LONGEST_READ) or None))


def get_data(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Tell a PIN's tries: ``4D {70 {BF 81 reference {A0 80}}}``, from the current DF on upwards."""
    data = apdu.data

    if len(data) != len(_REQUEST) + 1 + len(_PARAMETERS):
        raise Refusal(StatusWord.WRONG_DATA)

    if data[: len(_REQUEST)] != _REQUEST or data[len(_REQUEST) + 1 :] != _PARAMETERS:
        raise Refusal(StatusWord.WRONG_DATA)

    reference = data[len(_REQUEST)]
    key = chip.image.find_object(chip.session.df, TEST_CLASS, reference)

    if key is None:
        raise Refusal(StatusWord.REFERENCED_DATA_NOT_FOUND)

    pin = chip.object(key)
    rules = Tlv.constructed(0xA1, (Tlv(0x8C, _PIN_RULES), Tlv(0x9C, _PIN_RULES)))
    tries = (Tlv(0x9A, bytes((pin.max_tries,))), Tlv(0x9B, bytes((pin.tries_left,))))
    told = Tlv.constructed(0xBF8100 | reference, (Tlv.constructed(0xA0, (*tries, rules)),))
    return Tlv.constructed(0x70, (told,)).encode(), StatusWord.SUCCESS, ()


def choose(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Choose algorithm and key: ``80 algorithm 84 01 key``, whose bit 80 says that it is the DF's own."""
    try:
        objects = Tlv.parse_all(apdu.data)
    except TlvFormatError:
        raise Refusal(StatusWord.LC_INCONSISTENT_WITH_TLV) from None

    values = {found.tag: found.value for found in objects}
    algorithm, key = values.get(_ALGORITHM, b""), values.get(_KEY, b"")

    if len(objects) != len(values) or values.keys() != {_ALGORITHM, _KEY} or len(key) != 1:
        raise Refusal(StatusWord.WRONG_DATA)

    if algorithm.hex().upper() not in _ALGORITHMS[apdu.p2]:
        raise Refusal(StatusWord.WRONG_DATA)

    return environment.choose(chip, apdu.p2, key[0] & ~_LOCAL)


def authenticate(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Sign a digest with the key chosen for authentication: gives r || s."""
    return _signed(chip, apdu, chosen_key(chip, environment.AUTHENTICATION), KeyOperation.AUTHENTICATE)


def sign(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Sign a digest with the key chosen for signatures: gives r || s."""
    return _signed(chip, apdu, chosen_key(chip, environment.SIGNATURE), KeyOperation.SIGN)


def _signed(chip: Chip, apdu: CommandApdu, choice: KeyChoice, operation: KeyOperation) -> Outcome:
    """Sign a digest that is as long as a coordinate: clients fill shorter ones up from the left."""
    used, private = _curve_key(chip, choice, operation)

    if len(apdu.data) != private.curve.size:
        raise Refusal(StatusWord.WRONG_LENGTH)

    return carried_out(chip, used, private.sign(apdu.data, chip.entropy))


def agree(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Agree on a key with ``00 04 X Y``, the peer's point: gives the shared X."""
    choice = chosen_key(chip, environment.CONFIDENTIALITY)
    used, private = _curve_key(chip, choice, KeyOperation.DECIPHER)

    if len(apdu.data) != 2 + 2 * private.curve.size:
        raise Refusal(StatusWord.WRONG_LENGTH)

    if apdu.data[:1] != _PLAIN:
        raise Refusal(StatusWord.WRONG_DATA)

    with crypto_refused():
        return carried_out(chip, used, private.agree(apdu.data[1:]))


def _curve_key(chip: Chip, choice: KeyChoice, operation: KeyOperation) -> tuple[KeyInUse, EcPrivateKey]:
    used = use_key(chip, choice.reference, operation)

    if not isinstance(used.private, EcPrivateKey):
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    return used, used.private
