"""A physical card that is only read: the guard lets pass what reads, and nothing else."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardtwin.card import models
from cardtwin.decode import HARMLESS
from cardtwin.events import Hub
from cardtwin.readers.physical import PhysicalContext
from cardtwin.targets.errors import TargetError
from cardtwin.targets.hardware.guard import Guard
from cardtwin.targets.hardware.guarded import GuardedContext
from cardtwin.targets.hardware.judging import Judge, refusal_of
from cardtwin.targets.hardware.ledger import Ledger
from cardtwin.targets.hardware.lock import held
from cardtwin.targets.hardware.permissions import ExpectedCard, Permissions
from cardtwin.targets.hardware.tries import tells_tries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.pcsc import Context

__all__ = ["ReadCard", "card_to_read"]


@dataclass(frozen=True, slots=True)
class ReadCard:
    """A card that is only read.

    Attributes:
        context: The way to it, with its guard.
        judges: What is known of the models that it may be.
    """

    context: Context
    judges: tuple[Judge, ...]

    def objection(self, command: bytes) -> str:
        """Return why the guard would refuse a command; empty where it wouldn't."""
        refusals = [refusal_of(judge.read(command), HARMLESS, Permissions()) for judge in self.judges]
        return next((refusal.reason for refusal in refusals if refusal is not None), "")


@contextmanager
def card_to_read(reader: str, *, whole: bool = True) -> Iterator[ReadCard]:
    """Have the card in one of the system's readers for the block, to read it.

    Args:
        reader: What the PC/SC service calls the reader.
        whole: Whether whole APDUs are sent with T=0; else GET RESPONSE is the caller's business.

    Raises:
        TargetError: There is no card, none of a model that is known, or a scenario uses the reader.
        PcscError: The reader can't be used.
    """
    with held(reader), PhysicalContext(names={reader: reader}, whole=whole) as plain:
        atr = plain.state(reader).atr
        found = [name for name in models.names() if models.get(name).atr == atr]

        if not found:
            what = f"no card model has the ATR {atr.hex(' ').upper()}" if atr else "there is no card"
            raise TargetError(f"{reader}: {what}")

        guard = Guard(reader, ExpectedCard(found[0], atr), Permissions(), Ledger(), Hub())
        judges = tuple(Judge(name, tells_tries=tells_tries(name)) for name in found)

        with GuardedContext(plain, {reader: guard}) as context:
            yield ReadCard(context, judges)
