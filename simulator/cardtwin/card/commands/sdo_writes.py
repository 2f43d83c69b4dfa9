"""What PUT DATA makes of security data objects: objects of the memory, created, changed and deleted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cardtwin.card.chip.algorithms import KEY_CLASS, PIN, TEST_CLASS
from cardtwin.card.chip.iasecc import COMPONENTS, PUBLIC_CLASS, KeyOperation, SdoClass, sdo_access
from cardtwin.card.errors import Refusal
from cardtwin.card.memory import ObjectKey, SecurityObject
from cardtwin.card.memory.access import NEVER, DfOperation, ObjectOperation
from cardtwin.card.memory.writes import DropObject, PutObject
from cardtwin.events import CardChange
from cardtwin.iso7816 import StatusWord, Tlv

if TYPE_CHECKING:
    from cardtwin.card.chip import Chip
    from cardtwin.card.commands.form import Outcome

__all__ = [
    "change",
    "create",
    "delete",
    "key_components",
    "private_parts",
    "public_part",
    "public_values",
    "with_public_values",
]

_RULES: Final = 0xA1
_SIZE: Final = 0x80
_MAX_TRIES, _TRIES_LEFT = 0x9A, 0x9B
_PIN_MAXIMUM, _PIN_MINIMUM, _PIN_VALUE = 0x80, 0x81, 0x82
_PIN_PUT: Final = 3
_COMPULSORY: Final = 0x80
_PUBLIC_KEY: Final = 0x7F49
_PUBLIC_TAGS: Final = {0x81, 0x82, 0x5F20, 0x5F4C}
_SIGNS, _DECIPHERS = 0x8A, 0x0A
_PRIVATE, _CONTINUES = 0x02, 0x20
_UNLIMITED: Final = 0xFF
_LONGEST_PIN: Final = 64


def create(chip: Chip, class_: SdoClass, key: ObjectKey, parameters: Tlv, values: Tlv | None) -> Outcome:
    """Create an SDO in the current DF, a PIN with its values, a key without; or change the rules of one."""
    chip.current_df()
    told = {found.tag: found for found in parameters.children()}
    access = sdo_access(class_, told.get(_RULES, Tlv(_RULES)))

    if key in chip.image.objects:
        return _change_rules(chip, key, access, only=told.keys() == {_RULES} and values is None)

    if class_ is SdoClass.PIN:
        made = {key: _pin(told, access, values)}
    elif values is not None:
        raise Refusal(StatusWord.WRONG_DATA)
    elif class_ is SdoClass.PUBLIC_KEY:
        made = {key: public_part(access)}
    else:
        made = _private_key(chip, key, told, access)

    chip.require_of_file(key.df, DfOperation.APPEND)
    chip.require_room(sum(found.footprint for found in made.values()))
    return b"", StatusWord.SUCCESS, tuple(PutObject(at, found) for at, found in made.items())


def _change_rules(chip: Chip, key: ObjectKey, access: bytes, *, only: bool) -> Outcome:
    """Give an SDO other access rules; 6985 where more is given (rule ``card.iasecc-change-of-rules``)."""
    if not only:
        raise Refusal(StatusWord.CONDITIONS_OF_USE_NOT_SATISFIED)

    chip.require_of_file(key.df, DfOperation.UPDATE)
    writes = (
        PutObject(at, replace(chip.object(at), access=access), CardChange.ACCESS_CHANGED)
        for at in _parts(chip, key)
    )
    return b"", StatusWord.SUCCESS, tuple(writes)


def _parts(chip: Chip, key: ObjectKey) -> tuple[ObjectKey, ...]:
    """Return the objects of the memory that an SDO is made of."""
    classes = range(KEY_CLASS, KEY_CLASS + len(COMPONENTS)) if key.class_ == KEY_CLASS else (key.class_,)
    keys = (ObjectKey(key.df, class_, key.id) for class_ in classes)
    return tuple(at for at in keys if at in chip.image.objects)


def _pin(told: dict[int, Tlv], access: bytes, values: Tlv | None) -> SecurityObject:
    given = {found.tag: found.value for found in values.children()} if values else {}
    tries = _byte(told.get(_MAX_TRIES))
    body = given.get(_PIN_VALUE, b"")
    least = int.from_bytes(given.get(_PIN_MINIMUM, b"\0"))

    if given.keys() - {_PIN_MAXIMUM, _PIN_MINIMUM, _PIN_VALUE} or not 1 <= tries <= 15:
        raise Refusal(StatusWord.WRONG_DATA)

    if not 1 <= len(body) <= _LONGEST_PIN or given.get(_PIN_MAXIMUM, bytes((len(body),))) != bytes(
        (len(body),)
    ):
        raise Refusal(StatusWord.WRONG_DATA)

    if least > len(body):
        raise Refusal(StatusWord.WRONG_DATA)

    left = _byte(told.get(_TRIES_LEFT, told[_MAX_TRIES]))
    made = _object(PIN, access, body)
    return replace(made, flags=tries, tries_left=min(left, tries), min_length=least)


def _byte(found: Tlv | None) -> int:
    if found is None or len(found.value) != 1:
        raise Refusal(StatusWord.WRONG_DATA)

    return found.value[0]


def _object(algorithm: int, access: bytes, body: bytes, option: int = _PRIVATE) -> SecurityObject:
    return SecurityObject(
        option=option,
        flags=0,
        algorithm=algorithm,
        tries_left=0,
        uses_left=_UNLIMITED,
        dek=_UNLIMITED,
        consent=0,
        min_length=0,
        access=access,
        body=body,
    )


def _private_key(
    chip: Chip, key: ObjectKey, told: dict[int, Tlv], access: bytes
) -> dict[ObjectKey, SecurityObject]:
    """Return a private key without value: five components filled with FF."""
    size = int.from_bytes(told[_SIZE].value) if _SIZE in told else 0

    if not 64 <= size <= chip.model.max_rsa_bits // 8 or size % 4:
        raise Refusal(StatusWord.WRONG_DATA)

    algorithm = _SIGNS if access[KeyOperation.DECIPHER] == NEVER else _DECIPHERS
    return private_parts(key, size // 2, access, algorithm)


def public_part(access: bytes) -> SecurityObject:
    """Return a public key without value."""
    return _object(_SIGNS, access, Tlv(_PUBLIC_KEY).encode())


def private_parts(
    key: ObjectKey, size: int, access: bytes, algorithm: int
) -> dict[ObjectKey, SecurityObject]:
    """Return the five components of an RSA key without value, of so many bytes each.

    The first one comes last: where the power goes while they are written, there is no key yet.
    """
    last = len(COMPONENTS) - 1
    return {
        ObjectKey(key.df, KEY_CLASS + place, key.id): _object(
            algorithm, access, b"\xff" * size, _PRIVATE | (_CONTINUES if place < last else 0)
        )
        for place in reversed(range(len(COMPONENTS)))
    }


def change(chip: Chip, key: ObjectKey, values: Tlv) -> Outcome:
    """Put values into an SDO that is there."""
    found = chip.object(key)
    given = {part.tag: part.value for part in values.children()}
    chip.require(key.df, found.condition(_PIN_PUT if key.class_ == TEST_CLASS else ObjectOperation.CHANGE))

    if not given:
        raise Refusal(StatusWord.WRONG_DATA)

    if key.class_ == TEST_CLASS:
        return b"", StatusWord.SUCCESS, (_changed_pin(chip, key, given),)

    # What a key must be used for is said once more in values of its own, of which nothing comes.
    given.pop(_COMPULSORY, None)

    if key.class_ == PUBLIC_CLASS:
        changed = with_public_values(found, given)
        chip.require_room(changed.footprint - found.footprint)
        return b"", StatusWord.SUCCESS, (PutObject(key, changed),)

    return b"", StatusWord.SUCCESS, key_components(chip, key, given)


def _changed_pin(chip: Chip, key: ObjectKey, given: dict[int, bytes]) -> PutObject:
    pin = chip.object(key)

    if given.keys() != {_PIN_VALUE}:
        raise Refusal(StatusWord.WRONG_DATA)

    if len(given[_PIN_VALUE]) != len(pin.body):
        raise Refusal(StatusWord.WRONG_LENGTH)

    chip.fail_test(key)
    return PutObject(key, replace(pin, body=given[_PIN_VALUE], tries_left=pin.max_tries), detail="new PIN")


def key_components(chip: Chip, key: ObjectKey, given: dict[int, bytes]) -> tuple[PutObject, ...]:
    """Return the writes that put components, by tag, into a private key; 6A80 for others and longer ones."""
    writes = []

    for tag, value in given.items():
        if tag not in COMPONENTS:
            raise Refusal(StatusWord.WRONG_DATA)

        at = ObjectKey(key.df, KEY_CLASS + COMPONENTS.index(tag), key.id)
        part = chip.object(at)

        if not 1 <= len(value) <= len(part.body):
            raise Refusal(StatusWord.WRONG_DATA)

        writes.append(PutObject(at, replace(part, body=value.rjust(len(part.body), b"\0"))))

    return tuple(writes)


def public_values(found: SecurityObject) -> dict[int, bytes]:
    """Return what a public key's object holds, by tag: 81 modulus, 82 exponent, 5F20 and 5F4C holder."""
    return {part.tag: part.value for part in Tlv.parse(found.body).children()}


def with_public_values(found: SecurityObject, given: dict[int, bytes]) -> SecurityObject:
    """Return a public key's object with other values. Refuses with 6A80 tags that it can't have."""
    if given.keys() - _PUBLIC_TAGS:
        raise Refusal(StatusWord.WRONG_DATA)

    values = {**public_values(found), **given}
    body = Tlv.constructed(_PUBLIC_KEY, (Tlv(tag, values[tag]) for tag in sorted(values)))
    return replace(found, body=body.encode())


def delete(chip: Chip, key: ObjectKey) -> Outcome:
    """Delete an SDO; with a private key all its components."""
    chip.require_of_file(key.df, DfOperation.UPDATE)
    chip.fail_test(key)
    return b"", StatusWord.SUCCESS, tuple(DropObject(at) for at in _parts(chip, key))
