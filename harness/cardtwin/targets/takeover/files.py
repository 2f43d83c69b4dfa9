"""Finds the files of a card and reads them: control information, contents, records."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from cardtwin.card.memory import MF, FileKind, climb, parent, path_text
from cardtwin.card.memory.files import SHAREABLE
from cardtwin.iso7816 import FileControl, StatusWord, TlvFormatError
from cardtwin.middleware import CommandFailedError, MiddlewareError
from cardtwin.middleware.channel import refused
from cardtwin.middleware.drivers import DataObjectDriver

if TYPE_CHECKING:
    from cardtwin.middleware.drivers import CardDriver

__all__ = ["FileFound", "FileWalk", "Read"]

_DF: Final = 0x38
_KINDS: Final = frozenset(kind for kind in FileKind if kind.is_plain)
_STATE, _DEACTIVATED = 0x8A, b"\x04"
_DEEPEST: Final = 16
"""Bytes of a path: eight steps. CardOS lets files lie no deeper; a listing that never ends would."""

_MOST_RECORDS: Final = 254
_LONGEST: Final = 256
_NOT_THERE: Final = frozenset({StatusWord.RECORD_NOT_FOUND, StatusWord.WRONG_PARAMETERS})


class Read(StrEnum):
    """How much of a file was read."""

    WHOLE = "whole"
    PARTLY = "partly"
    REFUSED = "refused"
    DIRECTORY = "directory"


@dataclass(frozen=True, slots=True)
class FileFound:
    """A file of the card.

    Attributes:
        path: From the MF on, two bytes for each step.
        control: What SELECT told.
        kind: Of an EF; None for a DF, and where it is a kind that isn't known.
        active: False where the card says that it is deactivated.
        read: How much was read.
        content: The bytes of a transparent file that were read.
        records: The records that were read.
    """

    path: bytes
    control: FileControl
    kind: FileKind | None
    active: bool
    read: Read
    content: bytes = field(default=b"", repr=False)
    records: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def is_df(self) -> bool:
        """Whether it is a DF or the MF."""
        return self.read is Read.DIRECTORY

    @property
    def data(self) -> bytes:
        """What PKCS#15 finds in it: the content, or the records' values one after the other."""
        if self.kind is FileKind.LINEAR_TLV:
            return b"".join(_value(record) for record in self.records)

        return self.content or b"".join(self.records)


class FileWalk:
    """Goes to files, each once. Where the card lists a DF's files, all of them are found with the DF.

    Attributes:
        found: The files by path; a DF's in the order of its list.
        unlisted: DFs whose files the card doesn't list.
        unreachable: Files that are there, or may be, and can't be selected, with the reason.
    """

    def __init__(self, driver: CardDriver) -> None:
        self.found: dict[bytes, FileFound] = {}
        self.unlisted: list[bytes] = []
        self.unreachable: dict[bytes, str] = {}
        self._tried: set[bytes] = set()
        self._driver = driver
        self._channel = driver.channel

    def visit(self, path: bytes) -> FileFound | None:
        """Return the file of a path, from the card if it wasn't read yet; None if there is none."""
        for end in range(2, len(path) + 1, 2):
            if self._visit(path[:end]) is None:
                return None

        return self.found[path]

    def _visit(self, path: bytes) -> FileFound | None:
        if path not in self._tried and len(path) <= _DEEPEST:
            self._tried.add(path)
            found = self._select(path)

            if found is not None:
                self._enter(found)

        return self.found.get(path)

    def _enter(self, found: FileFound) -> None:
        path = found.path
        self.found[path] = found
        rules = found.control.get(0x8B) or b""

        for child in self._listed(path) if found.is_df else ():
            self._visit(path + child)

        if len(rules) == 3:  # a file's identifier and a record's number
            for df in climb(path if found.is_df else parent(path)):
                self._visit(df + rules[:2])

    def _listed(self, path: bytes) -> tuple[bytes, ...]:
        try:
            driver = self._driver
            found = driver.files() if isinstance(driver, DataObjectDriver) else driver.children()
            return tuple(child.to_bytes(2) for child in found)
        except CommandFailedError:
            self.unlisted.append(path)
            return ()

    def _select(self, path: bytes) -> FileFound | None:
        header, data = ("00A408", path[2:]) if path != MF else ("00A400", MF)
        template = "04" if isinstance(self._driver, DataObjectDriver) else "00"  # as the drivers ask
        response = self._channel.ask(header + template, data, le=256)
        sw = response.sw

        if sw == StatusWord.FILE_NOT_FOUND:
            return None

        try:
            if not (sw.is_success or sw.is_warning):
                raise refused(f"select {path_text(path)}", sw)

            control = FileControl.parse(response.data)
        except (MiddlewareError, TlvFormatError) as error:
            self.unreachable[path] = error.message if isinstance(error, MiddlewareError) else str(error)
            return None

        return self._file(path, control, active=_is_active(control, sw))

    def _file(self, path: bytes, control: FileControl, *, active: bool) -> FileFound:
        descriptor = (control.descriptor or 0) & ~SHAREABLE
        driver = self._driver
        is_df = driver.is_directory(control) if isinstance(driver, DataObjectDriver) else descriptor == _DF

        if is_df:
            return FileFound(path, control, None, active, Read.DIRECTORY)

        kind = FileKind(descriptor) if descriptor in _KINDS else None

        if kind is not None and not kind.is_plain:
            kind = None

        if kind is not None and kind.has_records:
            read, records = self._records(kind)
            return FileFound(path, control, kind, active, read, records=records)

        read, content = self._content(control.size or 0)
        return FileFound(path, control, kind, active, read, content)

    def _content(self, size: int) -> tuple[Read, bytes]:
        try:
            content = self._driver.read(size)
        except CommandFailedError:
            return Read.REFUSED, b""

        return Read.WHOLE if len(content) == size else Read.PARTLY, content

    def _records(self, kind: FileKind) -> tuple[Read, tuple[bytes, ...]]:
        """Read records by number; one that fills a response may be longer than that."""
        records: list[bytes] = []

        for number in range(1, _MOST_RECORDS + 1):
            response = self._channel.ask(f"00B2{number:02X}04", le=_LONGEST)

            if response.sw in _NOT_THERE:
                break

            if response.sw != StatusWord.SUCCESS or not response.data:
                return (Read.PARTLY if records else Read.REFUSED), tuple(records)

            records.append(response.data)

        cut = not kind.has_fixed_records and any(len(record) == _LONGEST for record in records)
        return Read.PARTLY if cut else Read.WHOLE, tuple(records)


def _value(record: bytes) -> bytes:
    """Return the value of a SIMPLE-TLV object: behind the tag and a length of one byte, or of FF and two."""
    return record[4 if record[1:2] == b"\xff" else 2 :]


def _is_active(control: FileControl, sw: StatusWord) -> bool:
    """Tell whether a file is active itself: the status word may warn of a DF that it is in."""
    state = control.get(_STATE)
    return state != _DEACTIVATED if state else sw != StatusWord.FILE_DEACTIVATED
