"""Where something new goes: a DF that takes it, a number that is free, the phase in which it can be made."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from cardtwin.middleware.ckr import Ckr
from cardtwin.middleware.drivers import Phase
from cardtwin.middleware.errors import CommandFailedError, MiddlewareError
from cardtwin.middleware.names import MF, name_of
from cardtwin.middleware.rights import NOBODY, Right
from cardtwin.middleware.tokens import ObjectClass, half_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from cardtwin.middleware.drivers import CardDriver
    from cardtwin.middleware.rights import Condition

__all__ = [
    "administration",
    "find_room",
    "free_file",
    "free_list",
    "free_reference",
    "is_programs",
    "require",
]

_FILES: Final = {
    ObjectClass.PUBLIC_KEY: 0x3000,
    ObjectClass.CERTIFICATE: 0x3100,
    ObjectClass.DATA: 0x3300,
}
_LISTS: Final = {
    ObjectClass.PRIVATE_KEY: 0x4400,
    ObjectClass.PUBLIC_KEY: 0x4410,
    ObjectClass.CERTIFICATE: 0x4440,
    ObjectClass.DATA: 0x4470,
}
"""Where the identifiers of new lists begin: as the shipped profiles number them."""

_PRIVATE_FILES: Final = 0x3400
"""Where the identifiers of new files begin: as pkcs15-init numbers them."""

_COUNT: Final = 0xFF


def require(condition: Condition | None, verified: AbstractSet[int], what: str) -> None:
    """See that verified credentials meet a condition; one that the card doesn't tell is left to the card.

    Raises:
        MiddlewareError: CKR_USER_NOT_LOGGED_IN: it is for another credential. CKR_TOKEN_WRITE_PROTECTED: for
            nobody.
    """
    if condition is None or condition.met(verified):
        return

    rv = Ckr.CKR_USER_NOT_LOGGED_IN if condition.allowed else Ckr.CKR_TOKEN_WRITE_PROTECTED
    raise MiddlewareError(rv, f"{what} is for {condition}")


@contextmanager
def administration(driver: CardDriver, verified: AbstractSet[int]) -> Iterator[None]:
    """Have the card in the phase in which files and key objects are made and deleted, for the block.

    Raises:
        MiddlewareError: As require(): the card's conditions don't let it leave the operational phase.
    """
    if driver.phase() is not Phase.OPERATIONAL:
        yield
        return

    master = driver.select((MF,))
    rights = master.rights if master else None
    condition = None if rights is None else rights.get(Right.LIFE_CYCLE)
    require(condition, verified, "leaving the card's operational phase")
    driver.phase_control()

    try:
        yield
    except BaseException:
        with suppress(MiddlewareError):
            driver.phase_control()

        raise

    with suppress(CommandFailedError):  # what was done is done, in whichever phase the card stays
        driver.phase_control()


def find_room(
    driver: CardDriver, application: tuple[int, ...], verified: AbstractSet[int]
) -> tuple[int, ...]:
    """Return the DF for something new: the application's own, or the first one in it that takes files.

    Raises:
        MiddlewareError: As require(): none takes any.
    """
    conditions = []

    for path in (application, *_inner(driver, application)):
        info = driver.select(path)

        if info is None or not info.directory:
            continue

        condition = None if info.rights is None else info.rights.get(Right.CREATE, NOBODY)

        if condition is None or condition.met(verified):
            return path

        conditions.append(condition)

    hopeful = next((each for each in conditions if each.allowed), NOBODY)
    require(hopeful, verified, f"making files in {name_of(application)} and below")
    raise MiddlewareError(Ckr.CKR_TOKEN_WRITE_PROTECTED, f"there is no DF {name_of(application)}")


def _inner(driver: CardDriver, application: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield what is in the application's DF; nothing where the card doesn't list it."""
    try:
        children = driver.children() if driver.select(application) else ()
    except CommandFailedError:
        return

    for file_id in children:
        yield (*application, file_id)


def free_file(
    driver: CardDriver, room: tuple[int, ...], object_class: ObjectClass, *, private: bool = False
) -> int:
    """Return an identifier for a new file in a DF.

    Raises:
        MiddlewareError: CKR_DEVICE_MEMORY: all are taken.
    """
    return _free(driver, room, _PRIVATE_FILES if private else _FILES[object_class])


def free_list(driver: CardDriver, room: tuple[int, ...], object_class: ObjectClass) -> int:
    """Return an identifier for a new list of objects in a DF; errors as free_file()."""
    return _free(driver, room, _LISTS[object_class])


def _free(driver: CardDriver, room: tuple[int, ...], base: int) -> int:
    for file_id in range(base + 1, base + 1 + _COUNT):
        if driver.select((*room, file_id)) is None:
            return file_id

    raise MiddlewareError(Ckr.CKR_DEVICE_MEMORY, f"{name_of(room)} has no identifier left for a new file")


def is_programs(path: tuple[int, ...]) -> bool:
    """Whether a file has an identifier of those that programs make for objects, and isn't the profile's."""
    return bool(path) and path[-1] & 0xFF00 in {*_FILES.values(), _PRIVATE_FILES}


def free_reference(driver: CardDriver, room: tuple[int, ...]) -> int:
    """Return a number for a new key in a DF: none that a key there, or in a DF above it, has.

    A number stays taken while the public half of a key that had it is still there. Rooms for keys that a
    profile has made are such keys too, and stay free.

    Raises:
        MiddlewareError: CKR_DEVICE_MEMORY: all are taken.
    """
    driver.select(room)

    for reference in driver.new_key_references:
        if not driver.has_key(reference) and driver.select(half_file(room, reference)) is None:
            return reference

        driver.select(room)

    raise MiddlewareError(Ckr.CKR_DEVICE_MEMORY, f"{name_of(room)} has no number left for a new key")
