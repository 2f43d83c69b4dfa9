"""The errors of drafting.

::

    DraftError                  the base of all
    ├── NothingToDraftError     the trace holds no calls and no APDUs, or not the fault
    └── NothingFailsError       a scenario that is to be shrunk doesn't fail
"""

from __future__ import annotations

__all__ = ["DraftError", "NothingFailsError", "NothingToDraftError"]


class DraftError(Exception):
    """No scenario can be made of what was given."""


class NothingToDraftError(DraftError):
    """The trace holds nothing that a scenario could do again."""


class NothingFailsError(DraftError):
    """The scenario passes, or cannot run: there is no failure that fewer steps could show."""
