"""The errors of Certificate Manager. None holds a secret.

::

    ManagerError                   (an IssuanceError)
    ├── IssuanceRefusedError       a token can't be issued so; nothing of it was kept
    ├── LetterRefusedError         a PIN letter can't be made or written so
    ├── ProcedureRefusedError      a token procedure isn't complete or doesn't fit; carries each problem
    ├── RangeExhaustedError        a range of serial numbers has no number left
    ├── SerialRefusedError         a serial number is taken, or in no range of the procedure
    ├── SignatureRefusedError      a signature isn't good, or who made it may not sign
    ├── StageError                 the request isn't where that can be done
    └── VaultError                 the state was made with another pass phrase, or was changed
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.issuance.errors import IssuanceError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardtwin.issuance.manager.checks import Problem

__all__ = [
    "IssuanceRefusedError",
    "LetterRefusedError",
    "ManagerError",
    "ProcedureRefusedError",
    "RangeExhaustedError",
    "SerialRefusedError",
    "SignatureRefusedError",
    "StageError",
    "VaultError",
]


class ManagerError(IssuanceError):
    """The root of Certificate Manager's errors."""


class IssuanceRefusedError(ManagerError):
    """A token can't be issued so; nothing of it was kept."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


class LetterRefusedError(ManagerError):
    """A PIN letter can't be made or written so."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


class ProcedureRefusedError(ManagerError):
    """A token procedure isn't complete or doesn't fit."""

    code = "procedure"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problem.message for problem in self.problems))


class RangeExhaustedError(ManagerError):
    """A range of serial numbers has no number left."""

    code = "range-exhausted"


class SerialRefusedError(ManagerError):
    """A serial number is taken, or in no range of the procedure."""

    code = "serial"


class SignatureRefusedError(ManagerError):
    """A signature isn't good, or who made it may not sign."""

    code = "signature"


class StageError(ManagerError):
    """The request isn't where that can be done."""

    code = "stage"


class VaultError(ManagerError):
    """The state was made with another pass phrase, or was changed."""

    code = "vault"
