"""Calls that a scenario does not do again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.functions import BY_NAME
from cardtwin.drafting.calls import NEEDLESS

if TYPE_CHECKING:
    from cardtwin.drafting.recorded import RecordedCall

__all__ = ["is_told", "left_out"]

_LOADERS: Final = {"C_GetInterface", "C_GetInterfaceList"}
"""What PKCS#11 3.0 has beside C_GetFunctionList."""


def is_told(call: RecordedCall) -> bool:
    """Whether a library does something in such a call, and not the loader of libraries."""
    function = BY_NAME.get(call.name)
    return function is not None and function.carried


def left_out(call: RecordedCall) -> str:
    """Return why a call is not done again; nothing where it is."""
    function = BY_NAME.get(call.name)

    if call.name in _LOADERS:
        return ""

    if function is None:
        return "no function of PKCS#11 2.40"

    if not call.result and any(
        parameter.kind not in NEEDLESS and parameter.names[0] not in call.arguments
        for parameter in function.arguments
    ):
        return "at which the trace ends, before it tells with what it was called"

    if call.name == "cardtwin_InitTokenPPA":
        return "whose profile the trace doesn't have"

    if function.waits and call.arguments.get("flags") != "1":
        return "which waits for what no step does"

    return ""
