"""What a command would do to a card of one model, and how well that is founded.

`decode` says what a command is; the table of the card's own system, which docs/card-commands.md is made from,
says on what public source it rests that such a card has it. The worse of the two counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from cardtwin.card import cos, models
from cardtwin.decode import HARMLESS, Decoded, Decoder, Effect
from cardtwin.iso7816 import ApduFormatError, CommandApdu
from cardtwin.provenance import Basis
from cardtwin.targets.hardware.refusal import Refusal, Rule

if TYPE_CHECKING:
    from cardtwin.targets.hardware.permissions import Permissions

__all__ = ["Judge", "Judged", "refusal_of"]

_PROPRIETARY: Final = 0x80
_RESERVED_MASK: Final = 0xE0
_RESERVED: Final = 0x20
_CHANNEL: Final = 0x03
_SECURED: Final = 0x0C
_FURTHER_CHANNEL: Final = 0x40
_SECURED_FURTHER: Final = 0x20
_FOUNDED: Final = frozenset({Basis.RECORDED, Basis.CLIENT, Basis.STATED})
_NO_LE: Final = (None, 256)
_ENDS: Final = frozenset({"LOGOUT", "FORGET PIN"})


@dataclass(frozen=True, slots=True)
class Judged:
    """A command, as the guard sees it.

    Attributes:
        decoded: What it is.
        apdu: Its parts; None if it is malformed.
        effect: What it does at worst to a card of this model.
        founded: Whether a public source records it for such cards.
    """

    decoded: Decoded
    apdu: CommandApdu | None
    effect: Effect
    founded: bool

    @property
    def spends_tries(self) -> bool:
        """Whether it may cost a try."""
        return bool(self.effect & Effect.SPENDS_TRIES)

    @property
    def chained(self) -> bool:
        """Whether it is a piece of a chained command, and not the last one."""
        return self.apdu is not None and self.apdu.chained

    @property
    def ends_a_login(self) -> bool:
        """Whether it makes the card forget credentials, and does nothing else."""
        name = self.decoded.name
        return name in _ENDS or (name == "VERIFY" and self.effect == Effect.SELECTS)


class Judge:
    """Reads the commands to one card, in their order.

    Args:
        model: The card's model, by its name in the catalogue.
        tells_tries: Whether VERIFY without data tells such a card's tries, and costs none.
    """

    def __init__(self, model: str, *, tells_tries: bool) -> None:
        self._forms = cos.get(models.get(model).system).forms
        self._tells_tries = tells_tries
        self._decoder = Decoder()

    def reset(self) -> None:
        """Forget what came before, as the card does at a reset."""
        self._decoder.reset()

    def read(self, command: bytes) -> Judged:
        """Say what the next command does."""
        decoded = self._decoder.command(command)

        try:
            apdu = CommandApdu.parse(command)
        except ApduFormatError:
            return Judged(decoded, None, Effect.UNKNOWN, founded=False)

        effect = decoded.effect

        if decoded.name == "VERIFY" and not effect & ~HARMLESS and not self._presents_nothing(apdu):
            effect = Effect.SPENDS_TRIES

        return Judged(decoded, apdu, effect, self._is_founded(apdu, decoded, effect))

    def read_entry(self, command: bytes) -> Judged:
        """Say what a command does that a PIN is put into at the reader, whatever stands there before."""
        judged = self.read(command)
        return judged if judged.effect & ~HARMLESS else replace(judged, effect=Effect.SPENDS_TRIES)

    def _presents_nothing(self, apdu: CommandApdu) -> bool:
        """Tell whether a VERIFY that asks, or ends a login, is one for the card too, as far as is known.

        With T=0, a card takes the byte of Le for Lc; one that doesn't know P1 = FF compares what is there.
        """
        return self._tells_tries and not apdu.data and not apdu.chained and apdu.le in _NO_LE

    def _is_founded(self, apdu: CommandApdu, decoded: Decoded, effect: Effect) -> bool:
        """Tell whether a command is recorded for such cards.

        What only reads or selects, and stands in ISO/IEC 7816 itself, rests on that: a card that lacks it
        refuses it. What a card's own class says, or what changes the card, has to be known of this card.
        """
        if decoded.basis not in _FOUNDED or _is_secured(apdu) or _is_reserved(apdu):
            return False

        if effect & ~HARMLESS and _is_on_a_further_channel(apdu):
            return False

        if (basis := self._basis(apdu)) in _FOUNDED:
            return True

        by_the_standard = not apdu.cla & _PROPRIETARY and not effect & ~HARMLESS
        return by_the_standard and basis is not Basis.OURS

    def _basis(self, apdu: CommandApdu) -> Basis | None:
        """Return the worst basis of the forms that a header may be of; None where there is none."""
        cla = apdu.cla if apdu.cla & _PROPRIETARY else 0x00
        bases = [
            form.basis
            for form in self._forms
            if (form.cla, form.ins) == (cla, apdu.ins)
            and (form.p1 is None or apdu.p1 in form.p1)
            and (form.p2 is None or apdu.p2 in form.p2)
        ]
        return next((basis for basis in bases if basis not in _FOUNDED), bases[0] if bases else None)


def refusal_of(judged: Judged, declared: Effect, allowed: Permissions) -> Refusal | None:
    """Return why a command is not to be sent, its tries left aside; None if it is.

    Args:
        judged: The command.
        declared: What the running step has declared.
        allowed: What may be done to the card.
    """
    name, effect = judged.decoded.name, judged.effect

    if effect & Effect.UNKNOWN and not allowed.unverified:
        return Refusal(
            Rule.UNKNOWN,
            "nobody knows what this command does",
            "--allow-unverified-commands sends it all the same",
        )

    if not judged.founded and not allowed.unverified:
        return Refusal(
            Rule.UNVERIFIED,
            f"no public source records this form of {name} for such a card",
            "--allow-unverified-commands sends it all the same",
        )

    if missing := effect & ~(declared | HARMLESS):
        return Refusal(
            Rule.UNDECLARED,
            f"{name} {_in_words(missing)}, and the running step has not declared that",
            "run it as a step whose verb declares it",
        )

    if effect & Effect.DESTROYS and not allowed.destructive:
        return Refusal(
            Rule.DESTRUCTIVE, f"{name} takes contents away", "--allow-destructive permits such commands"
        )

    if effect & Effect.IRREVERSIBLE and name not in allowed.irreversible:
        return Refusal(
            Rule.IRREVERSIBLE,
            f"no command leads back from what {name} may do",
            f"--allow-irreversible '{name}' permits it",
        )

    return None


def _is_secured(apdu: CommandApdu) -> bool:
    """Tell whether a command is under the standard's secure messaging: it isn't looked into."""
    if apdu.cla & _PROPRIETARY:
        return False

    return bool(apdu.cla & (_SECURED_FURTHER if apdu.cla & _FURTHER_CHANNEL else _SECURED))


def _is_reserved(apdu: CommandApdu) -> bool:
    """Tell whether CLA is 001x xxxx, which ISO/IEC 7816-4, 5.4.1 keeps for later."""
    return apdu.cla & _RESERVED_MASK == _RESERVED


def _is_on_a_further_channel(apdu: CommandApdu) -> bool:
    """Tell whether a command goes to a logical channel that MANAGE CHANNEL has opened: no source has that."""
    return not apdu.cla & _PROPRIETARY and bool(apdu.cla & (_FURTHER_CHANNEL | _CHANNEL))


_WORDS: Final = {
    Effect.WRITES: "changes what the card keeps",
    Effect.SPENDS_TRIES: "may cost a try",
    Effect.DESTROYS: "takes contents away",
    Effect.IRREVERSIBLE: "may lead to a state that nothing leads back from",
    Effect.UNKNOWN: "may do anything",
}


def _in_words(effect: Effect) -> str:
    return ", ".join(words for one, words in _WORDS.items() if effect & one)
