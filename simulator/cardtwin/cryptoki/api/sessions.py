"""Sessions: open, close, describe (OASIS PKCS #11 v2.40, 5.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.calls import function
from cardtwin.cryptoki.constants import Cku, SessionFlag
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.structures import SessionInfo
from cardtwin.middleware import Ckr

if TYPE_CHECKING:
    from cardtwin.cryptoki.application import Application

__all__ = ["close_all_sessions", "close_session", "get_session_info", "open_session"]

_UNKNOWN: Final = ~int(SessionFlag.CKF_RW_SESSION | SessionFlag.CKF_SERIAL_SESSION)


@function("C_OpenSession")
def open_session(application: Application, slot_id: int, flags: int) -> int:
    """Open a session."""
    if not flags & SessionFlag.CKF_SERIAL_SESSION:
        raise CryptokiError(Ckr.CKR_SESSION_PARALLEL_NOT_SUPPORTED, "CKF_SERIAL_SESSION is not set")

    if flags & _UNKNOWN:
        raise CryptokiError(Ckr.CKR_ARGUMENTS_BAD, f"unknown flags 0x{flags & _UNKNOWN:X}")

    slot = application.slots.get(slot_id)
    slot.bay.present()  # with a card that is gone, its sessions and their login are
    writable = bool(flags & SessionFlag.CKF_RW_SESSION)

    if not writable and any(each.login.user is Cku.CKU_SO for each in application.sessions.of_slot(slot)):
        raise CryptokiError(Ckr.CKR_SESSION_READ_WRITE_SO_EXISTS, "the SO is logged in")

    return application.open_session(slot, writable=writable).handle


@function("C_CloseSession")
def close_session(application: Application, session: int) -> None:
    """Close a session; with the last one, the login ends."""
    application.close_session(application.session(session))


@function("C_CloseAllSessions")
def close_all_sessions(application: Application, slot_id: int) -> None:
    """Close all sessions with a token."""
    slot = application.slots.get(slot_id)
    slot.bay.present()  # with a card that is gone, its sessions are

    for session in application.sessions.of_slot(slot):
        application.close_session(session)


@function("C_GetSessionInfo")
def get_session_info(application: Application, session: int) -> SessionInfo:
    """Describe a session."""
    found = application.session(session)
    flags = SessionFlag.CKF_SERIAL_SESSION | (SessionFlag.CKF_RW_SESSION if found.writable else 0)
    return SessionInfo(slot_id=found.slot.slot_id, state=found.state, flags=int(flags))
