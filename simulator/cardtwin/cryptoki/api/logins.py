"""Logging in and out, and PINs (OASIS PKCS #11 v2.40, 5.5 and 5.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.cryptoki.api.refusals import INIT_TOKEN
from cardtwin.cryptoki.calls import function
from cardtwin.cryptoki.constants import Cku
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.login import NotLoggedInError
from cardtwin.cryptoki.operations.base import awaiting_login
from cardtwin.events import LoginEnd
from cardtwin.middleware import Ckr, CredentialError, MiddlewareError
from cardtwin.middleware.pukchange import require_changeable
from cardtwin.pkcs15 import PinFlags

if TYPE_CHECKING:
    from cardtwin.cryptoki.application import Application
    from cardtwin.cryptoki.sessions import Session
    from cardtwin.middleware import PinInfo
    from cardtwin.middleware.credentials import Credentials
    from cardtwin.plan import Secret

__all__ = ["init_pin", "init_token", "login", "logout", "set_pin"]


@function("C_Login")
def login(application: Application, session: int, user_type: int, pin: Secret | None) -> None:
    """Log in. A wrong PIN costs one of its tries; one that is NULL is entered at the reader."""
    found = application.session(session)

    if user_type not in set(Cku):
        raise CryptokiError(Ckr.CKR_USER_TYPE_INVALID, f"there is no user type {user_type}")

    if pin is None:
        found.slot.require_entry()

    user = Cku(user_type)

    if user is Cku.CKU_CONTEXT_SPECIFIC:
        _log_in_for_operation(application, found, pin)
        _leave_logged_out(application, found)
        return

    with found.slot.bay.card():
        pass  # whether the card has been reset, and a login lost, is told by a transaction

    _require_free(application, found, user)
    view = found.slot.view()
    info = found.slot.pin_of(user, view)
    found.slot.verify(info, pin)
    kept = user is Cku.CKU_SO or application.settings.p11_enable_cache_pin
    found.login.begin(user, info.reference, pin if kept else None)
    found.slot.bay.look_again(logged_in=True)

    _leave_logged_out(application, found)


def _leave_logged_out(application: Application, session: Session) -> None:
    """With a kept PIN, have the card forget it until the next private operation."""
    if application.keeps_pin(session.login):
        with session.slot.bay.card() as driver:
            session.slot.bay.log_out(driver)


def _require_free(application: Application, session: Session, user: Cku) -> None:
    if session.login.user is user:
        raise CryptokiError(Ckr.CKR_USER_ALREADY_LOGGED_IN, f"{user.name} is logged in")

    if session.login.user is not None:
        raise CryptokiError(Ckr.CKR_USER_ANOTHER_ALREADY_LOGGED_IN, f"{session.login.user.name} is logged in")

    if user is Cku.CKU_SO and any(not each.writable for each in application.sessions.of_slot(session.slot)):
        raise CryptokiError(Ckr.CKR_SESSION_READ_ONLY_EXISTS, "there is a read-only session")


def _log_in_for_operation(application: Application, session: Session, pin: Secret | None) -> None:
    """Verify the PIN for the one operation that asks for it (CKA_ALWAYS_AUTHENTICATE).

    A wrong one leaves session and operation as they are; one that is locked logs out (v2.40, 4.9).
    """
    operation = awaiting_login(session)

    if operation is None:
        raise CryptokiError(
            Ckr.CKR_OPERATION_NOT_INITIALIZED, "nothing is going on that asks for the PIN again"
        )

    if not session.user_logged_in:
        raise NotLoggedInError(session.login)

    slot = session.slot

    try:
        slot.verify(slot.pin_of(Cku.CKU_USER, slot.view()), pin)
    except CredentialError as error:
        if error.rv is Ckr.CKR_PIN_LOCKED:
            application.end_login(slot, session.login, LoginEnd.PIN_LOCKED)

        raise

    operation.authenticated = True


@function("C_Logout")
def logout(application: Application, session: int) -> None:
    """Log out."""
    found = application.session(session)

    if found.login.user is None:
        raise NotLoggedInError(found.login)

    application.end_login(found.slot, found.login, LoginEnd.LOGOUT)


@function("C_InitPIN")
def init_pin(application: Application, session: int, pin: Secret | None) -> None:
    """Set the user's PIN by the PUK with which the SO has logged in; what isn't known is entered there."""
    found = application.session(session)
    slot, puk = found.slot, found.login.secret

    if found.login.user is not Cku.CKU_SO:
        raise NotLoggedInError(found.login, "the SO is not logged in")

    if pin is None:
        slot.require_entry()
    elif puk is None:
        raise CryptokiError(
            Ckr.CKR_ARGUMENTS_BAD,
            "the SO has entered the PUK at the reader, where the new PIN is entered too",
        )

    view = slot.view()
    user, so = slot.pin_of(Cku.CKU_USER, view), slot.pin_of(Cku.CKU_SO, view)

    if view.token.puk_of(user) is not so:
        raise CryptokiError(
            Ckr.CKR_FUNCTION_NOT_SUPPORTED, f"{so.label}, by which the SO logs in, doesn't reset {user.label}"
        )

    with slot.credentials() as (_, credentials), slot.noting(so):
        credentials.unblock(user, puk, pin)

    slot.bay.failed.pop(user.reference, None)


@function("C_SetPIN")
def set_pin(application: Application, session: int, old: Secret | None, new: Secret | None) -> None:
    """Change the PIN of whoever is logged in, or the user's. A wrong old one costs a try.

    Where both are NULL, they are entered at the reader.
    Where the SO's is the PUK, the client's version and the card decide (rule ``middleware.puk-change``).
    """
    found = application.session(session)
    found.require_writable()
    slot = found.slot

    if old is None and new is None:
        slot.require_entry()

    user = Cku.CKU_USER if found.login.user is None else found.login.user
    pin = slot.pin_of(user, slot.view())

    if PinFlags.CHANGE_DISABLED in pin.entry.flags:
        raise CryptokiError(Ckr.CKR_ACTION_PROHIBITED, f"{pin.label} cannot be changed")

    with slot.credentials() as (driver, credentials), slot.noting(pin):
        require_changeable(pin, driver, application.installation, application.switches)
        _change(credentials, pin, old, new)

    if found.login.user is Cku.CKU_SO:
        found.login.secret = new
    elif new is None:
        application.forget_kept(slot)
    else:
        application.keep_anew(slot, new)


def _change(credentials: Credentials, pin: PinInfo, old: Secret | None, new: Secret | None) -> None:
    """Change a PIN; an old one that is longer than any can be is wrong."""
    entry = pin.entry

    try:
        credentials.change(pin, old, new)
    except MiddlewareError as error:
        longest = max(entry.stored_length, entry.max_length or 0)

        if error.rv is Ckr.CKR_PIN_LEN_RANGE and old is not None and len(old) > longest:
            raise CryptokiError(Ckr.CKR_PIN_INCORRECT, error.message) from error

        raise


@function("C_InitToken")
def init_token(application: Application, slot_id: int, _pin: Secret | None, _label: bytes) -> None:
    """Refuse: a card takes its card profile by InitTokenPPA, and C_InitToken has none."""
    application.slots.get(slot_id)
    raise CryptokiError(INIT_TOKEN.rv, INIT_TOKEN.why)
