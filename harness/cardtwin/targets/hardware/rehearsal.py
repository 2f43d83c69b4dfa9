"""Emulated cards that are looked at as physical ones are: so a dry run sees no more than the run will."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.card.memory import path_text
from cardtwin.targets.clock import pass_time
from cardtwin.targets.desk import EmulatedDesk
from cardtwin.targets.emulated import EmulatedBench, EmulatedTarget
from cardtwin.targets.hidden import Hidden
from cardtwin.targets.looking import asks_tries
from cardtwin.targets.module import ForeignBench, ForeignTarget
from cardtwin.targets.remote import LIMIT
from cardtwin.targets.takeover import take_over
from cardtwin.targets.takeover.files import Read

if TYPE_CHECKING:
    from cardtwin.events import Hub
    from cardtwin.targets.interface import Setup
    from cardtwin.targets.takeover import TakenCard

__all__ = ["LibraryRehearsal", "RehearsalTarget", "hidden_of"]

_WHY: Final = {
    Read.REFUSED: "the card doesn't let it be read",
    Read.PARTLY: "the card lets only a part of it be read",
}


class RehearsalTarget(EmulatedTarget):
    """The emulated target, with eyes that see of a card what may be read."""

    def open(self, setup: Setup, hub: Hub) -> EmulatedBench:
        """Put cards into readers; errors as the emulated target's."""
        return _RehearsalBench(setup, hub)


class LibraryRehearsal(ForeignTarget):
    """The same with programs that load another PKCS#11 library."""

    def open(self, setup: Setup, hub: Hub, *, limit: float = LIMIT) -> ForeignBench:
        """Set up the bench; errors as the foreign target's."""
        return _LibraryRehearsalBench(setup, hub, self.library, limit=limit, sleep=pass_time)


class _RehearsalBench(EmulatedBench):
    def make_desk(self) -> EmulatedDesk:
        return _ReadDesk(self.manager)


class _LibraryRehearsalBench(ForeignBench):
    def make_desk(self) -> EmulatedDesk:
        return _ReadDesk(self.manager)


class _ReadDesk(EmulatedDesk):
    def hidden(self, reader: str) -> Hidden:
        asks = asks_tries(self.image(reader).model)
        return hidden_of(take_over(self._manager.context(), reader, ask_tries=asks))


def hidden_of(taken: TakenCard) -> Hidden:
    """Return what isn't seen of a card that was taken over."""
    objects = taken.image.objects
    untold = {found.key for found in taken.credentials if found.tries is None}
    assumed = {found.key for found in taken.credentials if objects.get(found.key) == found.object()}
    return Hidden(
        {path_text(path): _WHY[file.read] for path, file in taken.files.items() if file.read in _WHY},
        {path_text(path): reason for path, reason in taken.omitted.items()},
        frozenset(map(path_text, taken.unlisted)),
        frozenset((path_text(key.df), key.id) for key in objects if key not in untold),
        frozenset((path_text(key.df), key.id) for key in assumed),
    )
