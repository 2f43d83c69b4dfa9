"""One program that has called C_Initialize: slots, sessions, handles, and its view of the cards."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from cardtwin.cryptoki.bay import Surroundings
from cardtwin.cryptoki.calllog import CallLog
from cardtwin.cryptoki.constants import Cku
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.login import Login, NotLoggedInError
from cardtwin.cryptoki.objects.model import Handles
from cardtwin.cryptoki.sessions import Session, SessionTable
from cardtwin.cryptoki.slotevents import SlotEvents
from cardtwin.cryptoki.slots import Slot, SlotTable
from cardtwin.events import LoginEnd
from cardtwin.middleware import Ckr, MiddlewareError, PersonalDesktopClient
from cardtwin.provenance import Switches
from cardtwin.provenance.cryptoki import LOGIN_SCOPE, SIGN_AFTER_LOGOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from cardtwin.cryptoki.bay import Bay
    from cardtwin.cryptoki.objects.model import CryptokiObject
    from cardtwin.entropy import Entropy
    from cardtwin.events import Hub, LoginEnded
    from cardtwin.middleware import Installation, Token
    from cardtwin.middleware.configuration import ClientConfiguration
    from cardtwin.middleware.drivers import CardDriver
    from cardtwin.pcsc import Context
    from cardtwin.plan import PinBlobCodec, Secret

__all__ = ["Application"]


class Application:
    """One program. It is called by one thread at a time, but for what waits.

    Attributes:
        settings: What Personal.cfg says for this program.
        switches: Which rules hold.
        entropy: Where salts and paddings come from.
        client: The middleware's functions that are not PKCS#11's.
        slots: Its slots.
        sessions: Its sessions.
        handles: Its object handles.
        events: What C_WaitForSlotEvent waits for.
    """

    def __init__(
        self,
        context: Context,
        installation: Installation,
        *,
        codec: PinBlobCodec,
        entropy: Entropy,
        configuration: ClientConfiguration | None = None,
        switches: Switches | None = None,
        now: Callable[[], datetime] | None = None,
        hub: Hub | None = None,
    ) -> None:
        """Take what it works with.

        Args:
            context: The program's own PC/SC context; it is released by close().
            installation: What is installed.
            codec: The format of the encrypted PINs.
            entropy: Where salts and paddings come from.
            configuration: Personal.cfg as the program sees it; the defaults if not given.
            switches: Which rules hold where the sources leave a choice.
            now: The time, for the age of what is kept; the system's if not given.
            hub: Who is told how logins end.
        """
        self.switches = switches or Switches()
        self.entropy = entropy
        self.client = PersonalDesktopClient(
            context,
            installation,
            entropy=entropy,
            codec=codec,
            switches=self.switches,
            now=now,
            configuration=configuration,
        )
        self.settings = self.client.configuration
        self.slots = SlotTable(Surroundings(context, self.client.cards, self.switches))
        self.slots.keeping = self._logged_in_again
        self.slots.on_loss = self._lose
        self.slots.on_reset = self._forget_logins
        self.slots.on_login_end = self._tell_login_end
        self.sessions = SessionTable()
        self.handles = Handles()
        self.events = SlotEvents(context, self.slots, threading.Event())
        self._context = context
        self._hub = hub
        self._log = CallLog(self.client.log, self.switches)

    @property
    def installation(self) -> Installation:
        """What is installed."""
        return self.client.installation

    # Sessions

    def session(self, handle: int) -> Session:
        """Return an open session whose token is still there.

        Raises:
            CryptokiError: CKR_SESSION_HANDLE_INVALID; CKR_DEVICE_REMOVED where the token is found gone.
        """
        session = self.sessions.get(handle)
        session.slot.bay.present()

        if not self.sessions.is_open(session):
            raise CryptokiError(Ckr.CKR_DEVICE_REMOVED, "the card was removed")

        return session

    def open_session(self, slot: Slot, *, writable: bool) -> Session:
        """Open a session with the token in a slot; the first one of all reads it."""
        slot.view(latest=True)
        per_session = self.switches[LOGIN_SCOPE] == "session"
        return self.sessions.open(slot, Login() if per_session else slot.login, writable=writable)

    def close_session(self, session: Session) -> None:
        """Close a session with its objects; a login ends with the last session that has it."""
        slot = session.slot

        for handle, thing in self.handles.of_slot(slot.slot_id):
            if _belongs(thing, session):
                self.handles.drop(handle)

        self.sessions.close(session)

        if all(each.login is not session.login for each in self.sessions.of_slot(slot)):
            self.end_login(slot, session.login, LoginEnd.SESSIONS_CLOSED)

    # Logins

    def end_login(self, slot: Slot, login: Login, why: LoginEnd) -> None:
        """End a login: private objects are gone, and the card forgets unless the other slot needs it.

        By the quirk of NLI-15 neither happens with a user's C_Logout; whatever ends the login otherwise, and
        the end of the last session after it, is as it should be.
        """
        if login.user is None and not login.lingers and not slot.bay.extra:
            return

        quirk = self.switches[SIGN_AFTER_LOGOUT] == "kept" and why is LoginEnd.LOGOUT
        lingers = quirk and login.user is Cku.CKU_USER
        slot.end(login, why)
        login.lingers = lingers
        self._look_again(slot)
        self._retire_private(slot)
        slot.bay.extra.clear()

        if lingers or self._anybody_on(slot):
            return

        with suppress(MiddlewareError, CryptokiError):  # a card that cannot be told has forgotten
            if slot.bay.present():
                with slot.bay.card() as driver:
                    driver.logout()

    def forget_login(self, session: Session) -> None:
        """Forget a login that the card has forgotten."""
        session.slot.end(session.login, LoginEnd.CARD_FORGOT)
        self._look_again(session.slot)

    def keeps_pin(self, login: Login) -> bool:
        """Whether a login is one of a kept PIN, for which the card is logged in and out every time."""
        kept = self.settings.p11_enable_cache_pin and login.secret is not None
        return kept and login.user is Cku.CKU_USER

    def keep_anew(self, slot: Slot, pin: Secret) -> None:
        """Keep another PIN where that of a slot's user is kept: this program has changed it."""
        for session in self.sessions.of_slot(slot):
            if self.keeps_pin(session.login):
                session.login.secret = pin

    def forget_kept(self, slot: Slot) -> None:
        """End the logins with a kept PIN: it was changed at the reader, and nobody knows the new one."""
        for session in self.sessions.of_slot(slot):
            if self.keeps_pin(session.login):
                self.end_login(slot, session.login, LoginEnd.KEPT_PIN_CHANGED)

    @contextmanager
    def private_card(self, session: Session) -> Iterator[CardDriver]:
        """Hold the card for a private operation; see :meth:`Slot.private_card`."""
        login = session.login

        if login.user is None and login.lingers:
            with session.slot.bay.card() as driver:
                yield driver

            return

        try:
            with session.slot.private_card(login, keeps_pin=self.keeps_pin(login)) as driver:
                yield driver
        finally:
            if login.user is None:
                self._look_again(session.slot)

    @contextmanager
    def _logged_in_again(self, bay: Bay, driver: CardDriver, token: Token) -> Iterator[bool]:
        """Log in for the block by the PINs that are kept for a card, and out again; tell whether any are."""
        holders = {id(session.login): session for session in self._sessions_on(bay)}
        kept = [session for session in holders.values() if self.keeps_pin(session.login)]

        for session in kept:
            try:
                session.slot.log_in_again(driver, token, session.login)
            except CryptokiError:
                self._look_again(session.slot)  # who is refused is logged in no more

        try:
            yield bool(kept)
        finally:
            if kept:
                bay.log_out(driver)

    def verified_on(self, bay: Bay) -> frozenset[int]:
        """Return the references of the PINs that this program verifies on a card, if only in card_as()."""
        found = set(bay.extra)
        found |= {session.login.pin for session in self._sessions_on(bay) if session.login.pin is not None}
        return frozenset(found)

    def forget_card(self, bay: Bay) -> None:
        """Forget what was read and verified on a card: it has been initialised or erased."""
        bay.outdate()
        self.forget_logins_on(bay)

    def forget_logins_on(self, bay: Bay) -> None:
        """Forget all logins to a card: it has been erased, or initialised."""
        bay.extra.clear()

        for slot in self.slots.of_bay(bay):
            for session in self.sessions.of_slot(slot):
                slot.end(session.login, LoginEnd.CARD_CHANGED)

            self._look_again(slot)
            self._retire_private(slot)

    @contextmanager
    def card_as(self, session: Session) -> Iterator[CardDriver]:
        """Hold the card for what whoever is logged in may do, in either slot of the card.

        PINs that are kept are verified for the block, those of both slots: a change may need both.

        Raises:
            NotLoggedInError: The card refuses the PIN that is kept for the session; the login is over.
        """
        slot, login = session.slot, session.login
        kept = self.keeps_pin(login)

        with slot.bay.card() as driver:
            if not self.settings.p11_enable_cache_pin:
                yield driver
                return

            with self._logged_in_again(slot.bay, driver, slot.view().token):
                if kept and login.user is None:
                    raise NotLoggedInError(login)

                yield driver

    # Objects

    def refresh(self, slot: Slot) -> None:
        """Take over what the token shows now."""
        view = slot.view(latest=True)
        things = slot.objects(view)
        self.handles.keep_only(slot.slot_id, things)

        for thing in things:
            self.handles.add(slot.slot_id, thing)

    def visible(self, session: Session, thing: CryptokiObject) -> bool:
        """Whether an object is to be seen in a session."""
        return not thing.private or session.user_logged_in

    def find(self, session: Session, handle: int, *, invalid: Ckr) -> CryptokiObject:
        """Return an object.

        Args:
            session: The session that asks.
            handle: The handle.
            invalid: What a handle of nothing is answered with.

        Raises:
            CryptokiError: As `invalid`; CKR_USER_NOT_LOGGED_IN for a private object without a login.
        """
        thing = self.handles.find(session.slot.slot_id, handle)

        if not session.reaches_private:
            hidden = self.handles.was_private(session.slot.slot_id, handle)

            if hidden or (thing is not None and thing.private):
                raise NotLoggedInError(session.login, "the object is private, and nobody is logged in")

        if thing is None:
            raise CryptokiError(invalid, f"there is no object {handle}")

        return thing

    def abandon(self) -> None:
        """Let a call that waits for a person or for the card end soon: nobody wants its answer any more.

        May be called beside other calls, and more than once; close() has to come afterwards.
        """
        self._context.release()

    def close(self) -> None:
        """End what is waiting with CKR_CRYPTOKI_NOT_INITIALIZED, log out, and let go of everything."""
        self.events.close()

        for slot in dict.fromkeys(session.slot for session in self._all_sessions()):
            for session in self.sessions.of_slot(slot):
                self.close_session(session)

        self.slots.close()
        self._context.release()

    # What others are told

    def notes(self, name: str, rv: Ckr) -> bool:
        """Whether the log file is to tell of a call of that function which ended so."""
        return self._log.wants(name, rv)

    def note(self, call: str, rv: Ckr, reason: str) -> None:
        """Tell the log file of a call: written as in C, secrets masked, and why it ended so."""
        self._log.call(call, rv, reason)

    def _tell_login_end(self, event: LoginEnded) -> None:
        self._log.login_ended(event)

        if self._hub is not None:
            self._hub.emit(event)

    # Helpers

    def _all_sessions(self) -> list[Session]:
        return [session for slot in self.slots.known() for session in self.sessions.of_slot(slot)]

    def _anybody_on(self, slot: Slot) -> bool:
        """Whether the program is logged in to any slot of the same card."""
        return any(session.login.user is not None for session in self._sessions_on(slot.bay))

    def _sessions_on(self, bay: Bay) -> list[Session]:
        return [session for slot in self.slots.of_bay(bay) for session in self.sessions.of_slot(slot)]

    def _look_again(self, slot: Slot) -> None:
        slot.bay.look_again(logged_in=self._anybody_on(slot))

    def _retire_private(self, slot: Slot) -> None:
        """Let the handles of private objects die, unless a session can still use them."""
        if not any(session.reaches_private for session in self.sessions.of_slot(slot)):
            self.handles.retire_private(slot.slot_id)

    def _lose(self, slot: Slot) -> None:
        """Close everything that was open with a token that is gone."""
        for session in self.sessions.of_slot(slot):
            self.sessions.close(session)
            slot.end(session.login, LoginEnd.CARD_REMOVED)

        slot.end(slot.login, LoginEnd.CARD_REMOVED)
        self.handles.drop_slot(slot.slot_id)

    def _forget_logins(self, slot: Slot) -> None:
        """Forget what the card has forgotten; a kept PIN logs in again."""
        slot.bay.extra.clear()

        for login in (slot.login, *(session.login for session in self.sessions.of_slot(slot))):
            if not self.keeps_pin(login) and login.user is not None:
                slot.end(login, LoginEnd.CARD_RESET)
                self._look_again(slot)


def _belongs(thing: CryptokiObject, session: Session) -> bool:
    """Whether an object is one of a session's."""
    return isinstance(thing.identity, tuple) and thing.identity[:2] == ("session", session.handle)
