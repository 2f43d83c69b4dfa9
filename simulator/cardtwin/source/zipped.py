"""ZIP archives that come from elsewhere: damaged ones are told by one error."""

from __future__ import annotations

import errno
import lzma
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final
from zipfile import BadZipFile, ZipFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["BrokenZipError", "zip_to_read"]

_DAMAGED: Final = (
    BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
)
"""What the library raises for an archive that is damaged, encrypted, or packed by a method that it hasn't."""


class BrokenZipError(Exception):
    """An archive can't be read: it is damaged, encrypted, or packed by an unknown method."""


@contextmanager
def zip_to_read(file: Path | IO[bytes]) -> Iterator[ZipFile]:
    """Open an archive for the block, in which nothing is done but to read from it.

    Raises:
        BrokenZipError: It can't be read, as a whole or where the block reads.
        OSError: The file can't be read.
    """
    try:
        with ZipFile(file) as archive:
            yield archive
    except _DAMAGED as error:
        raise BrokenZipError(str(error)) from error
    except OSError as error:
        # Places before the file's beginning, and compressed data that are none, are told so.
        if error.errno not in {None, errno.EINVAL}:
            raise

        raise BrokenZipError(str(error)) from error
