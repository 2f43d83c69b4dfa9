"""The C library: its sources, what is generated for it, and how it is built and found."""

from __future__ import annotations

from pathlib import Path

from cardtwin.cryptoki.errors import LibraryMissingError
from cardtwin.cryptoki.native.build import LIBRARY_NAME

__all__ = ["header_path", "library_path"]

_FOLDER = Path(__file__).resolve().parent


def library_path() -> Path:
    """Return the path of the library that programs load.

    Raises:
        LibraryMissingError: This installation was made without a C compiler.
    """
    path = _FOLDER / LIBRARY_NAME

    if not path.is_file():
        raise LibraryMissingError(
            f"{path} is not there: no C compiler could make it when cardtwin was installed. Install one "
            "(on Debian and Ubuntu: apt-get install gcc libc6-dev), then cardtwin again "
            "(pip install --force-reinstall --no-cache-dir --no-deps cardtwin)"
        )

    return path


def header_path() -> Path:
    """Return the path of the header with the functions that are no PKCS#11."""
    return _FOLDER / "cardtwin.h"
