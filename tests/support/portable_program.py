"""Runs scenarios on cards in a reader of the system, each on a fresh card that plays the hardware.

Usage: ``portable_program.py PORT [LIBRARY]``, with ``[path, id]`` on each line of standard input, and
``[id, verdict, why]`` on each of standard output. PORT is the first slot of a vpcd; LIBRARY is a PKCS#11
library to take in the place of our own middleware.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cardtwin.card import EmulatedCard, models
from cardtwin.decode.commands import FORMS
from cardtwin.entropy import SystemEntropy
from cardtwin.readers import VpcdSlot
from cardtwin.readers.physical import PhysicalContext
from cardtwin.report.text import explain_failure
from cardtwin.scenario import Instance, ScenarioResult, load, run
from cardtwin.targets.hardware import Hardware, HardwareTarget, LibraryHardwareTarget, Permissions

if TYPE_CHECKING:
    from cardtwin.pcsc import ReaderState
    from cardtwin.targets import Target

PATIENCE = 20.0
ALL = Permissions(
    destructive=True,
    irreversible=frozenset(form.name for form in FORMS),
    unverified=True,
    known_tries=3,
)


def target_of(reader: str, library: str | None, hardware: Hardware) -> Target:
    """Return what the instances run on."""
    if library is None:
        return HardwareTarget(reader, hardware)

    return LibraryHardwareTarget(library, reader, hardware)


def result_of(instance: Instance, port: int, library: str | None, eyes: PhysicalContext) -> ScenarioResult:
    """Run an instance; nobody's tries are kept from one card to the next."""
    (reader,) = (name for name in eyes.readers() if name.endswith("00 00"))
    (setup,) = instance.setup.cards.values()
    card = EmulatedCard(models.get(setup.model), entropy=SystemEntropy())
    seen(eyes, reader, present=False)

    with tempfile.TemporaryDirectory() as ledger, VpcdSlot(card, reader="hardware", port=port) as slot:
        assert slot.wait(PATIENCE), "pcscd has not asked for the card"
        seen(eyes, reader, present=True)
        return run(instance, target_of(reader, library, Hardware(asked=ALL, ledger=Path(ledger))))


def seen(eyes: PhysicalContext, reader: str, *, present: bool) -> None:
    """Wait until the service has seen a card come or go."""
    states: tuple[ReaderState, ...] = (eyes.state(reader),)

    while states[0].present is not present:
        states = eyes.wait(states, PATIENCE)


def main() -> None:
    """Run what is asked for."""
    eyes = PhysicalContext()
    port, library = int(sys.argv[1]), next(iter(sys.argv[2:]), None)

    for line in sys.stdin:
        path, wanted = json.loads(line)
        instance = next(each for each in load(Path(path)) if each.id == wanted)
        result = result_of(instance, port, library, eyes)
        sys.stdout.write(json.dumps([result.id, result.verdict.value, explain_failure(result)]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
