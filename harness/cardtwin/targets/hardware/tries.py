"""The tries of PINs and keys on a physical card: how many are left, and what one more costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from cardtwin.iso7816 import CommandApdu, StatusWord
from cardtwin.targets.hardware.refusal import Refusal, Rule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.targets.hardware.judging import Judged
    from cardtwin.targets.hardware.permissions import Permissions

__all__ = ["Chain", "Counters", "Credential", "SpentTries", "credential_of", "tells_tries"]

_TELLING: Final = (
    "cardos-5", "cosmo-", "eid-", "authentic-", "idclassic-", "idprime-",
)  # fmt: skip
"""Models, by how their names begin, of which public client code asks for the tries by VERIFY without data.

CardOS M4 is none of them: nothing says that such a command costs nothing there.
"""

_PIN_COMMANDS: Final = frozenset(
    {
        "VERIFY",
        "CHANGE REFERENCE DATA",
        "DISABLE VERIFICATION REQUIREMENT",
        "ENABLE VERIFICATION REQUIREMENT",
    }
)
_UNBLOCK: Final = "RESET RETRY COUNTER"
_KEY_COMMANDS: Final = frozenset({"EXTERNAL AUTHENTICATE", "GENERAL AUTHENTICATE"})
_START_KEY_COMMANDS: Final = frozenset({"ERASE FILES", "FORMAT", "LOAD EXECUTABLE", "CHANGE STARTKEY"})
_REFERENCE: Final = 0x7F
_FURTHER: Final = 0x40
_CHANNEL_BITS: Final = 0x03
_FURTHER_CHANNEL_BITS: Final = 0x4F

_PIN, _PUK, _KEY, _START_KEY = "PIN", "PUK of PIN", "key", "StartKey"

_NOT_COMPARED: Final = frozenset(
    {
        StatusWord.REFERENCED_DATA_NOT_FOUND,
        StatusWord.INSTRUCTION_NOT_SUPPORTED,
        StatusWord.CLASS_NOT_SUPPORTED,
        StatusWord.INCORRECT_P1_P2,
        StatusWord.FUNCTION_NOT_SUPPORTED,
        StatusWord.COMMAND_CHAINING_NOT_SUPPORTED,
    }
)
"""Answers before any comparison."""

_READERS_OWN: Final = frozenset({0x6400, 0x6401, 0x6402, 0x6403})
"""What a PIN pad answers when nothing was sent (PC/SC part 10, 2.5.2)."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A PIN or key that commands present.

    Attributes:
        name: As refusals and the ledger have it.
        question: The command that asks for its tries; None where there is none.
    """

    name: str
    question: bytes | None


@dataclass(frozen=True, slots=True)
class Chain:
    """A chained command that presents a credential, as far as it was sent.

    Attributes:
        header: INS, P1 and P2.
        left: The tries that were left before its first piece.
        alone: Whether nobody else has had the card since then.
    """

    header: bytes
    left: int
    alone: bool = True


def tells_tries(model: str) -> bool:
    """Tell whether VERIFY without data tells the tries of a model's PINs, and costs none."""
    return model.startswith(_TELLING)


def credential_of(judged: Judged, model: str) -> Credential:
    """Return the credential that a command presents.

    PINs of one number in several DFs have one name, and so have all that the command does not tell apart.
    """
    name, apdu = judged.decoded.name, judged.apdu
    p2 = apdu.p2 if apdu is not None else 0

    if apdu is not None and name in _PIN_COMMANDS:
        question = CommandApdu(_on_channel_of(apdu.cla), 0x20, 0x00, p2).encode()
        return Credential(f"{_PIN} {p2 & _REFERENCE}", question if tells_tries(model) else None)

    if name == _UNBLOCK:
        return Credential(f"{_PUK} {p2 & _REFERENCE}", None)

    if name in _START_KEY_COMMANDS:
        return Credential(_START_KEY, None)

    if name in _KEY_COMMANDS:
        return Credential(f"{_KEY} {p2:02X}", None)

    return Credential(f"what {name} presents", None)


class SpentTries(Protocol):
    """Where spent tries are kept: the ledger, or what stands for it in a dry run."""

    def spent(self, serial: bytes) -> Mapping[str, int]:
        """Return the tries of a card's credentials, by name, that were spent and not given back."""

    def spend(self, serial: bytes, credential: str) -> None:
        """Enter a try that is about to be spent."""

    def give_back(self, serial: bytes, credential: str) -> None:
        """Take back a try that was entered and not spent."""


