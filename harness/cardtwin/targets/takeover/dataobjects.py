"""Cards that keep PINs and keys as data objects (IAS-ECC): what GET DATA tells of them, which model fits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cardtwin.card import models
from cardtwin.card.chip.algorithms import PIN
from cardtwin.card.chip.iasecc import RULES, KeyOperation, SdoClass, memory_class, sdo_access
from cardtwin.card.commands.sdo_writes import private_parts
from cardtwin.card.errors import Refusal
from cardtwin.card.memory import ObjectKey, SecurityObject, climb, parent
from cardtwin.card.memory.access import NEVER
from cardtwin.iso7816 import StatusWord, Tlv, TlvFormatError
from cardtwin.middleware.drivers import data_objects
from cardtwin.targets.errors import TargetError
from cardtwin.targets.takeover.memory import ASSUMED_TRIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cardtwin.card import CardModel
    from cardtwin.middleware.drivers import DataObjectDriver
    from cardtwin.targets.takeover.files import FileFound

__all__ = ["models_for", "told_objects"]

_GET: Final = "00CB3FFF"
_UNKNOWN: Final = frozenset({StatusWord.INSTRUCTION_NOT_SUPPORTED, StatusWord.CLASS_NOT_SUPPORTED})
_SIZE: Final = 0x80
_SIZES: Final = range(64, 513)
"""Bytes of a modulus. Another size that is told is none of a key."""

_MAX_TRIES, _TRIES_LEFT = 0x9A, 0x9B
_MOST_TRIES: Final = 15
_SIGNS, _DECIPHERS = 0x8A, 0x0A
_PUBLIC_KEY: Final = 0x7F49
_UNLIMITED: Final = 0xFF


def models_for(driver: DataObjectDriver, atr: bytes) -> tuple[CardModel, ...]:
    """Return the models that a driver's card may be of: the one of its ATR, else all of the family.

    Raises:
        TargetError: The catalogue has none.
    """
    family = tuple(model for model in map(models.get, models.names()) if model.atr in driver.atrs)
    same = tuple(model for model in family if model.atr == atr)

    if not family:
        raise TargetError(f"no card model is a {driver.title}; there are {', '.join(models.names())}")

    return same or family


def told_objects(
    driver: DataObjectDriver, files: Mapping[bytes, FileFound]
) -> Iterator[tuple[ObjectKey, SecurityObject]]:
    """Yield the PINs and keys that GET DATA tells of, each in the uppermost DF that answers so for it.

    A PIN and a private key have no value. A public key has one if the card tells it.
    """
    heard: dict[ObjectKey, bytes] = {}
    kinds = (
        (SdoClass.PIN, driver.pin_references),
        (SdoClass.PRIVATE_KEY, driver.key_references),
        (SdoClass.PUBLIC_KEY, driver.key_references),
    )

    for df in sorted((path for path, found in files.items() if found.is_df), key=len):
        driver.enter(tuple(int.from_bytes(df[at : at + 2]) for at in range(0, len(df), 2)))

        for class_, references in kinds:
            for reference in references:
                key = ObjectKey(df, memory_class(class_), reference)
                response = driver.channel.ask(_GET, data_objects.parameters_of(class_, reference), le=256)

                if response.sw in _UNKNOWN:
                    return

                if response.sw == StatusWord.SUCCESS and not _is_above(key, response.data, heard):
                    heard[key] = response.data
                    yield from _object(driver, class_, key, response.data)


def _is_above(key: ObjectKey, data: bytes, heard: Mapping[ObjectKey, bytes]) -> bool:
    """Whether a DF above has told the same: objects are searched for from the current DF upwards."""
    above = () if parent(key.df) == key.df else climb(parent(key.df))
    return any(heard.get(key._replace(df=df)) == data for df in above)


def _object(
    driver: DataObjectDriver, class_: SdoClass, key: ObjectKey, data: bytes
) -> Iterator[tuple[ObjectKey, SecurityObject]]:
    try:
        parameters = Tlv.parse(Tlv.parse(Tlv.parse(data).value).value)
        told = {found.tag: found for found in parameters.children()}
    except TlvFormatError:
        return

    access = _access(class_, told.get(RULES))

    if class_ is SdoClass.PIN:
        yield key, _pin(access, told)
    elif class_ is SdoClass.PRIVATE_KEY:
        yield from _private_key(key, access, _number(told.get(_SIZE)) or 0)
    else:
        yield key, _object_of(_SIGNS, access, _public_value(driver, key.id))


def _access(class_: SdoClass, rules: Tlv | None) -> bytes:
    """Return the condition bytes of rules; where there are none, or broken ones, nothing is allowed."""
    try:
        return sdo_access(class_, rules or Tlv(RULES))
    except (Refusal, TlvFormatError):
        return bytes((NEVER,)) * (1 + max(KeyOperation))


def _private_key(key: ObjectKey, access: bytes, size: int) -> Iterator[tuple[ObjectKey, SecurityObject]]:
    """Yield a private key as the card has one without value: FF in all components, which is no key (6984)."""
    algorithm = _SIGNS if access[KeyOperation.DECIPHER] == NEVER else _DECIPHERS

    if _SIZES.start <= size < _SIZES.stop:
        yield from private_parts(key, size // 2, access, algorithm).items()
    else:
        yield key, _object_of(algorithm, access)


def _pin(access: bytes, told: Mapping[int, Tlv]) -> SecurityObject:
    most, left = (_number(told.get(tag)) for tag in (_MAX_TRIES, _TRIES_LEFT))
    most = min(most or ASSUMED_TRIES, _MOST_TRIES)
    return replace(_object_of(PIN, access), flags=most, tries_left=most if left is None else min(left, most))


def _number(found: Tlv | None) -> int | None:
    return int.from_bytes(found.value) if found is not None and found.value else None


def _public_value(driver: DataObjectDriver, reference: int) -> bytes:
    """Return a public key as the card tells it (7F49); one without values where it doesn't."""
    response = driver.channel.ask(_GET, data_objects.public_values_of(reference), le=256)

    try:
        if response.sw == StatusWord.SUCCESS:
            value = Tlv.parse(Tlv.parse(Tlv.parse(response.data).value).value)
            value.children()
            return value.encode() if value.tag == _PUBLIC_KEY else Tlv(_PUBLIC_KEY).encode()
    except TlvFormatError:
        pass

    return Tlv(_PUBLIC_KEY).encode()


def _object_of(algorithm: int, access: bytes, body: bytes = b"") -> SecurityObject:
    return SecurityObject(
        option=0x02,
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
