"""The errors of targets.

::

    TargetError                 a target cannot set up what a scenario asks for, or a bench cannot do it
    MiddlewareError             a function of the middleware failed (cardtwin.middleware)
"""

from __future__ import annotations

from cardtwin.middleware import MiddlewareError

__all__ = ["MiddlewareError", "TargetError"]


class TargetError(Exception):
    """A target cannot set up what a scenario asks for, or the bench cannot do what a step asks."""