class Counters:
    """What is known of a card's tries.

    Args:
        serial: The card's serial number.
        allowed: What may be done to it, and how many tries it is known to have.
        ledger: What was spent, in this run and before.
    """

    def __init__(self, serial: bytes, allowed: Permissions, ledger: SpentTries) -> None:
        self._serial = serial
        self._allowed = allowed
        self._ledger = ledger
        self._told: dict[str, int] = {}

    @property
    def told(self) -> Mapping[str, int]:
        """The fewest tries that the card has told of each credential, less those of unknown outcome."""
        return self._told

    def left(self, credential: Credential, status: StatusWord | None) -> int | None:
        """Return how many tries are left at least; None where that isn't known.

        Args:
            credential: The credential.
            status: What the card has answered to the question; None where it wasn't asked.
        """
        if status is not None:
            told = 0 if status == StatusWord.AUTHENTICATION_METHOD_BLOCKED else status.tries_left

            if told is not None:
                self._lower(credential.name, told)
                return told

        # A PIN that is verified is answered 9000, without a number: then what was told before holds.
        if credential.name in self._told:
            return self._told[credential.name]

        known = self._allowed.tries_of(credential.name)
        return None if known is None else known - _against(credential.name, self._ledger.spent(self._serial))

    def spend(self, credential: Credential) -> None:
        """Take note of a try that is about to be spent: from here on it counts."""
        self._ledger.spend(self._serial, credential.name)

        if credential.name in self._told:
            self._told[credential.name] -= 1

    def settle(self, credential: Credential, status: StatusWord, *, entered: bool = False) -> None:
        """Correct what was noted, by the command's answer.

        Args:
            credential: The credential.
            status: The answer's.
            entered: Whether it comes from a PIN pad, which has answers of its own.
        """
        told, name = status.tries_left, credential.name

        if status == StatusWord.AUTHENTICATION_METHOD_BLOCKED:
            told = 0

        if told is not None:
            self._lower(name, told)
        elif status.is_success or status in _NOT_COMPARED or (entered and status in _READERS_OWN):
            self._ledger.give_back(self._serial, name)

            if name in self._told:
                self._told[name] += 1

    def _lower(self, name: str, told: int) -> None:
        self._told[name] = min(told, self._told.get(name, told))


def refusal_of(credential: Credential, left: int | None, ledger: str) -> Refusal | None:
    """Return why a credential is not to be presented; None if it may be.

    Args:
        credential: The credential.
        left: Its tries.
        ledger: Where tries are kept, for the remedy.
    """
    if left is None:
        return Refusal(
            Rule.TRIES_UNKNOWN,
            f"nobody knows how many tries {credential.name} has left",
            "--known-tries N says so",
        )

    if left > 1:
        return None

    remains = "the last try" if left == 1 else "no try"
    return Refusal(
        Rule.LAST_TRY,
        f"{credential.name} has {remains} left",
        f"let its owner present it elsewhere; what is kept of spent tries stands in {ledger}",
    )


def _against(name: str, spent: Mapping[str, int]) -> int:
    """Return how many spent tries count against a credential.

    A PUK is a PIN of a number that the command doesn't say, and a key may be chosen by another command: what
    may be the same one counts.
    """
    own = spent.get(name, 0)

    if name.startswith(_PUK):
        pins = (count for other, count in spent.items() if _is_pin(other))
        return _sum(spent, _PUK) + max(pins, default=0)

    if _is_pin(name):
        return own + _sum(spent, _PUK)

    return _sum(spent, f"{_KEY} ") if name.startswith(f"{_KEY} ") else own


def _on_channel_of(cla: int) -> int:
    """Return the plain CLA of a command's logical channel: other channels have other current DFs."""
    return cla & (_FURTHER_CHANNEL_BITS if cla & _FURTHER else _CHANNEL_BITS)


def _is_pin(name: str) -> bool:
    return name.startswith(f"{_PIN} ")


def _sum(spent: Mapping[str, int], kind: str) -> int:
    return sum(count for name, count in spent.items() if name.startswith(kind))


def others_between(credential: Credential) -> Refusal:
    """Return why the next piece of a chained command is not to be sent once others had the card."""
    return Refusal(
        Rule.TRIES_UNKNOWN,
        f"others may have presented {credential.name} between the pieces of this chain",
        "send all pieces in one transaction",
    )
