"""``fault``: something begins to go wrong with a card, or ends to."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, Literal, Self

from pydantic import model_validator

from cardtwin.scenario.effects import READS
from cardtwin.scenario.faults import Seconds, Times
from cardtwin.scenario.step import Observed, Step, verb
from cardtwin.scenario.values import Flag, Hex, Number
from cardtwin.targets import Capability, FaultSetup

if TYPE_CHECKING:
    from cardtwin.scenario.run import Run

__all__ = ["Fault"]

_CLEAR: Final = "clear"


@verb("fault", needs={Capability.DESK}, effects=READS)
class Fault(Step):
    """Let something go wrong with the card in the reader, at commands after this step; or `clear` it all.

    The keys are those of a card's `faults`. A card that has fallen silent answers again when its faults were
    cleared and it was reset.
    """

    addressed: ClassVar[frozenset[str]] = frozenset({"on"})
    fault: Literal["answer", "delay", "mute", "remove", "tear", "clear"]
    at: Hex = b""
    after: Number = 0
    times: Times = 1
    sw: Hex | None = None
    data: Hex | None = None
    seconds: Seconds | None = None
    writes: Number | None = None
    dead: Flag | None = None
    carried_out: Flag | None = None

    @model_validator(mode="after")
    def _keys_belong_together(self) -> Self:
        if self.fault != _CLEAR:
            self._setup()
        elif given := [key for key in _KEYS if key in self.model_fields_set]:
            raise ValueError(f"'fault: clear' takes all faults away: {given[0]!r} says nothing there")

        return self

    def _setup(self) -> FaultSetup:
        return FaultSetup(do=self.fault, **{key: getattr(self, key) for key in _KEYS})

    def run(self, run: Run) -> Observed:
        """Arm the fault, or clear all."""
        desk, reader = run.bench.desk, run.reader(self)

        if self.fault == _CLEAR:
            desk.disarm(reader)
        else:
            desk.arm(reader, self._setup())

        return Observed()


_KEYS: Final = ("at", "after", "times", "sw", "data", "seconds", "writes", "dead", "carried_out")
