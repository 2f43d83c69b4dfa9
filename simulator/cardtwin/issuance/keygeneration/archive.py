"""A batch as a ZIP archive: the same files, always in the same bytes."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from cardtwin.issuance.keygeneration.errors import BatchBrokenError
from cardtwin.issuance.keygeneration.files import replacing
from cardtwin.source import BrokenZipError, zip_to_read

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["member", "pack"]

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that an archive can tell; a batch has none."""

_OWNER_ONLY: Final = 0o100600 << 16
_LARGEST: Final = 1 << 20
"""The most bytes that are taken of a file: no order has so many."""
_REMEDY: Final = "take another place, or remove it and make the batch anew"


def pack(folder: Path, first: Iterable[str], images: Iterable[str], path: Path) -> None:
    """Make an archive of a batch's files.

    Args:
        folder: Where the files are.
        first: Those that come first.
        images: The others, in their order.
        path: Where the archive comes to be, when it is whole.

    Raises:
        OSError: It can't be written.
    """
    with replacing(path) as file:
        with ZipFile(file, "w", ZIP_DEFLATED) as packed:
            for name in itertools.chain(first, images):
                info = ZipInfo(name, _EPOCH)
                info.compress_type = ZIP_DEFLATED
                info.external_attr = _OWNER_ONLY
                packed.writestr(info, (folder / name).read_bytes())

        file.flush()
        os.fsync(file.fileno())


def member(path: Path, name: str) -> bytes:
    """Return a file of an archive.

    Raises:
        BatchBrokenError: It is no archive of a batch, is damaged, or has no such file.
        OSError: It can't be read.
    """
    try:
        with zip_to_read(path) as packed, packed.open(name) as file:
            content = file.read(_LARGEST + 1)
    except KeyError:
        raise BatchBrokenError(f"{path} is no archive of a batch: it has no {name}; {_REMEDY}") from None
    except BrokenZipError:
        raise BatchBrokenError(f"{path} is no archive that can be read: {_REMEDY}") from None

    if len(content) > _LARGEST:
        raise BatchBrokenError(f"{path} is no archive of a batch: its {name} is too large; {_REMEDY}")

    return content
