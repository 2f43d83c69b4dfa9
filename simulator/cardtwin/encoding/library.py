"""Which middleware a library's path names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cardtwin.source import closest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["CLASS_MINIDRIVER", "PERSONAL_DESKTOP_CLIENT", "LibraryEntry", "LibraryTable"]

PERSONAL_DESKTOP_CLIENT: Final = "Personal Desktop Client"
CLASS_MINIDRIVER: Final = "Microsoft Smart Card Class Minidriver"
"""The minidriver that Windows itself has for cards of the Generic Identity Device Specification."""

_PERSONAL_VERSION: Final = "5.17.0"


@dataclass(frozen=True, slots=True)
class LibraryEntry:
    """One library.

    Attributes:
        path: Where descriptions say it lies.
        product: The middleware that it belongs to.
        bits: 32 or 64.
        version: The product's version; empty where it makes no difference.
    """

    path: str
    product: str
    bits: int
    version: str = ""

    @property
    def is_personal(self) -> bool:
        """Whether it is Personal Desktop Client's PKCS#11 library."""
        return self.product == PERSONAL_DESKTOP_CLIENT

    @property
    def is_minidriver(self) -> bool:
        """Whether it is a minidriver that cardtwin emulates."""
        return self.product == CLASS_MINIDRIVER


class LibraryTable:
    """Libraries by path. Paths compare as Windows compares them: case and kind of slash don't matter."""

    def __init__(self, entries: Iterable[LibraryEntry]) -> None:
        self._entries = {_folded(entry.path): entry for entry in entries}

    @classmethod
    def default(cls) -> LibraryTable:
        """Return the table that cardtwin ships."""
        return cls(_SHIPPED)

    def extended(self, *entries: LibraryEntry) -> LibraryTable:
        """Return the table with these entries too; one with a path that is taken replaces it."""
        return LibraryTable((*self, *entries))

    def find(self, path: str) -> LibraryEntry | None:
        """Return the entry of that path, or None."""
        return self._entries.get(_folded(path))

    def remedy(self, path: str) -> str:
        """Return a remedy that names the known path most like this one."""
        near = closest(path.replace("\\", "/"), (entry.path for entry in self))
        return near or "name a library that is in the library table, or add this one to it"

    def __iter__(self) -> Iterator[LibraryEntry]:
        return iter(self._entries.values())


def _folded(path: str) -> str:
    parts = path.replace("\\", "/").split("/")
    return "/".join(part for at, part in enumerate(parts) if part or at == 0).casefold()


_SHIPPED: Final = (
    LibraryEntry(
        "C:/Program Files (x86)/Personal/bin/personal.dll", PERSONAL_DESKTOP_CLIENT, 32, _PERSONAL_VERSION
    ),
    LibraryEntry(
        "C:/Program Files (x86)/Personal/bin64/personal64.dll",
        PERSONAL_DESKTOP_CLIENT,
        64,
        _PERSONAL_VERSION,
    ),
    LibraryEntry("msclmd.dll", CLASS_MINIDRIVER, 64),
    LibraryEntry("C:/Windows/System32/msclmd.dll", CLASS_MINIDRIVER, 64),
    LibraryEntry("C:/Windows/SysWOW64/msclmd.dll", CLASS_MINIDRIVER, 32),
    LibraryEntry("cvP11.dll", "sc/interface", 32),
    LibraryEntry("C:/Windows/System32/cvP11.dll", "sc/interface", 64),
    LibraryEntry("C:/Windows/SysWOW64/cvP11.dll", "sc/interface", 32),
    LibraryEntry("C:/Windows/System32/eTPKCS11.dll", "SafeNet Authentication Client", 64),
    LibraryEntry("C:/Windows/SysWOW64/eTPKCS11.dll", "SafeNet Authentication Client", 32),
    LibraryEntry("C:/Windows/System32/aetpkss1.dll", "SafeSign", 64),
    LibraryEntry("C:/Windows/SysWOW64/aetpkss1.dll", "SafeSign", 32),
    LibraryEntry("C:/Windows/System32/cardos11.dll", "CardOS API", 64),
    LibraryEntry("C:/Windows/SysWOW64/cardos11.dll", "CardOS API", 32),
)
