"""The ledger: tries that were spent on physical cards, kept from run to run."""

from __future__ import annotations

import fcntl
import json
import os
import re
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cardtwin.targets.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

__all__ = ["Ledger"]

_FORMAT: Final = 1
_NAME: Final = re.compile(r"([0-9a-f]{2})+")


class Ledger:
    """A folder with one JSON file for each card, named by its serial number. No PIN is in any.

    A try is entered before the command goes out and taken back when the card has said that it cost none, so
    that what is entered is never too little, whenever the run ends. Each file is replaced as a whole, and
    only its owner reads it; several runs may use the folder at a time.

    Args:
        folder: The folder; made where it is missing. None takes ``cardtwin/ledger`` in $XDG_STATE_HOME.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or _state_home() / "cardtwin" / "ledger"

    def path(self, serial: bytes) -> Path:
        """Return the file of a card."""
        return self._folder / f"{serial.hex()}.json"

    def spent(self, serial: bytes) -> Mapping[str, int]:
        """Return the tries of a card's credentials, by name, that were spent and not given back.

        Raises:
            TargetError: The file can't be read, or holds something else.
        """
        path = self.path(serial)

        try:
            told = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise TargetError(f"the ledger {path} can't be read: {error}") from None

        return _checked(told, path)

    def serials(self) -> tuple[bytes, ...]:
        """Return the serial numbers of the cards that something is kept of.

        Raises:
            TargetError: The folder can't be read.
        """
        try:
            names = sorted(path.stem for path in self._folder.glob("*.json"))
        except OSError as error:
            raise TargetError(f"the ledger {self._folder} can't be read: {error.strerror}") from None

        return tuple(bytes.fromhex(name) for name in names if _NAME.fullmatch(name))

    def forget(self, serial: bytes, credentials: Collection[str] | None = None) -> None:
        """Take out what is kept of a card: whoever does knows that the card has its tries back.

        Args:
            serial: The card's serial number.
            credentials: Of which PINs and keys; None takes out all, and a file that is no ledger too.

        Raises:
            TargetError: As spend(), and where nothing is kept of one of them.
        """
        path = self.path(serial)

        try:
            with self._held(serial):
                if not path.exists():
                    raise TargetError(f"nothing is kept of the card {serial.hex().upper()}")

                if credentials is None:
                    path.unlink()
                else:
                    _replace(path, _without(self.spent(serial), credentials, serial))
        except OSError as error:
            raise TargetError(f"the ledger {path} can't be written: {error.strerror}") from None

    def spend(self, serial: bytes, credential: str) -> None:
        """Enter a try that is about to be spent; errors as spent(), also where nothing can be written."""
        self._change(serial, credential, +1)

    def give_back(self, serial: bytes, credential: str) -> None:
        """Take back a try that was entered and not spent; errors as spend()."""
        self._change(serial, credential, -1)

    def _change(self, serial: bytes, credential: str, by: int) -> None:
        path = self.path(serial)

        try:
            with self._held(serial):
                counts = dict(self.spent(serial))
                counts[credential] = max(0, counts.get(credential, 0) + by)
                _replace(path, {name: count for name, count in sorted(counts.items()) if count})
        except OSError as error:
            raise TargetError(f"the ledger {path} can't be written: {error.strerror}") from None

    @contextmanager
    def _held(self, serial: bytes) -> Iterator[None]:
        """Keep other runs off a card's file while the block lasts."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._folder / f"{serial.hex()}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _without(spent: Mapping[str, int], credentials: Collection[str], serial: bytes) -> Mapping[str, int]:
    for name in credentials:
        if name not in spent:
            known = ", ".join(spent) or "none"
            raise TargetError(
                f"nothing is kept of {name!r} of the card {serial.hex().upper()}; there are: {known}"
            )

    return {name: count for name, count in spent.items() if name not in credentials}


def _state_home() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")


def _checked(told: object, path: Path) -> Mapping[str, int]:
    spent = told.get("spent") if isinstance(told, dict) and told.get("format") == _FORMAT else None

    if not isinstance(spent, dict) or not all(type(count) is int and count >= 0 for count in spent.values()):
        raise TargetError(f"{path} is no ledger of tries; move it away if the card's tries are known")

    return spent


def _replace(path: Path, spent: Mapping[str, int]) -> None:
    """Put a new file in the place of the old one; it is on the disk before this returns."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem)

    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"format": _FORMAT, "spent": spent}, file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())

        Path(name).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()

        raise

    folder = os.open(path.parent, os.O_RDONLY)

    try:
        os.fsync(folder)
    finally:
        os.close(folder)
