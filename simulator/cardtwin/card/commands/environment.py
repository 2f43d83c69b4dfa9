"""MANAGE SECURITY ENVIRONMENT: which key the next operation takes (ISO/IEC 7816-4:2020, 11.5.11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.card.chip.session import KeyChoice
from cardtwin.card.commands.form import DONE, Outcome
from cardtwin.card.errors import Refusal
from cardtwin.card.memory import climb
from cardtwin.card.memory.access import ObjectOperation
from cardtwin.iso7816 import StatusWord, Tlv, TlvFormatError

if TYPE_CHECKING:
    from cardtwin.card.chip import Chip
    from cardtwin.card.memory import SecurityEnvironment
    from cardtwin.iso7816 import CommandApdu

__all__ = [
    "AUTHENTICATION",
    "CONFIDENTIALITY",
    "SIGNATURE",
    "choose",
    "enter",
    "restore",
    "set_key",
    "set_key_and_algorithm",
    "template_values",
]

AUTHENTICATION: Final = 0xA4
SIGNATURE: Final = 0xB6
CONFIDENTIALITY: Final = 0xB8

_DEFAULT: Final = 0x01
_RSA_COMPONENT: Final = 3  # the fourth byte of a stored environment names the RSA key

_ALGORITHMS: Final = {
    AUTHENTICATION: {0x10, 0x30},
    SIGNATURE: {0x10, 0x30},
    CONFIDENTIALITY: {0x0A, 0x10, 0x30},
}


def enter(chip: Chip, df: bytes) -> None:
    """Make a DF the current one; its security environment 01, or an empty one, comes into force."""
    session = chip.session

    if session.df != df:
        session.df = df
        stored = chip.image.environments.get((df, _DEFAULT))
        session.environment = _choices(stored) if stored else {}


def _choices(stored: SecurityEnvironment) -> dict[int, KeyChoice]:
    reference = stored.components[_RSA_COMPONENT : _RSA_COMPONENT + 1]

    if not reference.strip(b"\0"):
        return {}

    choice = KeyChoice(reference[0])
    return {SIGNATURE: choice, CONFIDENTIALITY: choice, AUTHENTICATION: choice}


def restore(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Put a stored security environment of the current DF, or of one above it, into force."""
    for df in climb(chip.session.df):
        stored = chip.image.environments.get((df, apdu.p2))

        if stored is not None:
            chip.require(df, stored.access[ObjectOperation.USE])
            chip.session.environment = _choices(stored)
            return DONE

    raise Refusal(StatusWord.REFERENCED_DATA_NOT_FOUND)


def set_key(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Choose the key for one kind of operation: ``83 01 id``. The key itself says the algorithm."""
    values = template_values(apdu.data, {0x83})
    return choose(chip, apdu.p2, values[0x83])


def set_key_and_algorithm(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Choose key and algorithm: ``84 01 id`` (or 83), ``95 01 usage``, ``80 01 algorithm``."""
    values = template_values(apdu.data, {0x80, 0x83, 0x84, 0x95})
    reference = values.get(0x84, values.get(0x83))
    algorithm = values.get(0x80)

    if reference is None or (algorithm is not None and algorithm not in _ALGORITHMS[apdu.p2]):
        raise Refusal(StatusWord.WRONG_DATA)

    return choose(chip, apdu.p2, reference, algorithm)


def choose(chip: Chip, template: int, reference: int, algorithm: int | None = None) -> Outcome:
    """Choose a key that is there for one kind of operation; 6A88 where it isn't."""
    if chip.image.find_object(chip.session.df, 0x20, reference) is None:
        raise Refusal(StatusWord.REFERENCED_DATA_NOT_FOUND)

    chip.session.environment[template] = KeyChoice(reference, algorithm)
    return DONE


def template_values(data: bytes, known: set[int]) -> dict[int, int]:
    """Return the one-byte values of a template by tag; 6A85 or 6A80 where it isn't made of these tags."""
    try:
        objects = Tlv.parse_all(data)
    except TlvFormatError:
        raise Refusal(StatusWord.LC_INCONSISTENT_WITH_TLV) from None

    if not objects or any(found.tag not in known or len(found.value) != 1 for found in objects):
        raise Refusal(StatusWord.WRONG_DATA)

    values = {found.tag: found.value[0] for found in objects}

    if len(values) < len(objects):
        raise Refusal(StatusWord.WRONG_DATA)

    return values
