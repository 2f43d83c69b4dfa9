"""Physical cards: what stands between the programs and a card that cannot be made again."""

from cardtwin.targets.hardware.guard import Guard
from cardtwin.targets.hardware.guarded import GuardedConnection, GuardedContext, name_states
from cardtwin.targets.hardware.ledger import Ledger
from cardtwin.targets.hardware.permissions import ExpectedCard, Permissions
from cardtwin.targets.hardware.programs import GuardedProgram
from cardtwin.targets.hardware.refusal import CommandRefusedError, Refusal, Rule

__all__ = [
    "CommandRefusedError",
    "ExpectedCard",
    "Guard",
    "GuardedConnection",
    "GuardedContext",
    "GuardedProgram",
    "Ledger",
    "Permissions",
    "Refusal",
    "Rule",
    "name_states",
]
