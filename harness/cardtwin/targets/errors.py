"""The errors of targets.

::

    TargetError                 a target cannot set up what a scenario asks for, or a bench cannot do it
        UnseenError             what a step looks for can't be seen: it is neither there nor missing
    MiddlewareError             a function of the middleware failed (cardtwin.middleware)
"""

from __future__ import annotations

from cardtwin.middleware import MiddlewareError

__all__ = ["MiddlewareError", "TargetError", "UnseenError"]


class TargetError(Exception):
    """A target cannot set up what a scenario asks for, or the bench cannot do what a step asks."""


class UnseenError(TargetError):
    """What a step looks for can't be seen on this target: whether it is as expected, nobody knows."""
