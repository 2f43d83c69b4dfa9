"""How the files, keys and conditions of the Generic Identity Device Specification lie in the card's memory.

A security condition byte (ISO/IEC 7816-4:2020, 9.3.2) names no object, but kinds of authentication: 10 is
the user's, by the PIN, 20 the administrator's, by the admin key, 30 either. The PIN is the object 10 here and
the admin key the object 20, so that the memory's condition bytes say the same. Before the application is
activated every condition counts as met (rule ``gids.initialisation``).

A key file is an EF of kind KEY, whose content is the list of the key's uses (A5). The key itself is objects
of the memory, five for RSA; as long as it has no value, it is one object without a body.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

from cardtwin.card.chip.algorithms import KEY_CLASS, PIN, TEST_CLASS, TRIPLE_DES
from cardtwin.card.errors import Refusal
from cardtwin.card.memory import MF, Ef, ObjectKey, SecurityObject
from cardtwin.card.memory.access import ALWAYS, NEVER, EfOperation
from cardtwin.card.memory.lifecycle import LifeCycle
from cardtwin.iso7816 import StatusWord, Tlv, TlvFormatError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.card.memory import CardImage

__all__ = [
    "ADMIN_KEY",
    "ADMIN_REFERENCE",
    "APPLICATION",
    "EITHER",
    "KEY_FILES",
    "LONGEST_PIN",
    "MAX_TRIES",
    "SHORTEST_PIN",
    "SIZES",
    "USER_PIN",
    "KeyOperation",
    "alternatives",
    "file_access",
    "is_initialising",
    "key_access",
    "key_file",
    "key_object",
    "key_position",
    "new_pin",
    "uses",
]

APPLICATION: Final = bytes.fromhex("A000000397425446590201")
"""The name of the application, version 2."""

USER_PIN: Final = ObjectKey(MF, TEST_CLASS, 0x10)
ADMIN_KEY: Final = ObjectKey(MF, TEST_CLASS, 0x20)
EITHER: Final = 0x30
"""The condition that PIN or admin key meets."""

ADMIN_REFERENCE: Final = 0x80
SHORTEST_PIN, LONGEST_PIN, MAX_TRIES = 4, 127, 3

SIZES: Final[Mapping[int, int]] = {0x06: 1024, 0x07: 2048, 0x08: 3072, 0x09: 4096}
"""The length of RSA keys in bits, by the lower half of the cryptographic mechanism identifier."""

KEY_FILES: Final = 0xB0
"""The first byte of the identifier of a key's file; the second is the key's reference."""

_FIRST_KEY: Final = 0x81
_BITS: Final = (0x40, 0x20, 0x10, 0x08, 0x04, 0x02, 0x01)
_PROPRIETARY: Final = 0x80
_METHODS: Final = 0x70
_ALL_OF_THEM: Final = 0x80
_ENVIRONMENT: Final = 0x0F
_CONTACTS: Final = 0x01
_AUTHENTICATION: Final = 0xA4
_MECHANISM: Final = 0x80
_SIGNS, _DECIPHERS = 0x8A, 0x0A
_CONFIDENTIALITY: Final = 0xB8
_UNLIMITED: Final = 0xFF


class KeyOperation(IntEnum):
    """The positions in a key's condition bytes: USE, CHANGE and UNBLOCK as every object has, then its own."""

    USE = 0
    PUT = 1
    GENERATE = 3
    GET_PUBLIC = 4


def is_initialising(image: CardImage) -> bool:
    """Tell whether the application isn't activated yet."""
    return image.life_cycle is not LifeCycle.OPERATIONAL


def alternatives(image: CardImage, condition: int) -> tuple[int, ...]:
    """Return what meets a condition: nothing needs to before activation, and 30 is PIN or admin key."""
    if is_initialising(image) and condition != NEVER:
        return (ALWAYS,)

    return (USER_PIN.id, ADMIN_KEY.id) if condition == EITHER else (condition,)


def file_access(attributes: bytes | None, *, key: int | None = None) -> bytes:
    """Return a file's condition bytes from its security attributes (8C); `key` is a key file's reference.

    What the access mode byte doesn't name is always allowed, but deletion: that needs what the application
    asks for, and the admin key stays (rule ``gids.conditions``). Refuses with 6984 what are none.
    """
    found = _conditions(attributes, proprietary=key is not None)
    access = bytearray([NEVER] * len(EfOperation))
    access[EfOperation.DELETE] = found.get(0x40, NEVER if key == ADMIN_REFERENCE else EITHER)
    access[EfOperation.ACTIVATE] = found.get(0x10, ALWAYS)

    # The other bits have a meaning of their own in a key's file: key_access().
    if key is None:
        access[EfOperation.DEACTIVATE] = found.get(0x08, ALWAYS)
        access[EfOperation.UPDATE] = found.get(0x02, ALWAYS)
        access[EfOperation.READ] = found.get(0x01, ALWAYS)

    return bytes(access)


