"""Archives that come from elsewhere."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cardtwin.card import ImageError
from cardtwin.card import image as images
from cardtwin.source import BrokenZipError, zip_to_read

if TYPE_CHECKING:
    from pathlib import Path


def archive() -> bytes:
    made = io.BytesIO()

    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.image", "text" * 100)

    return made.getvalue()


WHOLE = archive()
END = WHOLE.index(b"PK\5\6")


@given(
    places=st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=4),
    end=st.integers(0, len(WHOLE)),
)
@example(places=[(END + 12, 255), (END + 13, 255)], end=len(WHOLE))  # a directory before the file's beginning
@example(places=[(8, 14), (WHOLE.index(b"PK\1\2") + 10, 14)], end=len(WHOLE))  # LZMA, which it isn't
@example(places=[(8, 12), (WHOLE.index(b"PK\1\2") + 10, 12)], end=len(WHOLE))  # bzip2, which it isn't
def test_whatever_is_damaged_there_is_one_error(
    tmp_path_factory: pytest.TempPathFactory, places: list[tuple[int, int]], end: int
) -> None:
    damaged = bytearray(WHOLE)

    for place, byte in places:
        damaged[place] = byte

    path = tmp_path_factory.mktemp("zip") / "a.zip"
    path.write_bytes(damaged[:end])

    for file in (io.BytesIO(damaged[:end]), path):
        with suppress(BrokenZipError, KeyError), zip_to_read(file) as packed:
            assert packed.read("a.image") == b"text" * 100

    with pytest.raises((ImageError, FileNotFoundError)):
        images.load(path / "a.image")


def test_a_file_that_is_not_there_is_no_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), zip_to_read(tmp_path / "a.zip"):
        pass
