"""Scenarios that were recorded, drafted from their traces, and run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardtwin.drafting import Circumstances, draft
from cardtwin.events import CallEnded
from cardtwin.scenario import load, run
from cardtwin.targets import get
from cardtwin.trace import Recorder

if TYPE_CHECKING:
    from pathlib import Path

    from cardtwin.scenario import Instance, ScenarioResult
    from cardtwin.trace import Trace

__all__ = ["Ran", "circumstances_of", "drafted", "ran"]


@dataclass(frozen=True)
class Ran:
    """A scenario that ran, and what it did."""

    result: ScenarioResult
    trace: Trace

    @property
    def calls(self) -> list[tuple[str, str]]:
        """The functions that were called, with what they returned."""
        return [(e.call.what, e.result) for e in self.trace.events if isinstance(e, CallEnded)]

    @property
    def failure(self) -> str:
        """Where it failed, and why; empty where it passed."""
        step = self.result.failed_step
        return "" if step is None or step.failure is None else f"{step.place} {step.title}: {step.failure}"


def ran(instance: Instance) -> Ran:
    """Run an instance on the emulated target, and record it."""
    recorder = Recorder()
    result = run(instance, get("emulated"), observers=[recorder])
    return Ran(result, recorder.trace(instance.id))


def drafted(trace: Trace, folder: Path, circumstances: Circumstances | None = None) -> Instance:
    """Return the scenario that is drafted from a trace, read from a file again."""
    path = folder / "drafted.scenario.yaml"
    path.write_text(draft(trace, folder, circumstances))
    (instance,) = load(path)
    return instance


def circumstances_of(instance: Instance, folder: Path) -> Circumstances:
    """Return what the trace of an instance won't tell."""
    setup = instance.setup
    config = None

    if content := setup.files.get("Personal.cfg"):
        config = folder / "Personal.cfg"
        config.write_bytes(content)

    (card,) = setup.cards.values()
    return Circumstances(config=config, quirks=card.quirks, switches=setup.switches)
