"""The system's readers, as far as programs are recorded in front of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.pcsc import PcscError
from cardtwin.readers import ReaderError
from cardtwin.readers.physical import PassedReader, PhysicalContext
from cardtwin.recording.errors import RecordingRefusedError

if TYPE_CHECKING:
    from cardtwin.readers import ReaderManager

__all__ = ["pass_reader", "reader_to_pass"]


def reader_to_pass(wanted: str | None) -> str:
    """Return the name of the system's reader that is meant: the one that is named, or the only one.

    Raises:
        RecordingRefusedError: There is no such reader, there are several, or there is no PC/SC service.
    """
    try:
        with PhysicalContext() as context:
            names = context.readers()
    except (PcscError, ReaderError) as error:
        raise RecordingRefusedError(f"the system's readers can't be used: {error}") from None

    known = ", ".join(map(repr, names)) or "none"

    if wanted is None and len(names) == 1:
        return names[0]

    if wanted is None:
        raise RecordingRefusedError(f"which reader? The system has {known}: name one, or give a card")

    if wanted not in names:
        raise RecordingRefusedError(f"the system has no reader {wanted!r}, but {known}")

    return wanted


def pass_reader(manager: ReaderManager, name: str) -> PassedReader:
    """Return one of the system's readers as one of a manager's.

    Raises:
        RecordingRefusedError: It isn't there, or another program uses its card.
    """
    try:
        return PassedReader(manager, name)
    except ReaderError as error:
        raise RecordingRefusedError(f"{error}: what is recorded has to have the card for itself") from None
    except PcscError as error:
        raise RecordingRefusedError(f"{name}: {error}") from None
