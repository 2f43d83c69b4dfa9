"""Which PIN or PUK a call gave: its user, what was changed before, and its return value tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.drafting.names import Secrets
    from cardtwin.drafting.recorded import RecordedCall

__all__ = ["CallPins"]

_OK, _WRONG, _LOCKED = "CKR_OK", "CKR_PIN_INCORRECT", "CKR_PIN_LOCKED"
_UNFIT: Final = {"CKR_PIN_LEN_RANGE", "CKR_PIN_INVALID"}
_SETS_ONE: Final = {"C_SetPIN", "C_InitPIN", "cardtwin_UnblockPIN"}
"""Functions that take a new PIN: it is that one whose length or signs are refused."""

_NEW: Final = {("C_SetPIN", "pNewPin"), ("cardtwin_UnblockPIN", "pNewPin"), ("C_InitPIN", "pPin")}
_WITH_PUK: Final = {"C_InitToken", "cardtwin_UnblockPIN"}
_VERIFIES: Final = {"C_Login", "C_SetPIN", "cardtwin_UnblockPIN"}
_TRIES: Final = {"pin": 3, "signature_pin": 3, "puk": 10}
"""How many wrong ones the full profiles allow, one after the other."""

_PUK: Final = "puk"
_OFFICER: Final = "CKU_SO"
_USERS: Final = {"CKU_USER", _OFFICER}


class CallPins:
    """The names of the secrets that calls gave, one call after the other.

    Args:
        secrets: Which there are, and what each is at present.

    Attributes:
        spent: How many tries of a secret are gone at the beginning: else it would not be locked when it is.
    """

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self.spent: dict[str, int] = {}
        self._tries: dict[str, int] = {}
        self._users: dict[tuple[str, str], str] = {}
        self._open: dict[tuple[str, str], str] = {}

    def is_logged_in(self, call: RecordedCall) -> bool:
        """Whether the calls so far have logged in where this one is made, and have not ended that."""
        return self._place(call) in self._users

    def given(self, call: RecordedCall, parameter: str) -> str:
        """Return what to write for a parameter of a call that is a PIN or a PUK."""
        if (call.name, parameter) not in _NEW:
            return self.current(call)

        return self._secrets.refer("unfit_pin" if call.result in _UNFIT else self._new(call))

    def current(self, call: RecordedCall) -> str:
        """Return what to write for the PIN or PUK that a call takes before anything is changed."""
        if call.result == _WRONG:
            return self._secrets.refer("wrong_pin")

        if call.result in _UNFIT and call.name not in _SETS_ONE and not call.asked:
            return self._secrets.refer("unfit_pin")

        return self._secrets.now(self._usual(call))

    def count(self, call: RecordedCall) -> None:
        """Count a wrong PIN; the first thing that tells how many tries there were counts for each."""
        if call.name not in _VERIFIES:
            return

        name = self._usual(call)
        left = self._tries.get(name, _TRIES.get(name, 0))

        if call.result == _LOCKED and left:
            self.spent[name] = left

        if call.result == _WRONG:
            self._tries[name] = max(left - 1, 0)
        elif call.result in {_OK, _LOCKED}:
            self._tries[name] = 0

    def learn(self, call: RecordedCall) -> None:
        """Take note of what a call that succeeded has changed."""
        place = self._place(call)

        match call.name:
            case "C_OpenSession":
                session, slot = call.results.get("phSession", ""), call.arguments.get("slotID", "")
                self._secrets.opened(call.program, session, slot)
                self._open[call.program, session] = slot
            case "C_Login" if (user := call.arguments.get("userType", "")) in _USERS:
                self._users[place] = user
            case "C_CloseSession":
                self._open.pop((call.program, call.arguments.get("hSession", "")), None)
                self._ended(lambda which: which == place and not self._has_sessions(which))
            case "C_Logout" | "C_CloseAllSessions":
                self._ended(lambda which: which == place)
            case "C_Finalize":
                self._ended(lambda which: which[0] == call.program)
            case name if name in _SETS_ONE:
                self._secrets.changed(self._changed(call), self._new(call))
            case _:
                pass

    def _ended(self, is_meant: Callable[[tuple[str, str]], bool]) -> None:
        self._users = {place: user for place, user in self._users.items() if not is_meant(place)}

    def _has_sessions(self, place: tuple[str, str]) -> bool:
        return any((program, slot) == place for (program, _), slot in self._open.items())

    def _place(self, call: RecordedCall) -> tuple[str, str]:
        """Return the program and the slot, for which a login holds."""
        session = call.program, call.arguments.get("hSession", "")
        return call.program, call.arguments.get("slotID", self._open.get(session, ""))

    def _new(self, call: RecordedCall) -> str:
        """Return the name of the PIN that a call sets: an officer gives the user the first one again."""
        return self._user(call) if call.name == "C_InitPIN" and not call.asked else "new_pin"

    def _changed(self, call: RecordedCall) -> str:
        return self._usual(call) if call.name == "C_SetPIN" else self._user(call)

    def _usual(self, call: RecordedCall) -> str:
        """Return the name of the secret that such a call takes."""
        if call.name == "cardtwin_LoginOperator":
            return "operator_pin"

        if call.name in _WITH_PUK or call.arguments.get("userType") == _OFFICER:
            return _PUK

        if call.name == "C_SetPIN" and self._users.get(self._place(call)) == _OFFICER:
            return _PUK

        return self._user(call)

    def _user(self, call: RecordedCall) -> str:
        return self._secrets.of_session(call.program, call.arguments.get("hSession", ""))
