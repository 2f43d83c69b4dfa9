"""Results that a program gives back later: told by their lengths, for a trace has none of the bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cardtwin.drafting.names import Handles

__all__ = ["Earlier"]

_GIVEN_BACK: Final = {
    "pSignature": ("C_Sign", "C_SignFinal", "C_SignRecover"),
    "pEncryptedData": ("C_Encrypt",),
    "pWrappedKey": ("C_WrapKey",),
    "pOperationState": ("C_GetOperationState",),
}
"""By parameter, the functions whose result is taken for what is given."""


@dataclass(slots=True)
class Earlier:
    """Which names stand for bytes that a program was given.

    Attributes:
        handles: Told which names are used.
    """

    handles: Handles
    _made: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    _read: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)

    def made(self, program: str, function: str, name: str, size: int) -> None:
        """Take note of a result of a function."""
        self._made[program, function] = (name, size)

    def read(self, program: str, attribute: str, name: str, size: int) -> None:
        """Take note of an attribute that was read."""
        self._read[program, attribute] = (f"{name}.{attribute}", size)

    def data(self, program: str, parameter: str, size: int) -> str | None:
        """Return what to write for data, where it has the length of a result that belongs there."""
        results = (self._made.get((program, function)) for function in _GIVEN_BACK.get(parameter, ()))
        return next((self._use(name) for name, length in filter(None, results) if length == size), None)

    def attribute(self, program: str, attribute: str, size: int) -> str | None:
        """Return what to write for an attribute that is looked for, where one of this length was read."""
        name, length = self._read.get((program, attribute), ("", -1))
        return self._use(name) if length == size else None

    def _use(self, name: str) -> str:
        self.handles.used.add(name.partition(".")[0])
        return f"$({name})"
