"""What a token says about itself, changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin import pkcs15
from cardtwin.middleware.ckr import Ckr
from cardtwin.middleware.errors import MiddlewareError
from cardtwin.middleware.rights import Right
from cardtwin.middleware.storage.rooms import require
from cardtwin.middleware.tokenreader import TOKEN_INFO
from cardtwin.pkcs15 import Pkcs15Error

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from cardtwin.middleware.drivers import CardDriver

__all__ = ["write_serial"]


def write_serial(
    driver: CardDriver, application: tuple[int, ...], verified: AbstractSet[int], serial: bytes
) -> None:
    """Write another serial number into the token's TokenInfo; all else in it stays.

    Raises:
        MiddlewareError: CKR_TOKEN_NOT_RECOGNIZED: the card has no TokenInfo. CKR_USER_NOT_LOGGED_IN,
            CKR_TOKEN_WRITE_PROTECTED: the file is for another credential, or nobody. CKR_DEVICE_MEMORY: it
            has no room.
    """
    info = driver.select((*application, TOKEN_INFO))

    if info is None or info.directory or info.size is None:
        raise MiddlewareError(Ckr.CKR_TOKEN_NOT_RECOGNIZED, "the card has no token to give a serial number")

    try:
        content = pkcs15.renumbered(driver.read(info.size), serial)
    except Pkcs15Error as error:
        raise MiddlewareError(Ckr.CKR_TOKEN_NOT_RECOGNIZED, f"TokenInfo: {error}") from error

    if len(content) > info.size:
        raise MiddlewareError(
            Ckr.CKR_DEVICE_MEMORY, f"TokenInfo has room for {info.size} bytes, not {len(content)}"
        )

    if info.rights is not None:
        require(info.rights.get(Right.UPDATE), verified, "writing the serial number")

    driver.write(content.ljust(info.size, b"\0"))
