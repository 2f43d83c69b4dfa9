"""Log files: a line for each operation. No secret gets into them, and none can break an operation."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from cardtwin.middleware.ckr import Ckr
from cardtwin.middleware.errors import MiddlewareError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

__all__ = ["ENCODER_LOG", "PERSONAL_LOG", "LogFile"]

PERSONAL_LOG: Final = "personal.log"
ENCODER_LOG: Final = "jpki_encoder.log"

_LONGEST: Final = 2000
_MODE: Final = 0o600

_logger = logging.getLogger(__name__)


class LogFile:
    """One log file of one program. Several programs may write to one file: each line is written at once."""

    def __init__(self, folder: Path | None, name: str, program: str, now: Callable[[], datetime]) -> None:
        """Take where to write.

        Args:
            folder: The log folder, made where it isn't there; None writes nothing.
            name: The file's name.
            program: The program that the lines name.
            now: The time.
        """
        self._path = folder / name if folder is not None else None
        self._program = program
        self._now = now
        self._told = False

    def write(self, operation: str, result: str, *, reader: str = "", detail: str = "") -> None:
        """Write a line: time, program, operation, reader, result, and why.

        A file that cannot be written is told once, as a warning of Python's logging, and nothing else
        comes of it.
        """
        if self._path is None:
            return

        time = self._now().isoformat(timespec="milliseconds")
        where = f" [{reader}]" if reader else ""
        why = f": {detail}" if detail else ""
        line = _printable(f"{time} {self._program} {operation}{where} {result}{why}")

        try:
            _append(self._path, f"{line}\n".encode(errors="backslashreplace"))
        except OSError as error:
            self._tell(error)

    @contextmanager
    def operation(self, name: str, reader: str = "") -> Iterator[None]:
        """Write how the operation in the block ended: CKR_OK, or the value and the reason of its error."""
        try:
            yield
        except MiddlewareError as error:
            self.write(name, error.rv.name, reader=reader, detail=error.message)
            raise
        except BaseException as error:
            # Of what isn't expected only the kind is told: its text may hold anything.
            self.write(name, Ckr.CKR_GENERAL_ERROR.name, reader=reader, detail=type(error).__name__)
            raise

        self.write(name, Ckr.CKR_OK.name, reader=reader)

    def _tell(self, error: OSError) -> None:
        if not self._told:
            self._told = True
            _logger.warning("%s cannot be written: %s", self._path, error.strerror or type(error).__name__)


def _append(path: Path, line: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # One write to a file opened for appending: lines of several programs do not mix.
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _MODE)

    try:
        os.write(file, line)
    finally:
        os.close(file)


def _printable(text: str) -> str:
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in shown)
