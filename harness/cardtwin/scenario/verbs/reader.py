"""``reader``: a reader comes and goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from cardtwin.scenario.effects import READS
from cardtwin.scenario.step import Observed, Step, verb
from cardtwin.targets import Capability

if TYPE_CHECKING:
    from cardtwin.scenario.run import Run

__all__ = ["Reader"]


@verb("reader", needs={Capability.DESK}, effects=READS)
class Reader(Step):
    """Attach a reader that is ``absent``, an empty one; or detach one, with the card that is in it."""

    addressed: ClassVar[frozenset[str]] = frozenset({"on"})
    reader: Literal["attach", "detach"]

    def run(self, run: Run) -> Observed:
        """Do it."""
        name = run.reader(self)

        if self.reader == "attach":
            run.bench.desk.add_reader(name, pinpad=name in run.setup.pinpads)

            if name in run.setup.ejecting:
                run.bench.desk.let_eject(name)
        else:
            run.bench.desk.remove_reader(name)

        return Observed()
