"""LOAD EXECUTABLE, which makes a package of what an EF of code holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cardtwin.card.errors import Refusal
from cardtwin.card.memory import MF, FileKind
from cardtwin.card.memory.access import MfOperation
from cardtwin.card.memory.writes import SetPackages
from cardtwin.iso7816 import StatusWord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.card.chip import Chip
    from cardtwin.card.commands.form import Handler, Outcome
    from cardtwin.iso7816 import CommandApdu

__all__ = ["LoadMessage", "load_executable"]


class LoadMessage(NamedTuple):
    """How a package is known that is being loaded: by lengths, since nothing else of it is public.

    Attributes:
        executable: The size of the EF of code.
        length: The length of the command's protected data.
    """

    executable: int
    length: int


def load_executable(known: Mapping[LoadMessage, bytes]) -> Handler:
    """Return the LOAD EXECUTABLE of a card system that these packages are known for.

    The handler loads from the current EF, where the MF's condition EXECUTE is met, and refuses with 6981 an
    EF that isn't for code and with 6988 a message that belongs to no known package.
    """

    def handler(chip: Chip, apdu: CommandApdu) -> Outcome:
        executable = chip.current_ef()

        if executable.kind is not FileKind.EXECUTABLE:
            raise Refusal(StatusWord.COMMAND_INCOMPATIBLE_WITH_FILE_STRUCTURE)

        chip.require_of_file(MF, MfOperation.EXECUTE)
        package = known.get(LoadMessage(executable.size, len(apdu.data)))

        if package is None:
            raise Refusal(StatusWord.SM_OBJECTS_INCORRECT)

        loaded = tuple(one for one in chip.image.packages if one != package)
        return b"", StatusWord.SUCCESS, (SetPackages((*loaded, package)),)

    return handler
