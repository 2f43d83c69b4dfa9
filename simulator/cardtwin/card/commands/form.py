"""Command forms, each with its provenance, and the tables in which a command finds its form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from cardtwin.card.errors import Refusal
from cardtwin.card.memory.lifecycle import LIVING, LifeCycle
from cardtwin.iso7816 import StatusWord
from cardtwin.provenance.card import PHASE_REFUSAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cardtwin.card.chip import Chip
    from cardtwin.card.memory.writes import Write
    from cardtwin.iso7816 import CommandApdu
    from cardtwin.provenance import Basis

__all__ = ["ANY", "DONE", "CommandForm", "Handler", "Outcome", "Route", "Routes", "build_routes"]

Outcome: TypeAlias = "tuple[bytes, StatusWord, tuple[Write, ...]]"
"""What a command comes to: response data, status word, changes of the memory."""

Handler: TypeAlias = Callable[["Chip", "CommandApdu"], Outcome]
"""Checks a command and says what it comes to. Raises Refusal for a status word without data and changes."""

DONE: Final[Outcome] = (b"", StatusWord.SUCCESS, ())
"""The outcome of a command that has nothing to say and nothing to write."""

ANY: Final = -1
"""The place in a route for forms that take every P1-P2."""


@dataclass(frozen=True, slots=True)
class CommandForm:
    """One form of a command, as a card system has it.

    Attributes:
        name: The command's name, and which form of it.
        cla: The class byte, without chaining.
        ins: The instruction byte.
        handler: Carries it out.
        basis: How well founded it is that the system has this form.
        source: Where that comes from.
        p1: The values of P1; None stands for all.
        p2: The values of P2; None stands for all.
        phases: The phases of life in which the card takes it.
        chaining: Whether the command may come in several APDUs.
    """

    name: str
    cla: int
    ins: int
    handler: Handler
    basis: Basis
    source: str
    p1: frozenset[int] | None = frozenset({0})
    p2: frozenset[int] | None = frozenset({0})
    phases: frozenset[LifeCycle] = LIVING
    chaining: bool = False

    @property
    def parameters(self) -> Iterable[int]:
        """The values of P1-P2 as numbers of 16 bits, or `ANY` alone."""
        if self.p1 is None and self.p2 is None:
            return (ANY,)

        every = range(256)
        return (
            p1 << 8 | p2
            for p1 in (every if self.p1 is None else self.p1)
            for p2 in (every if self.p2 is None else self.p2)
        )


Route: TypeAlias = "Mapping[int, CommandForm]"
"""The forms of one CLA and INS by P1-P2."""

Routes: TypeAlias = "Mapping[int, Route]"
"""The routes of one phase of life by CLA-INS."""


def build_routes(forms: Iterable[CommandForm], phase: LifeCycle) -> Routes:
    """Return the table by which commands of a phase find their forms.

    A form that the system has, but not in this phase, is refused while there is a file system; in the other
    phases its instruction is unknown (rule ``card.phase-refusal``).

    Raises:
        ValueError: Two forms claim the same header.
    """
    routes: dict[int, dict[int, CommandForm]] = {}

    for form in forms:
        if phase in form.phases:
            entry = form
        elif phase in LIVING:
            entry = _refused(form)
        else:
            continue

        route = routes.setdefault(form.cla << 8 | form.ins, {})

        for parameters in form.parameters:
            if parameters in route:
                raise ValueError(f"{form.name} and {route[parameters].name} claim the same header")

            route[parameters] = entry

    return routes


def _refused(form: CommandForm) -> CommandForm:
    return CommandForm(
        form.name,
        form.cla,
        form.ins,
        _not_now,
        form.basis,
        form.source,
        form.p1,
        form.p2,
        chaining=form.chaining,
    )


def _not_now(chip: Chip, _apdu: CommandApdu) -> Outcome:
    raise Refusal(StatusWord(int(chip.switches[PHASE_REFUSAL], 16)))
