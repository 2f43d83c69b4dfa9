"""The errors of the process. None holds a secret.

::

    OrderError
    ├── OrderFailedError     the card could not be made; what there was of it is taken back
    ├── PinRefusedError      the PIN isn't as the options want it; another one may be entered
    ├── StepRefusedError     the process isn't where that can be done
    └── UserRefusedError     the user may not have a virtual smart card
"""

from __future__ import annotations

__all__ = ["OrderError", "OrderFailedError", "PinRefusedError", "StepRefusedError", "UserRefusedError"]


class OrderError(Exception):
    """The root of the process's errors."""


class OrderFailedError(OrderError):
    """The card could not be made; what there was of it is taken back."""


class PinRefusedError(OrderError):
    """The PIN isn't as the options want it; another one may be entered."""


class StepRefusedError(OrderError):
    """The process isn't where that can be done."""


class UserRefusedError(OrderError):
    """The user may not have a virtual smart card."""
