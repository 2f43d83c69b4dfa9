"""The guard of programs that call a PKCS#11 library above a physical card.

It is weaker than the guard of a card: what the library sends, nobody sees. It knows the calls alone, and of
tries what the token's flags tell. Many libraries set none, and then the last try is not noticed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.constants import Cku, TokenFlag
from cardtwin.cryptoki.structures import SessionInfo, TokenInfo
from cardtwin.decode import Effect
from cardtwin.events import CommandRefused
from cardtwin.targets.errors import TargetError
from cardtwin.targets.hardware.permissions import HARMLESS
from cardtwin.targets.hardware.refusal import Refusal, Rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardtwin.cryptoki.foreign import Returned
    from cardtwin.events import Hub
    from cardtwin.targets.hardware.permissions import Permissions
    from cardtwin.targets.interface import Program

__all__ = ["GuardedProgram"]

_CREDENTIALS: Final = Effect.SPENDS_TRIES
_EFFECTS: Final = {
    "C_Login": _CREDENTIALS,
    "C_SetPIN": _CREDENTIALS | Effect.WRITES,
    "C_InitPIN": Effect.WRITES,
    "C_InitToken": _CREDENTIALS | Effect.WRITES | Effect.DESTROYS,
    "C_DestroyObject": Effect.WRITES | Effect.DESTROYS,
}
"""What calls do that are looked at; all others pass."""

_ENDING: Final = frozenset({"C_Logout", "C_CloseSession", "C_CloseAllSessions"})
_USER: Final = TokenFlag.CKF_USER_PIN_FINAL_TRY | TokenFlag.CKF_USER_PIN_LOCKED
_OFFICER: Final = TokenFlag.CKF_SO_PIN_FINAL_TRY | TokenFlag.CKF_SO_PIN_LOCKED


class GuardedProgram:
    """A program of a scenario whose calls pass a guard.

    Args:
        program: Who calls.
        name: What the scenario calls it.
        allowed: What may be done to the card.
        hub: Told what is refused.
    """

    def __init__(self, program: Program, name: str, allowed: Permissions, hub: Hub) -> None:
        self._program = program
        self._name = name
        self._allowed = allowed
        self._hub = hub
        self._declared = HARMLESS
        self._refusal: Refusal | None = None

    def declare(self, effects: Effect) -> None:
        """Take note of what the step that begins now has declared."""
        self._declared = effects

    def initialize(self) -> Returned:
        """Call C_Initialize."""
        return self._program.initialize()

    def finalize(self) -> Returned:
        """Call C_Finalize."""
        return self._program.finalize()

    def call(self, name: str, arguments: Sequence[object]) -> Returned:
        """Call another function, if it may be called.

        Raises:
            TargetError: It may not, or the program is gone.
        """
        if self._refusal is not None and name not in _ENDING:
            raise TargetError(f"after a refusal nothing is called any more: {self._refusal.reason}")

        if refusal := self._refused(name, arguments):
            raise self._told(name, refusal)

        return self._program.call(name, arguments)

    def fork(self) -> GuardedProgram:
        """Return the child that a fork of the program makes, under the same guard."""
        child = GuardedProgram(self._program.fork(), self._name, self._allowed, self._hub)
        child.declare(self._declared)
        return child

    def close(self) -> None:
        """End it. A second call does nothing."""
        self._program.close()

    def _refused(self, name: str, arguments: Sequence[object]) -> Refusal | None:
        effect = _EFFECTS.get(name, HARMLESS)

        if effect & ~(self._declared | HARMLESS):
            return Refusal(
                Rule.UNDECLARED,
                f"{name} does more to the card than the running step has declared",
                "run it as a step whose verb declares it",
            )

        if effect & Effect.DESTROYS and not self._allowed.destructive:
            return Refusal(
                Rule.DESTRUCTIVE, f"{name} takes contents away", "--allow-destructive permits such calls"
            )

        return self._tries(name, arguments) if effect & _CREDENTIALS else None

    def _tries(self, name: str, arguments: Sequence[object]) -> Refusal | None:
        flags = self._flags(name, arguments)

        if flags is None:
            if (self._allowed.tries_of(name) or 0) > 1:
                return None

            return Refusal(
                Rule.TRIES_UNKNOWN, "the library doesn't tell the token's flags", "--known-tries N says so"
            )

        if flags & _asked(name, arguments):
            return Refusal(
                Rule.LAST_TRY,
                f"by the token's flags, {name} would take the last try of a PIN, or one that is locked",
                "let its owner present it elsewhere",
            )

        return None

    def _flags(self, name: str, arguments: Sequence[object]) -> int | None:
        """Return the flags of the token that a call is about; None where they aren't told."""
        slot = arguments[0]

        if name != "C_InitToken":
            session = self._result("C_GetSessionInfo", slot)

            if not isinstance(session, SessionInfo):
                return None

            slot = session.slot_id

        token = self._result("C_GetTokenInfo", slot)
        return token.flags if isinstance(token, TokenInfo) else None

    def _result(self, name: str, argument: object) -> object:
        returned = self._program.call(name, (argument,))
        return returned.results[0] if returned.rv == 0 and returned.results else None

    def _told(self, name: str, refusal: Refusal) -> TargetError:
        self._refusal = refusal
        self._hub.emit(
            CommandRefused(
                reader=self._name,
                command=name,
                meaning="",
                rule=refusal.rule.value,
                reason=refusal.reason,
                remedy=refusal.remedy,
            )
        )
        return TargetError(str(refusal))


def _asked(name: str, arguments: Sequence[object]) -> TokenFlag:
    """Return the flags that forbid a call."""
    if name == "C_Login":
        return _OFFICER if arguments[1] == Cku.CKU_SO else _USER

    return _OFFICER if name == "C_InitToken" else _USER | _OFFICER
