"""Names for what changes from run to run: handles, slots, what was made; and for secrets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["AXIS", "DEFAULTS", "ROW", "Handles", "Secrets"]

AXIS, ROW = "secrets", "given"
"""The axis of the matrix that has the secrets, and its one row."""

DEFAULTS: Final = {
    "pin": "1234",
    "signature_pin": "4321",
    "puk": "12345678",
    "operator_pin": "87654321",
    "new_pin": "5678",
    "wrong_pin": "9999",
    "unfit_pin": "1",
}
"""The secrets that a draft may have, and what they are where nobody says."""


@dataclass(slots=True)
class Handles:
    """Which names stand for the numbers that a program was given.

    The same number may come again after its object is gone: what was given last counts.
    """

    used: set[str] = field(default_factory=set)
    _known: dict[tuple[str, str, str], str] = field(default_factory=dict)
    _taken: dict[str, int] = field(default_factory=dict)

    def name(self, wish: str) -> str:
        """Return a name that nothing else has: the wish, or the wish with a number."""
        self._taken[wish] = count = self._taken.get(wish, 0) + 1
        return wish if count == 1 else f"{wish}_{count}"

    def give(self, kind: str, program: str, numbers: Iterable[str], name: str, *, listed: bool) -> None:
        """Let a name stand for numbers: for one, or for a list of them.

        Args:
            kind: What the numbers are: slots, sessions or objects.
            program: Whose they are; empty for all.
            numbers: As the trace has them.
            name: Of the step's result.
            listed: Whether the result is a list.
        """
        for place, number in enumerate(numbers):
            self._known[kind, program, number] = f"{name}.{place}" if listed else name

    def refer(self, kind: str, program: str, number: str) -> str | None:
        """Return what to write for a number, or None where nothing gave it."""
        found = self._known.get((kind, program, number)) or self._known.get((kind, "", number))

        if found is None:
            return None

        self.used.add(found.partition(".")[0])
        return f"$({found})"


@dataclass(slots=True)
class Secrets:
    """Which secret a call gave: a trace has none of them, but tells whose PIN it was and what became of it.

    Attributes:
        needed: The names of those that steps refer to, in the order of their first use.
    """

    needed: list[str] = field(default_factory=list)
    _slots: Sequence[str] = ()
    _sessions: dict[tuple[str, str], str] = field(default_factory=dict)
    _current: dict[str, str] = field(default_factory=dict)

    def slots(self, numbers: Sequence[str]) -> None:
        """Take note of the slots that there are, in their order."""
        self._slots = numbers

    def opened(self, program: str, session: str, slot: str) -> None:
        """Take note of which slot a session is with."""
        self._sessions[program, session] = slot

    def of_session(self, program: str, session: str) -> str:
        """Return the name of the PIN of a session's slot."""
        return self._of_slot(self._sessions.get((program, session), ""))

    def _of_slot(self, slot: str) -> str:
        """Return the PIN's name: of two slots the second one signs.

        A program that has not asked for the slots gives the number that its library has for one, which
        counts from 0 or 1.
        """
        if slot in self._slots:
            second = self._slots.index(slot) % 2 == 1
        else:
            first = 0 if "0" in self._sessions.values() else 1
            second = slot.isdecimal() and (int(slot) - first) % 2 == 1

        return "signature_pin" if second else "pin"

    def now(self, name: str) -> str:
        """Return what to write for a secret, whatever it was changed to."""
        return self.refer(self.current(name))

    def current(self, name: str) -> str:
        """Return the name of what a secret is at present."""
        return self._current.get(name, name)

    def changed(self, name: str, new: str) -> None:
        """Take note that a secret is another one from now on."""
        self._current[name] = new

    def refer(self, name: str) -> str:
        """Return what to write for a secret."""
        if name not in self.needed:
            self.needed.append(name)

        return f"$({AXIS}.{name})"
