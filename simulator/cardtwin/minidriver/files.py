"""The file system of a GIDS card: files by name, with the counters of cardcf kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.minidriver.errors import ContentError, FileMissingError, NotInitialisedError
from cardtwin.minidriver.formats import CardCache
from cardtwin.minidriver.tables import FileEntry, FileTable

if TYPE_CHECKING:
    from cardtwin.minidriver.channel import Channel

__all__ = [
    "CARDAPPS",
    "CARDCF",
    "CARDID",
    "CMAPFILE",
    "EVERYBODY_READS_ADMIN_WRITES",
    "EVERYBODY_READS_USER_WRITES",
    "FILES",
    "KEYS",
    "MSCP",
    "TABLES",
    "FileSystem",
]

TABLES: Final = 0xA000
"""The file of data objects with the tables, which everybody reads and the user writes."""

EVERYBODY_READS_USER_WRITES: Final = 0xA010
EVERYBODY_READS_ADMIN_WRITES: Final = 0xA012
FILES, KEYS = 0xDF1F, 0xDF20
"""The tags of the tables of files and of keys."""

MSCP: Final = FileEntry("mscp", "", 0, TABLES)
CARDID: Final = FileEntry("", "cardid", 0xDF20, EVERYBODY_READS_ADMIN_WRITES)
CARDAPPS: Final = FileEntry("", "cardapps", 0xDF21, EVERYBODY_READS_USER_WRITES)
CARDCF: Final = FileEntry("", "cardcf", 0xDF22, EVERYBODY_READS_USER_WRITES)
CMAPFILE: Final = FileEntry("mscp", "cmapfile", 0xDF23, EVERYBODY_READS_USER_WRITES)

_FIRST_FREE: Final = 0xDF24
_LAST: Final = 0xDFFF


class FileSystem:
    """Files by directory and name."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    @property
    def exists(self) -> bool:
        """Whether the card has a table of files."""
        return self._channel.get(TABLES, FILES) is not None

    def table(self) -> FileTable:
        """Return the table of files.

        Raises:
            NotInitialisedError: The card has none.
        """
        data = self._channel.get(TABLES, FILES)

        if data is None:
            raise NotInitialisedError("the card has no files yet")

        return FileTable.parse(data)

    def read(self, directory: str, name: str) -> bytes:
        """Return a file's content.

        Raises:
            FileMissingError: The card has no such file.
        """
        entry = self.table().find(directory, name)
        data = None if entry is None else self._channel.get(entry.file_id, entry.data_object)

        if data is None:
            raise FileMissingError(f"the card has no file {FileEntry(directory, name, 0, 0).path}")

        return data

    def write(self, directory: str, name: str, data: bytes) -> None:
        """Write a file, which is created where it isn't there: everybody reads it, the user writes it."""
        table = self.table()
        known = table.find(directory, name)
        entry = known or FileEntry(directory, name, _free(table), EVERYBODY_READS_USER_WRITES)
        self.touch(files=1)

        # An empty data object in the place of an empty one would delete it.
        if data or self._channel.get(entry.file_id, entry.data_object) != b"":
            self._channel.put(entry.file_id, entry.data_object, data)

        # Behind the content: an entry without content would be a file that can't be read.
        if known is None:
            self._channel.put(TABLES, FILES, FileTable((*table.entries, entry)).encode())

    def delete(self, directory: str, name: str) -> None:
        """Delete a file, where it is there."""
        table = self.table()
        entry = table.find(directory, name)

        if entry is None:
            return

        self.touch(files=1)
        left = tuple(other for other in table.entries if other != entry)
        self._channel.put(TABLES, FILES, FileTable(left).encode())

        content = self._channel.get(entry.file_id, entry.data_object)

        # Emptied where it isn't empty, and then taken away.
        for _ in range(0 if content is None else 2 if content else 1):
            self._channel.put(entry.file_id, entry.data_object, b"")

    def cache(self) -> CardCache:
        """Return the counters."""
        return CardCache.parse(self.read("", "cardcf"))

    def touch(self, *, pins: int = 0, containers: int = 0, files: int = 0) -> None:
        """Count changes."""
        touched = self.cache().touched(pins=pins, containers=containers, files=files)
        self._channel.put(CARDCF.file_id, CARDCF.data_object, touched.encode())


def _free(table: FileTable) -> int:
    """Return the first tag that no file has."""
    taken = {entry.data_object for entry in table.entries if entry.file_id == EVERYBODY_READS_USER_WRITES}
    free = next((tag for tag in range(_FIRST_FREE, _LAST + 1) if tag not in taken), None)

    if free is None:
        raise ContentError("the card's table of files is full")

    return free
