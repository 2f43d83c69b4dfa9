"""``fork``: a program makes a child."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from cardtwin.scenario.effects import READS
from cardtwin.scenario.step import Observed, Refers, Step, verb
from cardtwin.scenario.values import Name
from cardtwin.targets import Capability

if TYPE_CHECKING:
    from cardtwin.scenario.run import Run

__all__ = ["Fork"]


@verb("fork", needs={Capability.PKCS11}, effects=READS)
class Fork(Step):
    """Let a program fork. The child, one of `processes`, is its copy, with the PKCS#11 library loaded.

    The child goes by its parent's name: the sections of Personal.cfg for that name are the child's, too.
    """

    addressed: ClassVar[frozenset[str]] = frozenset({"by"})
    fork: Annotated[Name, Refers("processes")]

    def run(self, run: Run) -> Observed:
        """Fork."""
        run.bench.fork(run.process(self), self.fork)
        return Observed()
