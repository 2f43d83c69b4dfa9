"""Physical cards: which they are, and what stands between them and the programs."""

from cardtwin.targets.hardware.config import Hardware, PhysicalReader
from cardtwin.targets.hardware.guard import Guard
from cardtwin.targets.hardware.guarded import GuardedConnection, GuardedContext, name_states
from cardtwin.targets.hardware.ledger import Ledger
from cardtwin.targets.hardware.library import LibraryHardwareBench, LibraryHardwareTarget
from cardtwin.targets.hardware.passed import GuardedCard
from cardtwin.targets.hardware.permissions import ExpectedCard, Permissions
from cardtwin.targets.hardware.reading import ReadCard, card_to_read
from cardtwin.targets.hardware.refusal import CommandRefusedError, Refusal, Rule
from cardtwin.targets.hardware.target import HardwareBench, HardwareTarget

__all__ = [
    "CommandRefusedError",
    "ExpectedCard",
    "Guard",
    "GuardedCard",
    "GuardedConnection",
    "GuardedContext",
    "Hardware",
    "HardwareBench",
    "HardwareTarget",
    "Ledger",
    "LibraryHardwareBench",
    "LibraryHardwareTarget",
    "Permissions",
    "PhysicalReader",
    "ReadCard",
    "Refusal",
    "Rule",
    "card_to_read",
    "name_states",
]
