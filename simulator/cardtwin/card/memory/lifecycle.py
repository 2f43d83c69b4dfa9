"""The life cycle of a CardOS card as a table: its phases, and what leads from one to another."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Final

from cardtwin.provenance import Basis

__all__ = ["ALL", "FILES", "LIVING", "START_KEY", "TRANSITIONS", "LifeCycle", "LifeCycleEvent", "Transition"]


class LifeCycle(IntEnum):
    """The phases, with the values that GET DATA 83 tells."""

    MANUFACTURING = 0x34
    INITIALISATION = 0x26
    PERSONALISATION = 0x24
    PHYSICAL_PERSONALISATION = 0x23
    ADMINISTRATION = 0x20
    OPERATIONAL = 0x10
    ERASE_IN_PROGRESS = 0x29
    DEATH = 0x3F


class LifeCycleEvent(Enum):
    """What changes the phase."""

    PHASE_CONTROL = "PHASE CONTROL"
    ERASE_BEGINS = "ERASE FILES begins"
    ERASE_ENDS = "ERASE FILES ends"
    FORMAT = "FORMAT"


@dataclass(frozen=True, slots=True)
class Transition:
    """One way from phase to phase, and how well it is known."""

    source: LifeCycle
    event: LifeCycleEvent
    target: LifeCycle
    condition: str
    basis: Basis


_LCYCLE: Final = "LCYCLE of the MF"
_STARTKEY: Final = "StartKey"

# That ERASE FILES ends in manufacturing is recorded; that phase 29 lies between is inferred from its name.
_ROWS: Final = (
    Transition(
        LifeCycle.ADMINISTRATION, LifeCycleEvent.PHASE_CONTROL, LifeCycle.OPERATIONAL, _LCYCLE, Basis.CLIENT
    ),
    Transition(
        LifeCycle.OPERATIONAL, LifeCycleEvent.PHASE_CONTROL, LifeCycle.ADMINISTRATION, _LCYCLE, Basis.CLIENT
    ),
    Transition(
        LifeCycle.INITIALISATION,
        LifeCycleEvent.PHASE_CONTROL,
        LifeCycle.PERSONALISATION,
        _LCYCLE,
        Basis.INFERRED,
    ),
    Transition(
        LifeCycle.PERSONALISATION,
        LifeCycleEvent.PHASE_CONTROL,
        LifeCycle.ADMINISTRATION,
        _LCYCLE,
        Basis.INFERRED,
    ),
    Transition(
        LifeCycle.PHYSICAL_PERSONALISATION,
        LifeCycleEvent.PHASE_CONTROL,
        LifeCycle.ADMINISTRATION,
        _LCYCLE,
        Basis.INFERRED,
    ),
    Transition(
        LifeCycle.ADMINISTRATION,
        LifeCycleEvent.ERASE_BEGINS,
        LifeCycle.ERASE_IN_PROGRESS,
        _STARTKEY,
        Basis.INFERRED,
    ),
    Transition(
        LifeCycle.MANUFACTURING,
        LifeCycleEvent.ERASE_BEGINS,
        LifeCycle.ERASE_IN_PROGRESS,
        _STARTKEY,
        Basis.INFERRED,
    ),
    Transition(
        LifeCycle.ERASE_IN_PROGRESS,
        LifeCycleEvent.ERASE_BEGINS,
        LifeCycle.ERASE_IN_PROGRESS,
        _STARTKEY,
        Basis.INFERRED,
    ),
    Transition(
        LifeCycle.ERASE_IN_PROGRESS,
        LifeCycleEvent.ERASE_ENDS,
        LifeCycle.MANUFACTURING,
        "",
        Basis.RECORDED,
    ),
    Transition(
        LifeCycle.MANUFACTURING, LifeCycleEvent.FORMAT, LifeCycle.ADMINISTRATION, _STARTKEY, Basis.RECORDED
    ),
)

TRANSITIONS: Final = {(row.source, row.event): row for row in _ROWS}
"""Every way between phases, by phase and event; what isn't here doesn't happen."""

FILES: Final = frozenset(
    {
        LifeCycle.INITIALISATION,
        LifeCycle.PERSONALISATION,
        LifeCycle.PHYSICAL_PERSONALISATION,
        LifeCycle.ADMINISTRATION,
    }
)
"""The phases in which files and objects are created, changed in their conditions and deleted."""

LIVING: Final = FILES | {LifeCycle.OPERATIONAL}
"""The phases in which there is a file system."""

START_KEY: Final = frozenset({LifeCycle.ADMINISTRATION, LifeCycle.MANUFACTURING, LifeCycle.ERASE_IN_PROGRESS})
"""The phases in which the StartKey's commands are known."""

ALL: Final = frozenset(LifeCycle)
"""Every phase."""
