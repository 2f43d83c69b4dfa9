"""How a test's reports say what it is to prove: by attributes, which travel from a worker of pytest-xdist."""

from __future__ import annotations

from typing import Final

__all__ = ["IDS", "STEPS"]

IDS: Final = "cardtwin_proves"
"""The attribute with the ids of a mark."""

STEPS: Final = "cardtwin_steps"
"""The attribute with the proofs of a scenario's steps."""
