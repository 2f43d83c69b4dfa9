"""What a program's log file tells of its calls: what failed, and what changed a login or the token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.middleware import Ckr
from cardtwin.provenance.cryptoki import LOGGED_CALLS

if TYPE_CHECKING:
    from cardtwin.events import LoginEnded
    from cardtwin.middleware import LogFile
    from cardtwin.provenance import Switches

__all__ = ["CallLog"]

_CHANGING: Final = frozenset(
    {
        "C_Initialize",
        "C_Finalize",
        "C_InitPIN",
        "C_SetPIN",
        "C_Login",
        "C_Logout",
        "C_CreateObject",
        "C_CopyObject",
        "C_DestroyObject",
        "C_SetAttributeValue",
        "C_GenerateKeyPair",
        "cardtwin_InitTokenPPA",
        "cardtwin_UnblockPIN",
        "cardtwin_LoginOperator",
    }
)
_NO_FAILURES: Final = frozenset({Ckr.CKR_OK, Ckr.CKR_BUFFER_TOO_SMALL, Ckr.CKR_NO_EVENT})


class CallLog:
    """The calls in personal.log. A signature takes no line, for a program may make thousands."""

    def __init__(self, log: LogFile, switches: Switches) -> None:
        self._log = log
        self._all = switches[LOGGED_CALLS] == "all"

    def wants(self, name: str, rv: Ckr) -> bool:
        """Whether a call of that function which ended so gets a line."""
        return self._all or rv not in _NO_FAILURES or (rv is Ckr.CKR_OK and name in _CHANGING)

    def call(self, call: str, rv: Ckr, reason: str) -> None:
        """Write the line of a call, given as in C with secrets masked."""
        self._log.write(call, rv.name, detail=reason)

    def login_ended(self, event: LoginEnded) -> None:
        """Write the line of a login's end."""
        self._log.write(f"login of {event.user}", "ended", reader=event.reader, detail=event.why.value)
