"""Where a trace tells of no readers, what calls return tells when the card was taken out and put in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.drafting.layout import Entry

if TYPE_CHECKING:
    from cardtwin.drafting.recorded import RecordedCall

__all__ = ["Presence"]

_OK, _REMOVED, _ABSENT = "CKR_OK", "CKR_DEVICE_REMOVED", "CKR_TOKEN_NOT_PRESENT"
_WITH_TOKEN: Final = {"C_OpenSession", "C_GetTokenInfo", "C_GetMechanismList", "C_Login", "C_SignInit"}
"""Functions that succeed with a card alone."""

_ABOUT: Final = "LOOK: the trace doesn't tell when: the card was {} before this call returned"


class Presence:
    """Whether the card is in the reader, call after call; there is one, and it is there at first."""

    def __init__(self) -> None:
        self._there = True
        self._slots: set[str] = set()

    def step(self, call: RecordedCall, card: str) -> Entry | None:
        """Return the step that takes the card out, or puts it in, before a call; None where it stays.

        Args:
            call: The next one.
            card: What the scenario calls the card.
        """
        there = self._is_there(call)
        changed, self._there = there != self._there, there

        if not changed:
            return None

        if there:
            return Entry({"card": "insert", "which": card}, (_ABOUT.format("put in"),))

        return Entry({"card": "remove"}, (_ABOUT.format("taken out"),))

    def _is_there(self, call: RecordedCall) -> bool:
        slot, listed = call.arguments.get("slotID"), call.results.get("pSlotList")

        if call.name == "C_GetSlotList" and call.arguments.get("tokenPresent") == "true" and listed:
            return not listed.startswith("0")

        if call.result == _REMOVED or (call.result == _ABSENT and slot in self._slots):
            return False

        if call.result == _OK and call.name in _WITH_TOKEN:
            self._slots |= set() if slot is None else {slot}
            return True

        return self._there
