"""The key generation system with emulated cards: where they come from, and the processes that make them."""

from cardtwin.targets.keygeneration.desk import PersonalisationDesk, order_for
from cardtwin.targets.keygeneration.generation import generate

__all__ = ["PersonalisationDesk", "generate", "order_for"]
