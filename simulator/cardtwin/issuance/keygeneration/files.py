"""Files that are there wholly or not at all."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["replaced", "replacing"]

_SCRATCH: Final = ".{}.new"


def replaced(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write a file, readable for its owner only: beside it first, then renamed into its place.

    It is not waited until it is on the disk: for each card of a batch, that would take longer than the card.

    Raises:
        OSError: It can't be written; what was there stays.
    """
    with replacing(path) as file:
        if isinstance(content, bytes):
            file.write(content)
        else:
            file.writelines(content)


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Give a file that takes the place of another when the block ends well."""
    # One name for all that is left behind: the next one writes over it.
    scratch = path.with_name(_SCRATCH.format(path.name))
    descriptor = os.open(scratch, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)

    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file

        scratch.replace(path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