def key_access(attributes: bytes | None) -> bytes:
    """Return the condition bytes of a key from its file's security attributes; otherwise as file_access()."""
    found = _conditions(attributes, proprietary=True)
    access = bytearray([NEVER] * 5)

    for bit, at in (
        (0x08, KeyOperation.GENERATE),
        (0x04, KeyOperation.USE),
        (0x02, KeyOperation.PUT),
        (0x01, KeyOperation.GET_PUBLIC),
    ):
        access[at] = found.get(bit, ALWAYS)

    return bytes(access)


def _conditions(attributes: bytes | None, *, proprietary: bool) -> dict[int, int]:
    """Return the condition byte for each bit of the access mode byte."""
    if attributes is None:
        return {}

    mode, conditions = attributes[:1], attributes[1:]
    bits = [bit for bit in _BITS if mode and mode[0] & bit]

    if not mode or len(conditions) != len(bits) or bool(mode[0] & _PROPRIETARY) > proprietary:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    return {bit: _condition(condition) for bit, condition in zip(bits, conditions, strict=True)}


def _condition(security_condition: int) -> int:
    """Return the condition byte of a security condition byte; what can't be met here is never.

    Its lower half names a security environment: 1 is the contacts, where the card always is, 2 the antenna.
    """
    if security_condition in {ALWAYS, NEVER}:
        return security_condition

    method = security_condition & _METHODS
    contacts = security_condition & _ENVIRONMENT in {0, _CONTACTS}

    if not contacts or method not in {USER_PIN.id, ADMIN_KEY.id, EITHER}:
        return NEVER

    return NEVER if security_condition & _ALL_OF_THEM and method == EITHER else method


def new_pin(value: bytes) -> SecurityObject:
    """Return the PIN's object: it is changed by itself, and unblocked with the admin key."""
    access = bytes((ALWAYS, USER_PIN.id, ADMIN_KEY.id))
    return _object(PIN, access, value, flags=MAX_TRIES, tries=MAX_TRIES)


def key_object(file_id: bytes, uses_: bytes, access: bytes) -> tuple[ObjectKey, SecurityObject]:
    """Return where the key of a new key file is, and its object, which has no value yet.

    A key for authentication is the admin key, and others are RSA keys. Refuses with 6984 any other pairing of
    identifier and uses: B0 and the key's reference, 80 for the admin key, above that for RSA.
    """
    templates = {template.tag for template in uses(uses_)}
    symmetric = templates == {_AUTHENTICATION}
    reference = file_id[1]

    if file_id[0] != KEY_FILES or not templates or symmetric != (reference == ADMIN_REFERENCE):
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    if symmetric:
        return ADMIN_KEY, _object(TRIPLE_DES, access, b"")

    if reference < _FIRST_KEY or _AUTHENTICATION in templates:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    algorithm = _DECIPHERS if _CONFIDENTIALITY in templates else _SIGNS
    return ObjectKey(MF, KEY_CLASS, reference), _object(algorithm, access, b"")


def _object(algorithm: int, access: bytes, body: bytes, *, flags: int = 0, tries: int = 0) -> SecurityObject:
    return SecurityObject(
        option=0x02,
        flags=flags,
        algorithm=algorithm,
        tries_left=tries,
        uses_left=_UNLIMITED,
        dek=_UNLIMITED,
        consent=0,
        min_length=0,
        access=access,
        body=body,
    )


def key_position(image: CardImage, reference: int) -> ObjectKey | None:
    """Return where the key of a reference is; None where there is no file of that key."""
    if MF + bytes((KEY_FILES, reference)) not in image.files:
        return None

    key = ADMIN_KEY if reference == ADMIN_REFERENCE else ObjectKey(MF, KEY_CLASS, reference)
    return key if key in image.objects else None


def key_file(image: CardImage, reference: int) -> Ef:
    """Return the file of a key that is there. Refuses with 6985 one that isn't activated."""
    file = image.files[MF + bytes((KEY_FILES, reference))]
    assert isinstance(file, Ef)

    if not file.active:
        raise Refusal(StatusWord.CONDITIONS_OF_USE_NOT_SATISFIED)

    return file


def uses(content: bytes) -> tuple[Tlv, ...]:
    """Return the control reference templates that say a key's uses. Refuses with 6984 what are none."""
    try:
        templates = Tlv.parse_all(content)
        complete = all(template.find(_MECHANISM) for template in templates)
    except TlvFormatError:
        complete = False

    if not complete:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    return templates
