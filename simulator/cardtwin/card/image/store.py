"""Card images in files: saving and loading."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cardtwin.card.errors import ImageError, ImageVersionError
from cardtwin.card.image.codec import VERSION, decode, encode
from cardtwin.source import BrokenZipError, zip_to_read

if TYPE_CHECKING:
    from cardtwin.card.memory import CardImage

__all__ = ["load", "save", "text"]

_LARGEST: Final = 1 << 24
"""The most bytes that are taken out of an archive: no card has so much."""


def text(image: CardImage) -> str:
    """Return what a file with the image holds: ASCII alone."""
    return json.dumps(encode(image), indent=1) + "\n"


def save(image: CardImage, path: str | os.PathLike[str]) -> None:
    """Write an image to a file, wholly or not at all: beside it first, then renamed into its place.

    Raises:
        OSError: It can't be written, or something else than a file is there.
    """
    target = Path(path).resolve()

    if target.exists() and not target.is_file():
        raise OSError(errno.EINVAL, "something else than a file is there", os.fspath(path))

    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)

    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text(image))
            file.flush()
            os.fsync(file.fileno())

        Path(name).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()

        raise


def load(path: str | os.PathLike[str]) -> CardImage:
    """Read an image from a file.

    Args:
        path: The file. One in a ZIP archive is called as if that were a folder: ``batch.zip/cards/1.image``.

    Raises:
        ImageVersionError: Its version isn't known here.
        ImageError: It is no card image, or what it says can't be; the message says where in the file.
        OSError: It can't be read.
    """
    content = _content(Path(path))
    name = os.fspath(path)

    try:
        value = json.loads(content, object_pairs_hook=_members)
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from None
    except (ValueError, RecursionError) as error:
        place = f":{error.lineno}:{error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise ImageError(f"{name}{place}: this is no JSON text, so no card image") from None

    try:
        return decode(value)
    except ImageVersionError as error:
        raise ImageVersionError(f"{name}: {error}; this program knows version {VERSION}") from None
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from None


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except NotADirectoryError:
        archive = next(folder for folder in path.parents if folder.exists())
        member = path.relative_to(archive).as_posix()

        try:
            with zip_to_read(archive) as packed:
                if packed.getinfo(member).file_size > _LARGEST:
                    raise ImageError(f"{path}: it is too large for a card image")

                return packed.read(member)
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, "the archive has no such file", str(path)) from None
        except BrokenZipError:
            raise ImageError(f"{path}: {archive.name} is no ZIP archive that can be read") from None


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return the members of a JSON object, none of which may come twice."""
    members: dict[str, object] = {}

    for name, value in pairs:
        if name in members:
            raise ImageError(f"the member {name} is there twice in one object")

        members[name] = value

    return members
