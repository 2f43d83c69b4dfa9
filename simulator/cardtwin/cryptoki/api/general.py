"""C_GetInfo, and random numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.calls import function
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.structures import Info, Version
from cardtwin.middleware import Ckr
from cardtwin.provenance.cryptoki import LIBRARY_NAME

if TYPE_CHECKING:
    from cardtwin.cryptoki.application import Application

__all__ = ["generate_random", "get_info", "library_version"]

_MANUFACTURER: Final = "cardtwin"
_MOST_RANDOM: Final = 1 << 16  # bytes that the card is asked for in one call


def library_version(application: Application) -> Version:
    """Return the version of the middleware, as far as a CK_VERSION tells it."""
    major, minor = (*map(int, application.installation.version.split(".")[:2]), 0)[:2]
    return Version(major, minor)


@function("C_GetInfo")
def get_info(application: Application) -> Info:
    """Describe the library."""
    return Info(
        manufacturer_id=_MANUFACTURER,
        library_description=application.switches[LIBRARY_NAME],
        library_version=library_version(application),
    )


@function("C_GenerateRandom")
def generate_random(application: Application, session: int, length: int) -> bytes:
    """Draw random bytes from the card."""
    if length > _MOST_RANDOM:
        raise CryptokiError(Ckr.CKR_ARGUMENTS_BAD, f"the card gives {_MOST_RANDOM} random bytes in one call")

    slot = application.session(session).slot

    with slot.bay.card() as driver:
        found = driver.challenge(length)

    if len(found) != length:
        raise CryptokiError(Ckr.CKR_DEVICE_ERROR, "the card gives no more random bytes")

    return found
