"""Zipped descriptions (.dsz): a description and the files that are attached to it, as they are uploaded."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from cardtwin.source import BrokenZipError, Diagnostic, SourceError, SourceText, zip_to_read
from cardtwin.source.text import decode_text

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Mapping

__all__ = ["Package", "is_package", "read_package"]

_BEGINNINGS: Final = (b"PK\x03\x04", b"PK\x05\x06")
_DESCRIPTION: Final = ".dsc"
_MOST_FILES: Final = 100
_LARGEST: Final = 1 << 20
"""Bytes of one file, unpacked."""


@dataclass(frozen=True, slots=True)
class Package:
    """A description with its files.

    Attributes:
        description: The description's text.
        attachments: The other files, card profiles above all, by name.
    """

    description: SourceText
    attachments: Mapping[str, SourceText] = field(default_factory=dict)


def is_package(data: bytes) -> bool:
    """Whether bytes are a zipped description, and not the text of one."""
    return data.startswith(_BEGINNINGS)


def read_package(name: str, data: bytes) -> Package:
    """Read a zipped description. Nothing is unpacked to anywhere; folders in it don't count.

    Args:
        name: What messages call it.
        data: The zip file.

    Raises:
        SourceError: It is no zip file, is encrypted, has no or several descriptions, two files of one name,
            or files that are too many or too large.
    """
    try:
        with zip_to_read(io.BytesIO(data)) as archive:
            files = _files(name, archive)
    except BrokenZipError:
        raise _broken(name, "this is no zip file that can be read", "zip the description anew") from None

    found = [each for each in files if PurePosixPath(each).suffix.casefold() == _DESCRIPTION]

    if len(found) != 1:
        raise _broken(
            name,
            f"there are {len(found) or 'no'} descriptions in it",
            f"zip one {_DESCRIPTION} file, and the card profiles that it names",
        )

    return Package(files.pop(found[0]), files)


def _files(name: str, archive: zipfile.ZipFile) -> dict[str, SourceText]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]

    if len(entries) > _MOST_FILES:
        raise _broken(name, f"there are {len(entries)} files in it", f"zip {_MOST_FILES} at most")

    files: dict[str, SourceText] = {}

    for entry in entries:
        own = PurePosixPath(entry.filename.replace("\\", "/")).name

        if own.casefold() in (known.casefold() for known in files):
            raise _broken(name, f"{own} is in it twice", "give each file a name of its own")

        files[own] = SourceText(f"{name}:{own}", decode_text(_content(name, archive, entry)))

    return files


def _content(name: str, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Return what is in an entry. What it says of its size isn't trusted."""
    if entry.flag_bits & 1:
        raise _broken(name, f"{entry.filename} is encrypted", "zip it without a password")

    with archive.open(entry) as file:
        content = file.read(_LARGEST + 1)

    if len(content) > _LARGEST:
        raise _broken(name, f"{entry.filename} is larger than {_LARGEST} bytes", "see what it is")

    return content


def _broken(name: str, message: str, remedy: str) -> SourceError:
    source = SourceText(name, "")
    return SourceError([Diagnostic("bad-package", message, source.start, remedy=remedy)])
