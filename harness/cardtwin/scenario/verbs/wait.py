"""``wait``: time passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cardtwin.scenario.effects import READS
from cardtwin.scenario.step import Observed, Step, verb
from cardtwin.scenario.values import Number
from cardtwin.targets import Capability

if TYPE_CHECKING:
    from cardtwin.scenario.run import Run

__all__ = ["Wait"]


@verb("wait", needs={Capability.CLOCK}, effects=READS)
class Wait(Step):
    """Let seconds pass, on the clock that the programs see; the step itself takes no time."""

    addressed: ClassVar[frozenset[str]] = frozenset()
    wait: Number

    def run(self, run: Run) -> Observed:
        """Set the clock forward."""
        run.bench.wait(self.wait)
        return Observed()
