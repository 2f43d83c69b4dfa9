"""PUT DATA OCI and SECI, CHANGE KEY DATA: storing, changing and deleting PINs, keys and environments."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cardtwin.card.chip.algorithms import has_prefix, prefixed, stored_algorithms
from cardtwin.card.chip.plain_tlv import parse_plain
from cardtwin.card.errors import Refusal
from cardtwin.card.memory import ObjectKey, SecurityEnvironment, SecurityObject
from cardtwin.card.memory.access import DfOperation, ObjectOperation
from cardtwin.card.memory.writes import DropObject, PutEnvironment, PutObject
from cardtwin.events import CardChange
from cardtwin.iso7816 import StatusWord

if TYPE_CHECKING:
    from cardtwin.card.chip import Chip
    from cardtwin.card.commands.form import Outcome
    from cardtwin.iso7816 import CommandApdu

__all__ = ["change_key_data", "put_environment", "put_object"]

_TELLS_TRIES: Final = 0x04
_ENVIRONMENT_LENGTH: Final = 6
_CLASSES: Final = range(0x80)


def put_object(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Store an object in the current DF, overwrite it, change its conditions alone, or delete it.

    ``83 02 class id`` with 85, 86, 8F stores or overwrites; with 86 alone it changes the conditions; with an
    empty 8F alone it deletes (a form of ours).
    """
    values = parse_plain(apdu.data, known={0x83, 0x85, 0x86, 0x8B, 0x8F})
    key = _key(chip, values)
    parts = values.keys() - {0x83}
    chip.current_df()

    if parts == {0x8F} and not values[0x8F]:
        return _delete(chip, key)

    if parts == {0x86}:
        return _change_conditions(chip, key, values[0x86])

    if not parts >= {0x85, 0x86, 0x8F} or not values[0x8F] or values.get(0x8B, b"").strip(b"\xff"):
        raise Refusal(StatusWord.WRONG_DATA)

    return _store(chip, key, _parse(chip, key, values))


def _key(chip: Chip, values: dict[int, bytes]) -> ObjectKey:
    address = values.get(0x83, b"")

    if len(address) != 2 or address[0] not in _CLASSES or not 1 <= address[1] <= 0xFE:
        raise Refusal(StatusWord.WRONG_DATA)

    return ObjectKey(chip.session.df, address[0], address[1])


def _parse(chip: Chip, key: ObjectKey, values: dict[int, bytes]) -> SecurityObject:
    parameters = values[0x85]

    if len(parameters) not in {8, 9}:
        raise Refusal(StatusWord.WRONG_DATA)

    # With nine bytes the second one is a second option byte, which the shorter form doesn't have.
    more = parameters[1] if len(parameters) == 9 else 0
    option, *rest = parameters if len(parameters) == 8 else parameters[:1] + parameters[2:]
    flags, algorithm, tries, uses, dek, consent, least = rest

    if algorithm not in stored_algorithms(chip.model, key.class_):
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    return SecurityObject(
        option=option,
        flags=flags,
        algorithm=algorithm,
        tries_left=min(tries, flags & 0x0F),
        uses_left=uses,
        dek=dek,
        consent=consent,
        min_length=least,
        access=values[0x86],
        body=values[0x8F],
        tells_tries=bool(more & _TELLS_TRIES),
    )


def _store(chip: Chip, key: ObjectKey, stored: SecurityObject) -> Outcome:
    before = chip.image.objects.get(key)
    operation = DfOperation.APPEND if before is None else DfOperation.UPDATE
    chip.require_of_file(key.df, operation)
    chip.require_room(stored.footprint - (before.footprint if before else 0))
    chip.fail_test(key)
    return b"", StatusWord.SUCCESS, (PutObject(key, stored),)


def _existing(chip: Chip, key: ObjectKey) -> SecurityObject:
    found = chip.image.objects.get(key)

    if found is None:
        raise Refusal(StatusWord.REFERENCED_DATA_NOT_FOUND)

    chip.require_of_file(key.df, DfOperation.UPDATE)
    return found


def _delete(chip: Chip, key: ObjectKey) -> Outcome:
    _existing(chip, key)
    chip.fail_test(key)
    return b"", StatusWord.SUCCESS, (DropObject(key),)


def _change_conditions(chip: Chip, key: ObjectKey, access: bytes) -> Outcome:
    changed = replace(_existing(chip, key), access=access)
    return b"", StatusWord.SUCCESS, (PutObject(key, changed, CardChange.ACCESS_CHANGED),)


def put_environment(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Store a security environment in the current DF: ``83 01 number 86 02 USE CHANGE 8F 06 components``."""
    values = parse_plain(apdu.data, known={0x83, 0x86, 0x8F})
    df = chip.session.df
    chip.current_df()

    if [len(values.get(tag, b"")) for tag in (0x83, 0x86, 0x8F)] != [1, 2, _ENVIRONMENT_LENGTH]:
        raise Refusal(StatusWord.WRONG_DATA)

    number = values[0x83][0]
    environment = SecurityEnvironment(values[0x86], values[0x8F])
    known = (df, number) in chip.image.environments
    chip.require_of_file(df, DfOperation.UPDATE if known else DfOperation.APPEND)
    chip.require_room(0 if known else environment.footprint)
    return b"", StatusWord.SUCCESS, (PutEnvironment(df, number, environment),)


def change_key_data(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Put another body into an object: P1 class, P2 id, data ``n+1 00 body``."""
    key = chip.image.find_object(chip.session.df, apdu.p1, apdu.p2)

    if key is None:
        raise Refusal(StatusWord.REFERENCED_DATA_NOT_FOUND)

    chip.require_active(key.df)
    found = chip.object(key)
    body = apdu.data if has_prefix(found) else apdu.data[2:]

    if apdu.data[:2] != prefixed(apdu.data[2:])[:2]:
        raise Refusal(StatusWord.LC_INCONSISTENT_WITH_TLV)

    if len(body) != len(found.body):
        raise Refusal(StatusWord.WRONG_LENGTH)

    chip.require(key.df, found.condition(ObjectOperation.CHANGE))
    chip.fail_test(key)
    changed = replace(found, body=body, tries_left=found.max_tries)
    return b"", StatusWord.SUCCESS, (PutObject(key, changed),)
