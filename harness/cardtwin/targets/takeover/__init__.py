"""A card in a reader taken over as an image: what may be read of it, by reading commands alone."""

from cardtwin.targets.takeover.conditions import conditions_told
from cardtwin.targets.takeover.files import FileFound, Read
from cardtwin.targets.takeover.reading import choose_reader, take_over
from cardtwin.targets.takeover.taken import Difference, KeyTaken, TakenCard

__all__ = [
    "Difference",
    "FileFound",
    "KeyTaken",
    "Read",
    "TakenCard",
    "choose_reader",
    "conditions_told",
    "take_over",
]
