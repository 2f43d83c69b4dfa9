"""What the guard would say to commands that emulated cards were sent: with the same rules, and no card.

Nobody asks here for the tries that are left. Where cards tell them, the answers to what was presented do:
before the first such answer nothing is refused for their sake. That holds also where the emulated card has
no such PIN: the physical one may have it. Where cards tell none, what is known of them counts, and the
ledger.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from cardtwin.iso7816 import StatusWord
from cardtwin.targets.hardware import judging, tries
from cardtwin.targets.hardware.judging import Judge, Judged
from cardtwin.targets.hardware.tries import Counters, credential_of, tells_tries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.decode import Effect
    from cardtwin.targets.hardware.permissions import Permissions
    from cardtwin.targets.hardware.refusal import Refusal
    from cardtwin.targets.hardware.tries import Credential

__all__ = ["Foreseen"]

_SELECT: Final = "SELECT"
_NO_TRY_LEFT: Final = 0


class Foreseen:
    """The guard of a physical card, as far as it may be known before the card is there.

    Args:
        model: The card's model.
        allowed: What may be done to it.
        spent: Its tries that were spent before, by the names of credentials.
        ledger: Where those are kept, for remedies.
    """

    def __init__(self, model: str, allowed: Permissions, spent: Mapping[str, int], ledger: str) -> None:
        self._model = model
        self._allowed = allowed
        self._ledger = ledger
        self._judge = Judge(model, tells_tries=tells_tries(model))
        self._counters = Counters(b"", allowed, _Noted(spent))
        self._answered: dict[str, int] = {}

    def judge(self, command: bytes, response: bytes, declared: Effect) -> tuple[Judged, Refusal | None]:
        """Say what the next command does, and why it would not be sent; None where it would.

        Args:
            command: The command.
            response: What the emulated card has answered.
            declared: What the step has declared that sent it.
        """
        judged = self._judge.read(command)
        refusal = judging.refusal_of(judged, declared, self._allowed)
        status = StatusWord(int.from_bytes(response[-2:]))

        if judged.decoded.name == _SELECT and status.is_success:
            self._answered.clear()  # PINs of one number in several DFs are several

        if judged.spends_tries and judged.apdu is not None:
            refusal = self._present(credential_of(judged, self._model), status) or refusal

        return judged, refusal

    def _present(self, credential: Credential, status: StatusWord) -> Refusal | None:
        if credential.question is None:
            left = self._counters.left(credential, None)
            refusal = tries.refusal_of(credential, left, self._ledger)
        elif (left := self._answered.get(credential.name)) is not None:
            refusal = tries.refusal_of(credential, left, self._ledger)
        else:
            refusal = None

        self._settle(credential, status)
        return refusal

    def _settle(self, credential: Credential, status: StatusWord) -> None:
        if credential.question is None:
            self._counters.spend(credential)
            self._counters.settle(credential, status)

        if status.is_success:
            self._answered.clear()  # a PUK gives a PIN its tries back
        elif status == StatusWord.AUTHENTICATION_METHOD_BLOCKED:
            self._answered[credential.name] = _NO_TRY_LEFT
        elif status.tries_left is not None:
            self._answered[credential.name] = status.tries_left


class _Noted:
    """Tries that were spent before, and those of a dry run, which nobody keeps."""

    def __init__(self, spent: Mapping[str, int]) -> None:
        self._spent = Counter(spent)

    def spent(self, _serial: bytes) -> Mapping[str, int]:
        return self._spent

    def spend(self, _serial: bytes, credential: str) -> None:
        self._spent[credential] += 1

    def give_back(self, _serial: bytes, credential: str) -> None:
        self._spent[credential] = max(0, self._spent[credential] - 1)
