"""The life cycle and the fuse as a diagram, made of the tables that the card works by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.card.memory.lifecycle import TRANSITIONS, LifeCycle
from cardtwin.provenance import Basis

if TYPE_CHECKING:
    from cardtwin.card.memory.lifecycle import Transition

__all__ = ["life_cycle_mermaid"]


def life_cycle_mermaid() -> str:
    """Return a Mermaid state diagram of the phases, and what leads from one to another.

    A way that isn't recorded or known from clients is marked with its basis.
    """
    lines = ["stateDiagram-v2", "    [*] --> ADMINISTRATION: delivered"]
    lines += [f'    state "{phase:02X} {_title(phase)}" as {phase.name}' for phase in LifeCycle]
    lines += [f"    {row.source.name} --> {row.target.name}: {_label(row)}" for row in TRANSITIONS.values()]
    lines += [
        "    note right of ADMINISTRATION",
        "        fuse intact: LCYCLE, CREATE, DELETE and the objects' conditions of the MF are always",
        "    end note",
        "    note right of OPERATIONAL",
        "        fuse burnt: those conditions are what the profile left; LCYCLE says who has a way back",
        "    end note",
    ]
    return "\n".join(lines) + "\n"


def _title(phase: LifeCycle) -> str:
    return phase.name.replace("_", " ").lower()


def _label(row: Transition) -> str:
    condition = f" [{row.condition}]" if row.condition else ""
    basis = f" ({row.basis.value})" if row.basis in {Basis.INFERRED, Basis.OURS} else ""
    return f"{row.event.value}{condition}{basis}"
