"""``card``: what a hand does at a reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from cardtwin.scenario.errors import UsageError
from cardtwin.scenario.step import Observed, Refers, Step, verb
from cardtwin.scenario.values import Name
from cardtwin.targets import Capability

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.scenario.run import Run
    from cardtwin.targets import Desk

__all__ = ["Card"]


@verb("card", needs={Capability.DESK})
class Card(Step):
    """Insert a card, remove, reset or power it. `which` names the card to insert."""

    card: Literal["insert", "remove", "reset", "power_on", "power_off"]
    which: Annotated[Name | None, Refers("cards")] = None

    def run(self, run: Run) -> Observed:
        """Do it."""
        reader = run.reader(self)

        if self.card != "insert":
            _ACTIONS[self.card](run.bench.desk, reader)
        elif self.which is None:
            raise UsageError("'card: insert' needs 'which': the card's name")
        else:
            run.bench.desk.insert(reader, self.which)

        return Observed()


_ACTIONS: dict[str, Callable[[Desk, str], None]] = {
    "remove": lambda desk, reader: desk.remove(reader),
    "reset": lambda desk, reader: desk.reset(reader),
    "power_on": lambda desk, reader: desk.power(reader, on=True),
    "power_off": lambda desk, reader: desk.power(reader, on=False),
}
