"""Sessions of one application: their states, and the operations going on in them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from cardtwin.cryptoki.constants import Cks, Cku
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.middleware import Ckr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.cryptoki.login import Login
    from cardtwin.cryptoki.slots import Slot

__all__ = ["OperationKind", "Session", "SessionTable"]

O = TypeVar("O")  # noqa: E741  # an operation of any class


class OperationKind(Enum):
    """What can go on in a session, one of each at a time."""

    FIND = "a search"
    DIGEST = "a digest"
    SIGN = "a signature"
    VERIFY = "a verification"
    ENCRYPT = "an encryption"
    DECRYPT = "a decryption"


_STATES = {
    (False, None): Cks.CKS_RO_PUBLIC_SESSION,
    (False, Cku.CKU_USER): Cks.CKS_RO_USER_FUNCTIONS,
    (True, None): Cks.CKS_RW_PUBLIC_SESSION,
    (True, Cku.CKU_USER): Cks.CKS_RW_USER_FUNCTIONS,
    (True, Cku.CKU_SO): Cks.CKS_RW_SO_FUNCTIONS,
}


@dataclass(slots=True)
class Session:
    """One session.

    Attributes:
        handle: Its handle.
        slot: Its slot.
        writable: Whether it is a read-write session.
        login: Who is logged in: the slot's, unless the quirk of a login per session is on.
        operations: What goes on.
    """

    handle: int
    slot: Slot
    writable: bool
    login: Login
    operations: dict[OperationKind, object] = field(default_factory=dict)

    @property
    def state(self) -> Cks:
        """CKS_*."""
        return _STATES[self.writable, self.login.user]

    @property
    def user_logged_in(self) -> bool:
        """Whether private objects are to be seen."""
        return self.login.user is Cku.CKU_USER

    @property
    def reaches_private(self) -> bool:
        """Whether private objects can be used by their handles: with a login, or one that lingers."""
        return self.user_logged_in or self.login.lingers

    def require_writable(self) -> None:
        """See that something on the token may be changed.

        Raises:
            CryptokiError: CKR_SESSION_READ_ONLY.
        """
        if not self.writable:
            raise CryptokiError(Ckr.CKR_SESSION_READ_ONLY, "the session is read-only")

    def begin(self, kind: OperationKind, operation: object) -> None:
        """Begin an operation.

        Raises:
            CryptokiError: CKR_OPERATION_ACTIVE: one of the kind is going on.
        """
        self.require_idle(kind)
        self.operations[kind] = operation

    def require_idle(self, kind: OperationKind) -> None:
        """See that no operation of a kind is going on; errors as begin()."""
        if kind in self.operations:
            raise CryptokiError(Ckr.CKR_OPERATION_ACTIVE, f"{kind.value} is going on in the session")

    def operation(self, kind: OperationKind, of: type[O]) -> O:
        """Return the operation of a kind.

        Raises:
            CryptokiError: CKR_OPERATION_NOT_INITIALIZED: there is none.
        """
        found = self.operations.get(kind)

        if not isinstance(found, of):
            raise CryptokiError(Ckr.CKR_OPERATION_NOT_INITIALIZED, f"{kind.value} is not going on")

        return found

    def end(self, kind: OperationKind) -> None:
        """End the operation of a kind, if there is one."""
        self.operations.pop(kind, None)


class SessionTable:
    """The open sessions of one application. A handle is never given twice."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._open: dict[int, Session] = {}

    def open(self, slot: Slot, login: Login, *, writable: bool) -> Session:
        """Open a session."""
        session = Session(next(self._numbers), slot, writable, login)
        self._open[session.handle] = session
        return session

    def get(self, handle: int) -> Session:
        """Return an open session.

        Raises:
            CryptokiError: CKR_SESSION_HANDLE_INVALID.
        """
        session = self._open.get(handle)

        if session is None:
            raise CryptokiError(Ckr.CKR_SESSION_HANDLE_INVALID, f"there is no session {handle}")

        return session

    def is_open(self, session: Session) -> bool:
        """Whether a session is still open."""
        return session.handle in self._open

    def of_slot(self, slot: Slot) -> Iterator[Session]:
        """Yield the open sessions of a slot, oldest first."""
        yield from [session for session in self._open.values() if session.slot is slot]

    def close(self, session: Session) -> None:
        """Close a session, and end what goes on in it."""
        session.operations.clear()
        del self._open[session.handle]
