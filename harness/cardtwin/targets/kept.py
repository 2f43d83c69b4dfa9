"""Cards whose memory outlives the process, in files."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cardtwin.card import image as images
from cardtwin.pcsc import CardMuteError
from cardtwin.readers.wrappers import CardAround
from cardtwin.targets.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.card import CardImage, EmulatedCard

__all__ = ["CardFile", "CardFileBusyError", "KeptCard", "check_unkept"]

_SCRATCH: Final = ".{}.cardtwin-new"
"""What the next memory is called until it is whole, by the name of the file."""


class CardFileBusyError(TargetError):
    """Another card has its memory in that file."""


class CardFile:
    """A file with a card's memory, which belongs to one card at a time.

    The lock is on the file itself, so it goes with the process that holds it. A memory takes the place of the
    one before wholly or not at all. A file that isn't there is made, empty, for the lock's sake; an empty one
    is that of a card which isn't made yet.

    Args:
        path: Where it is; its folder is there.

    Attributes:
        path: Where it is, without symbolic links.
        image: The memory that was last saved; None before the first.

    Raises:
        CardFileBusyError: Another card has its memory there, of this process or of another.
        ImageError: It holds something else.
        OSError: It can't be read or written.
    """

    image: CardImage | None

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).resolve()
        self._scratch = self.path.with_name(_SCRATCH.format(self.path.name))
        self._descriptor = _locked(self.path)

        try:
            # What a process has left that was killed while it wrote.
            self._scratch.unlink(missing_ok=True)
            self.image = images.load(self.path) if os.fstat(self._descriptor).st_size else None
        except BaseException:
            os.close(self._descriptor)
            raise

    def save(self, image: CardImage) -> None:
        """Put a memory into the place of the one before.

        Raises:
            OSError: It can't be written; the one before stays.
        """
        descriptor = os.open(self._scratch, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)

        try:
            # The lock goes with the file, and so has to be on the next one before that has the name.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

            with os.fdopen(descriptor, "w", encoding="ascii", closefd=False) as file:
                file.write(images.text(image))

            os.fsync(descriptor)
            self._scratch.replace(self.path)
        except BaseException:
            os.close(descriptor)

            with contextlib.suppress(OSError):
                self._scratch.unlink()

            raise

        os.close(self._descriptor)
        self._descriptor, self.image = descriptor, image

    def close(self) -> None:
        """Let others have it. One into which nothing was saved is taken away."""
        if self.image is None:
            self.path.unlink(missing_ok=True)

        os.close(self._descriptor)


class KeptCard(CardAround):
    """An emulated card whose memory is in a file, too, before anybody hears that a command was carried out.

    Whenever the process ends, the file has the memory from before a command, or from after it. If the memory
    can't be written, the card does not answer until it can.

    Args:
        card: The card.
        file: The file; the card's memory is put there at once, if it isn't there.
        failed: Told, with the reason, when the memory could not be written.

    Raises:
        OSError: The file cannot be written.
    """

    card: EmulatedCard

    def __init__(self, card: EmulatedCard, file: CardFile, failed: Callable[[str], object]) -> None:
        super().__init__(card)
        self._file = file
        self._failed = failed
        self.keep()

    def process(self, command: bytes) -> bytes:
        """Take one command APDU and return one response APDU, after what has changed is in the file.

        Raises:
            CardMuteError: The card does not answer, or its memory cannot be written.
        """
        self._keep_or_be_mute()

        try:
            return super().process(command)
        finally:
            self._keep_or_be_mute()

    def cut_power_after(self, writes: int | None) -> None:
        """Let only so many more writes reach the memory; None takes that back."""
        self.card.cut_power_after(writes)

    def keep(self) -> None:
        """Write the memory, if it isn't in the file as it is.

        Raises:
            OSError: The file cannot be written.
        """
        image = self.card.image

        if image is not self._file.image:
            self._file.save(image)

    def _keep_or_be_mute(self) -> None:
        try:
            self.keep()
        except OSError as error:
            reason = f"the card's memory can't be written to {self._file.path}: {error.strerror}"
            self._failed(reason)
            raise CardMuteError(self.card.reader, reason) from None


def check_unkept(path: str | os.PathLike[str]) -> None:
    """See that no card has its memory in a file that is to be replaced, of this process or of another.

    Raises:
        CardFileBusyError: One has.
        OSError: It can't be read.
    """
    resolved = Path(path).resolve()

    if resolved.is_file():
        os.close(_locked(resolved))


def _locked(path: Path) -> int:
    """Return a descriptor of the file, which is made where it is missing, with the lock on it.

    Raises:
        CardFileBusyError: Another one has the lock.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

            # Meanwhile its owner may have put another file there, and gone.
            if _is_there(descriptor, path):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise CardFileBusyError(
                f"{path}: another card has its memory there; end the process that it belongs to, "
                "or take another file"
            ) from None
        except BaseException:
            os.close(descriptor)
            raise

        os.close(descriptor)


def _is_there(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
