"""Scenarios that were recorded, drafted from their traces, and run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from cardtwin.card import image as images
from cardtwin.drafting import Circumstances, draft
from cardtwin.events import CallBegan, CallEnded, Cause
from cardtwin.scenario import Verdict, load, run
from cardtwin.targets import get
from cardtwin.targets.emulated import EmulatedTarget
from cardtwin.trace import Recorder, Trace

if TYPE_CHECKING:
    from pathlib import Path

    from cardtwin.card import EmulatedCard
    from cardtwin.events import Event, Hub
    from cardtwin.scenario import Instance, ScenarioResult
    from cardtwin.targets import Setup
    from cardtwin.targets.emulated import EmulatedBench

__all__ = [
    "LOGIN",
    "NOTHING",
    "OPENED",
    "PREPARATION",
    "Ran",
    "Recorded",
    "circumstances_of",
    "drafted",
    "made_card",
    "ran",
    "recorded",
    "steps",
    "trace",
]

PREPARATION: Final = {"personalise"}
"""The steps that make the card."""


Recorded = tuple[str, dict[str, str], dict[str, str], str]
NOTHING: dict[str, str] = {}
OPENED: tuple[Recorded, ...] = (
    ("C_Initialize", NOTHING, NOTHING, "CKR_OK"),
    ("C_GetSlotList", {"tokenPresent": "true", "pSlotList": "room for 9"}, {"pSlotList": "2: 7 8"}, "CKR_OK"),
    ("C_OpenSession", {"slotID": "7", "flags": "6"}, {"phSession": "41"}, "CKR_OK"),
)
LOGIN = {"hSession": "41", "userType": "CKU_USER", "pPin": "**"}


def recorded(
    name: str, arguments: dict[str, str], results: dict[str, str], rv: str = "CKR_OK"
) -> list[Event]:
    """Return the events of a call."""
    cause = Cause(name)
    told = tuple((f"*{key}", value) for key, value in results.items())
    return [
        CallBegan(call=cause, interface="PKCS#11", program="program", arguments=tuple(arguments.items())),
        CallEnded(call=cause, result=rv, results=told),
    ]


def trace(*calls: Recorded, before: tuple[Event, ...] = ()) -> Trace:
    """Return the trace of some calls: their names, arguments, results and return values."""
    return Trace("a log", (*before, *(event for each in calls for event in recorded(*each))))


def steps(text: str) -> str:
    """Return the drafted steps, without the one that makes the card."""
    return text.partition("by: maker\n")[2].partition("files:\n")[0]


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


class _KeptCard(EmulatedTarget):
    """The emulated target; its card is there afterwards."""

    chip: EmulatedCard

    def open(self, setup: Setup, hub: Hub) -> EmulatedBench:
        bench = super().open(setup, hub)
        self.chip = bench.desk.cards[0].chip
        return bench


def made_card(instance: Instance, folder: Path) -> Path:
    """Make the card of an instance as its steps do, and return the file with its memory."""
    target, path = _KeptCard(), folder / "card.image"
    making = tuple(spec for spec in instance.steps if spec.kind.verb in PREPARATION)
    result = run(replace(instance, steps=making), target)
    assert result.verdict is Verdict.PASSED
    images.save(target.chip.image, path)
    return path


def circumstances_of(instance: Instance, folder: Path) -> Circumstances:
    """Return what the trace of an instance won't tell."""
    setup = instance.setup
    config = None

    if content := setup.files.get("Personal.cfg"):
        config = folder / "Personal.cfg"
        config.write_bytes(content)

    (card,) = setup.cards.values()
    return Circumstances(config=config, quirks=card.quirks, switches=setup.switches)
