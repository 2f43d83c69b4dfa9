"""A batch on the disk: cards come into it one after the other, each wholly or not at all.

::

    BATCH/
        batch.json         what was ordered
        cards/*.image      the cards' memories
        journal.jsonl      while the batch is made: the list's line of each card, written before its memory
        production.jsonl   when all cards are there: the production list
        production.csv     the same

A card is in the batch when its memory has its name: that is one step for the file system. Its line is in the
journal by then. A line without a memory, or with another one's checksum, is no card's; so whenever the
process ends, each card is there once, or isn't. If the power goes, memories may be cut off that weren't on
the disk yet: the checksum shows that, and the card is made again. As an archive, the batch is made in a
folder beside it, and the archive appears when it is whole, and on the disk.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from array import array
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Self

from cardtwin.issuance.keygeneration import archive
from cardtwin.issuance.keygeneration.errors import (
    BatchBrokenError,
    BatchBusyError,
    BatchExistsError,
    OtherBatchError,
)
from cardtwin.issuance.keygeneration.files import replaced
from cardtwin.issuance.keygeneration.production import IMAGES, image_name
from cardtwin.issuance.keygeneration.records import csv_lines, json_line, parse_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    from cardtwin.issuance.keygeneration.order import BatchOrder
    from cardtwin.issuance.keygeneration.production import ProducedCard
    from cardtwin.issuance.keygeneration.records import CardRecord

__all__ = ["ARCHIVE", "Batch"]

ARCHIVE: Final = ".zip"
"""The ending of a batch's name that makes it an archive."""

ORDER: Final = "batch.json"
LIST_JSON: Final = "production.jsonl"
LIST_CSV: Final = "production.csv"
_JOURNAL: Final = "journal.jsonl"
_WORK: Final = "{}.part"
_OURS: Final = frozenset({ORDER, LIST_JSON, LIST_CSV, _JOURNAL, IMAGES})
_NONE: Final = -1


