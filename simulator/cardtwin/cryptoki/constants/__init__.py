"""The constants of PKCS#11 under the standard's own names; return values are the middleware's Ckr."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.constants.attributes import ARRAY_OF_ATTRIBUTES, SECRET_ATTRIBUTES, Cka
from cardtwin.cryptoki.constants.flags import (
    InitializeFlag,
    MechanismFlag,
    SessionFlag,
    SlotFlag,
    TokenFlag,
    WaitFlag,
)
from cardtwin.cryptoki.constants.mechanisms import Ckm
from cardtwin.cryptoki.constants.objects import Ckc, CkcCategory, Ckd, Ckg, Ckk, Cko, Cks, Cku, Ckz

if TYPE_CHECKING:
    from enum import IntEnum

__all__ = [
    "ARRAY_OF_ATTRIBUTES",
    "SECRET_ATTRIBUTES",
    "UNAVAILABLE_INFORMATION",
    "Cka",
    "Ckc",
    "CkcCategory",
    "Ckd",
    "Ckg",
    "Ckk",
    "Ckm",
    "Cko",
    "Cks",
    "Cku",
    "Ckz",
    "InitializeFlag",
    "MechanismFlag",
    "SessionFlag",
    "SlotFlag",
    "TokenFlag",
    "WaitFlag",
    "name_of",
]

UNAVAILABLE_INFORMATION: Final = (1 << 64) - 1
"""CK_UNAVAILABLE_INFORMATION, ~0 as CK_ULONG."""


def name_of(kind: type[IntEnum], value: int) -> str:
    """Return the standard's name of a value, such as ``CKA_LABEL``, or its hex digits if it has none."""
    try:
        return kind(value).name
    except ValueError:
        return f"0x{value:08X}"
