"""C_GetProperty: texts by name. Of the vendor's function only the name is public; the properties are ours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cardtwin.middleware.ckr import Ckr
from cardtwin.middleware.errors import MiddlewareError
from cardtwin.provenance.middleware import VIRTUAL_READERS
from cardtwin.source import closest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import TypeAlias

    from cardtwin.middleware.drivers import CardDriver
    from cardtwin.middleware.tokenreader import TokenReader
    from cardtwin.provenance import Switches

    PropertyReader: TypeAlias = Callable[[CardDriver, Callable[[], TokenReader]], str]

__all__ = ["CARD_NUMBER", "CHIP_SERIAL", "check_readers", "property_names", "property_reader"]

CHIP_SERIAL: Final = "chip_serial"
CARD_NUMBER: Final = "card_number"

_VIRTUAL_READER: Final = re.compile(r"Microsoft Virtual Smart Card .*")

_READERS: Final[Mapping[str, PropertyReader]] = {
    CHIP_SERIAL: lambda driver, _reader: driver.chip_serial().hex().upper(),
    CARD_NUMBER: lambda _driver, reader: reader().card_number(),
    "family": lambda driver, _reader: driver.family,
    "profile_name": lambda _driver, reader: reader().token().profile_name,
    "token_label": lambda _driver, reader: reader().token().label,
    "token_serial": lambda _driver, reader: reader().token().serial.hex().upper(),
}


def property_names() -> tuple[str, ...]:
    """Return the names of all properties."""
    return tuple(_READERS)


def property_reader(name: str) -> PropertyReader:
    """Return what reads a property, from a card's driver and what gives the reader of its token.

    Raises:
        MiddlewareError: CKR_ARGUMENTS_BAD: there is no such property.
    """
    if name not in _READERS:
        hint = closest(name, _READERS) or f"there are {', '.join(_READERS)}"
        raise MiddlewareError(Ckr.CKR_ARGUMENTS_BAD, f"there is no property {name!r}; {hint}")

    return _READERS[name]


def check_readers(readers: Iterable[str], switches: Switches) -> None:
    """Look for what makes C_GetProperty fail: a virtual smart card's reader among those in sight.

    Raises:
        MiddlewareError: CKR_GENERAL_ERROR: there is one.
    """
    if switches[VIRTUAL_READERS] == "harmless":
        return

    for reader in readers:
        if _VIRTUAL_READER.fullmatch(reader):
            raise MiddlewareError(
                Ckr.CKR_GENERAL_ERROR,
                f"C_GetProperty fails while {reader!r} is in sight; SkipReader takes it out of sight",
            )
