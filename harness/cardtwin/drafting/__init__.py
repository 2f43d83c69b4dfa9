"""Scenarios that nobody wrote: drafted from a trace, and shrunk to what still fails."""

from cardtwin.drafting.errors import DraftError, NoSuchProfileError, NothingFailsError, NothingToDraftError
from cardtwin.drafting.scenario import Circumstances, draft
from cardtwin.drafting.shrinking import Shrunk, shrink

__all__ = [
    "Circumstances",
    "DraftError",
    "NoSuchProfileError",
    "NothingFailsError",
    "NothingToDraftError",
    "Shrunk",
    "draft",
    "shrink",
]
