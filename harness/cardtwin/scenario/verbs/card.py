"""``card``: what a hand does at a reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal, Self

from pydantic import model_validator

from cardtwin.scenario.document import TextNode
from cardtwin.scenario.effects import READS
from cardtwin.scenario.step import Observed, Refers, Step, verb
from cardtwin.scenario.values import Name
from cardtwin.targets import Capability

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.scenario.document import MapNode
    from cardtwin.scenario.run import Run
    from cardtwin.targets import Desk

__all__ = ["Card"]


@verb("card", needs={Capability.DESK}, effects=READS)
class Card(Step):
    """Insert a card, remove, reset or power it. `which` names the card to insert."""

    addressed: ClassVar[frozenset[str]] = frozenset({"on"})
    card: Literal["insert", "remove", "reset", "power_on", "power_off"]
    which: Annotated[Name | None, Refers("cards")] = None

    @model_validator(mode="after")
    def _card_to_insert(self) -> Self:
        if (self.card == "insert") != (self.which is not None):
            raise ValueError("'which' names the card that 'card: insert' inserts, and stands nowhere else")

        return self

    @classmethod
    def capabilities(cls, written: MapNode) -> frozenset[Capability]:
        """Return what the step needs: hands, and for power a switch."""
        action = written.get("card")
        is_power = isinstance(action, TextNode) and action.text in _POWER
        return frozenset({Capability.POWER}) if is_power else cls.needs

    def run(self, run: Run) -> Observed:
        """Do it."""
        reader = run.reader(self)

        if self.which is not None:
            run.bench.desk.insert(reader, self.which)
        else:
            _ACTIONS[self.card](run.bench.desk, reader)

        return Observed()


_POWER: Final = ("power_on", "power_off")
_ACTIONS: dict[str, Callable[[Desk, str], None]] = {
    "remove": lambda desk, reader: desk.remove(reader),
    "reset": lambda desk, reader: desk.reset(reader),
    "power_on": lambda desk, reader: desk.power(reader, on=True),
    "power_off": lambda desk, reader: desk.power(reader, on=False),
}
