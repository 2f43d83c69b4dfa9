"""Paths of files as people write them: ``3F00/5015/4401``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.middleware.ckr import Ckr
from cardtwin.middleware.errors import MiddlewareError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MF", "name_of", "path_of"]

MF = 0x3F00
"""The identifier of the master file."""


def name_of(path: Iterable[int]) -> str:
    """Return a path as people write it."""
    return "/".join(f"{file_id:04X}" for file_id in path)


def path_of(name: str) -> tuple[int, ...]:
    """Return the file identifiers of a path, the MF's first; the MF may be left out.

    Raises:
        MiddlewareError: It is none.
    """
    parts = [part.strip() for part in name.strip().strip("/").split("/")]

    try:
        identifiers = tuple(int(part, 16) for part in parts)
    except ValueError:
        identifiers = ()

    if not identifiers or any(len(part) != 4 for part in parts):
        raise MiddlewareError(Ckr.CKR_ARGUMENTS_BAD, f"{name!r} is no path such as 3F00/5015/4401")

    return identifiers if identifiers[0] == MF else (MF, *identifiers)