class Batch:
    """A batch that is being made. A context manager; leaving it lets others have it.

    Args:
        path: The folder, or the archive where the name ends in ``.zip``.
        order: What is ordered.
        resume: Go on with a batch of the same order that is there; without it, nothing may be there.

    Raises:
        BatchExistsError: Something is there, and it isn't to go on.
        OtherBatchError: What is there was ordered otherwise.
        BatchBusyError: Another process works on it.
        BatchBrokenError: What is there is no batch.
        OSError: It can't be read.
    """

    def __init__(self, path: Path, order: BatchOrder, *, resume: bool = False) -> None:
        self.path = path
        self._order = order
        self._archived = path.suffix.casefold() == ARCHIVE
        self._folder = path.with_name(_WORK.format(path.name)) if self._archived else path
        self._lines = array("q", [_NONE]) * order.count
        self._lock: int | None = None
        self._journal: int | None = None
        self._complete = False

        try:
            self._look(resume=resume)
        except BaseException:
            self.close()
            raise

    @property
    def complete(self) -> bool:
        """Whether it is finished: all cards and the list are there."""
        return self._complete

    @property
    def done(self) -> int:
        """How many cards are there."""
        return self._order.count if self._complete else sum(line != _NONE for line in self._lines)

    def missing(self) -> Iterator[int]:
        """Yield the places of the cards that aren't there, from 0."""
        return (index for index, line in enumerate(self._lines) if line == _NONE and not self._complete)

    def add(self, card: ProducedCard) -> None:
        """Put a card into the batch.

        Raises:
            OSError: It can't be written; the card isn't there then.
        """
        journal = self._begun()
        place = os.lseek(journal, 0, os.SEEK_END)

        try:
            _write(journal, json_line(card.record).encode())
            replaced(self._folder / card.record.image, card.image)
        except OSError:
            os.ftruncate(journal, place)
            raise

        self._lines[card.record.index - 1] = place

    def finish(self) -> None:
        """Write the list, and the archive where it is one. All cards have to be there.

        Raises:
            OSError: It can't be written; what is there stays.
        """
        if self._complete:
            return

        if next(self.missing(), None) is not None:
            raise ValueError("a batch is finished when all its cards are there")

        rows = csv_lines(self._records(), public_keys=self._order.public_keys)
        replaced(self._folder / LIST_CSV, (row.encode() for row in rows))
        replaced(self._folder / LIST_JSON, (json_line(record).encode() for record in self._records()))

        if self._archived:
            images = (record.image for record in self._records())
            archive.pack(self._folder, (ORDER, LIST_CSV, LIST_JSON), images, self.path)
            _remove(self._folder)
        else:
            (self._folder / _JOURNAL).unlink()

        self._complete = True

    def close(self) -> None:
        """Let others have it. A second call does nothing."""
        for descriptor in (self._journal, self._lock):
            if descriptor is not None:
                os.close(descriptor)

        self._journal = self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _look(self, *, resume: bool) -> None:
        """See what is there."""
        if self._folder.is_dir():
            self._lock = _locked(self._folder)

        for place in (self.path, self._folder):
            if not resume and _occupied(place):
                raise BatchExistsError(
                    f"{place} is there already: take another place, or go on with it (resume)"
                )

        if self._archived and self.path.exists():
            self._compare(archive.member(self.path, ORDER), self.path)
            self._complete = True
            # The process may have ended when the archive was there, and before its folder was gone.
            _remove(self._folder)
        elif (self._folder / ORDER).exists():
            self._compare((self._folder / ORDER).read_bytes(), self._folder)
            self._complete = self._is_finished()

            if not self._complete:
                self._journal = _opened(self._folder / _JOURNAL)
                self._read_journal()
        elif _occupied(self._folder):
            raise BatchBrokenError(f"{self._folder} is there without {ORDER}: take another place")

    def _is_finished(self) -> bool:
        return (self._folder / LIST_JSON).exists() and not (self._folder / _JOURNAL).exists()

    def _compare(self, found: bytes, where: Path) -> None:
        try:
            value: Any = json.loads(found)
            # With the salt of what is there, the same secrets are the same, whatever else differs.
            identity = self._order.identity(bytes.fromhex(value["salt"]))
            differences = sorted(
                name for name in identity.keys() | value.keys() if value.get(name) != identity.get(name)
            )
        except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
            raise BatchBrokenError(f"{where}: its {ORDER} can't be read: take another place") from None

        if differences:
            raise OtherBatchError(str(where), differences)

    def _begun(self) -> int:
        """Return the journal's descriptor; make the folder when the first card comes."""
        if self._journal is None:
            self._folder.mkdir(mode=0o700, exist_ok=True)

            if self._lock is None:
                self._lock = _locked(self._folder)

            if (self._folder / ORDER).exists():
                raise BatchBusyError(f"{self._folder}: another process has begun the batch meanwhile")

            (self._folder / IMAGES).mkdir(mode=0o700, exist_ok=True)
            self._journal = _opened(self._folder / _JOURNAL)
            os.ftruncate(self._journal, 0)
            replaced(self._folder / ORDER, (json.dumps(self._order.identity(), indent=1) + "\n").encode())

        return self._journal

    def _read_journal(self) -> None:
        """Take note of the cards that are there, and cut off a line that was not written to its end."""
        assert self._journal is not None
        place = 0

        with os.fdopen(os.dup(self._journal), "rb") as file:
            file.seek(0)

            for line in file:
                if not line.endswith(b"\n"):
                    break

                self._note(line, place)
                place += len(line)

        os.ftruncate(self._journal, place)

    def _note(self, line: bytes, place: int) -> None:
        try:
            record = parse_line(line)
        except ValueError:
            return  # as the power's loss may leave it; its card is made again

        if not self._has(record):
            raise BatchBrokenError(f"{self._folder}: its {_JOURNAL} has a card of another batch")

        with suppress(FileNotFoundError):
            content = (self._folder / record.image).read_bytes()

            if hashlib.sha256(content).hexdigest() == record.sha256:
                self._lines[record.index - 1] = place

    def _has(self, record: CardRecord) -> bool:
        """Whether the batch has such a card."""
        if not 1 <= record.index <= self._order.count:
            return False

        serial = self._order.assignment(record.index - 1).serial.hex().upper()
        return (record.serial, record.image) == (serial, image_name(serial))

    def _records(self) -> Iterator[CardRecord]:
        """Yield the records of all cards, in their order."""
        assert self._journal is not None

        with os.fdopen(os.dup(self._journal), "rb") as file:
            for place in self._lines:
                file.seek(place)
                yield parse_line(file.readline())


def _occupied(path: Path) -> bool:
    """Whether something is there; an empty folder, or one in which no batch was begun yet, is nothing."""
    return bool(_names(path) - {_JOURNAL, IMAGES}) if path.is_dir() else path.exists()


def _names(folder: Path) -> set[str]:
    """Return the names in a folder, without those that are written at the moment."""
    return {entry.name for entry in folder.iterdir() if not entry.name.startswith(".")}


def _remove(folder: Path) -> None:
    """Remove a folder in which a batch was made."""
    if folder.is_dir() and _names(folder) <= _OURS:
        shutil.rmtree(folder)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)

    while view:
        view = view[os.write(descriptor, view) :]


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _locked(folder: Path) -> int:
    """Return a descriptor of a folder, with the lock on it.

    Raises:
        BatchBusyError: Another process has the lock.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise BatchBusyError(f"{folder}: another process works on this batch") from None

    return descriptor
