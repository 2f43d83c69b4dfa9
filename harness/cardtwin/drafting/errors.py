"""The errors of drafting.

::

    DraftError                  the base of all
    ├── NothingToDraftError     the trace holds no calls and no APDUs, or not the fault
    ├── NoSuchProfileError      no such profile is shipped for the card
    └── NothingFailsError       a scenario that is to be shrunk doesn't fail
"""

from __future__ import annotations

__all__ = ["DraftError", "NoSuchProfileError", "NothingFailsError", "NothingToDraftError"]


class DraftError(Exception):
    """No scenario can be made of what was given."""


class NothingToDraftError(DraftError):
    """The trace holds nothing that a scenario could do again."""


class NoSuchProfileError(DraftError):
    """The profile that was asked for isn't one that is shipped for the card."""


class NothingFailsError(DraftError):
    """The scenario passes, or cannot run: there is no failure that fewer steps could show."""
