"""What holds for one program, and where each value comes from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final

from cardtwin.provenance.middleware import CACHE_VALIDITY_UNIT, SKIP_READER_MATCH

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardtwin.middleware.configuration.keys import Key
    from cardtwin.provenance import Switches
    from cardtwin.source import Span

__all__ = ["ClientConfiguration", "Layer", "Setting"]

_UNITS: Final = {"minutes": timedelta(minutes=1), "seconds": timedelta(seconds=1)}


class Layer(Enum):
    """Where a value can come from."""

    DEFAULT = "default (cardtwin's own)"
    SYSTEM = "system file"
    USER = "user file"
    SYSTEM_PROGRAM = "system file, program's section"
    USER_PROGRAM = "user file, program's section"


@dataclass(frozen=True, slots=True)
class Setting:
    """The value of one key.

    Attributes:
        key: The key.
        values: Its value; of a key that may be repeated, one for each line.
        layer: Where it comes from.
        places: Where it is written; nowhere for a default.
    """

    key: Key
    values: tuple[str, ...]
    layer: Layer
    places: tuple[Span, ...] = ()

    @property
    def value(self) -> str:
        """The value; the last one where there are several."""
        return self.values[-1]

    @property
    def origins(self) -> tuple[str, ...]:
        """Where each value comes from, for people: file, line and kind of section."""
        if not self.places:
            return (self.layer.value,)

        return tuple(f"{place.source.name}:{place.line} ({self.layer.value})" for place in self.places)


@dataclass(frozen=True, slots=True)
class ClientConfiguration:
    """Personal.cfg as one program sees it; see :func:`cardtwin.middleware.configuration.load`.

    Attributes:
        program: The program, without folders.
        settings: Every known key's value, in the order of the table of keys.
        cache_validity: How long card content is kept; nothing is kept where it is zero.
        p11_logout_after_sign: Whether a signature through PKCS#11 ends the login.
        p11_enable_cache_pin: Whether PKCS#11 keeps the PIN and logs in for each private operation.
        warnings: What was found in the files that is no error, one line each.
    """

    program: str
    settings: tuple[Setting, ...]
    cache_validity: timedelta
    p11_logout_after_sign: bool
    p11_enable_cache_pin: bool
    warnings: tuple[str, ...] = ()
    _skipped: tuple[re.Pattern[str], ...] = field(default=(), repr=False)
    _whole_name: bool = field(default=True, repr=False)

    @classmethod
    def of(
        cls, program: str, settings: Iterable[Setting], switches: Switches, warnings: Iterable[str] = ()
    ) -> ClientConfiguration:
        """Return what these settings, one for each known key, amount to."""
        by_name = {setting.key.name: setting for setting in settings}
        return cls(
            program,
            tuple(by_name.values()),
            int(by_name["CacheValidity"].value) * _UNITS[switches[CACHE_VALIDITY_UNIT]],
            by_name["P11_LogoutAfterSign"].value == "1",
            by_name["P11_EnableCachePIN"].value == "1",
            tuple(warnings),
            tuple(re.compile(value) for value in by_name["SkipReader"].values if value),
            switches[SKIP_READER_MATCH] == "whole",
        )

    def skips(self, reader: str) -> bool:
        """Whether SkipReader takes a reader out of sight."""
        if self._whole_name:
            return any(pattern.fullmatch(reader) for pattern in self._skipped)

        return any(pattern.search(reader) for pattern in self._skipped)

    def setting(self, name: str) -> Setting:
        """Return the setting of a known key.

        Raises:
            KeyError: There is no such key.
        """
        folded = name.casefold()

        for setting in self.settings:
            if setting.key.name.casefold() == folded:
                return setting

        raise KeyError(name)
