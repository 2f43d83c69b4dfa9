"""Cards around cards: between the contacts and the card, so that every program sees what they do."""

from cardtwin.readers.wrappers.around import CardAround
from cardtwin.readers.wrappers.faults import (
    Answer,
    Delay,
    Fault,
    FaultyCard,
    Mute,
    Removal,
    Tear,
)
from cardtwin.readers.wrappers.latency import SPEEDS, SlowCard, Speed

__all__ = [
    "SPEEDS",
    "Answer",
    "CardAround",
    "Delay",
    "Fault",
    "FaultyCard",
    "Mute",
    "Removal",
    "SlowCard",
    "Speed",
    "Tear",
]
