"""The errors of recording and replaying. None holds a secret.

::

    RecordingError
    ├── RecordingRefusedError    nothing can be recorded, or no trace be written; nothing runs
    └── ReplayRefusedError       a trace cannot be replayed as asked
"""

from __future__ import annotations

__all__ = ["RecordingError", "RecordingRefusedError", "ReplayRefusedError"]


class RecordingError(Exception):
    """Nothing can be recorded, or replayed."""


class RecordingRefusedError(RecordingError):
    """What is to be recorded cannot be had, or the trace cannot be written; nothing has run."""


class ReplayRefusedError(RecordingError):
    """A trace cannot be replayed as asked; nothing was sent to a card."""
