"""Slots: one for each reader and PIN, and who is logged in to the token in it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING

from cardtwin.cryptoki.bay import Bay
from cardtwin.cryptoki.constants import Cku
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.login import Login, NotLoggedInError
from cardtwin.cryptoki.objects.shown import by_pin, ids_by_pin
from cardtwin.events import LoginEnd, LoginEnded
from cardtwin.middleware import Ckr, CredentialError, MiddlewareError, PinKind
from cardtwin.middleware.credentials import Credentials
from cardtwin.middleware.errors import CardLostError, CommandFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from cardtwin.cryptoki.bay import Surroundings, TokenView
    from cardtwin.cryptoki.objects.model import CryptokiObject
    from cardtwin.middleware import PinInfo, Token
    from cardtwin.middleware.drivers import CardDriver
    from cardtwin.plan import Secret

__all__ = ["Slot", "SlotKind", "SlotTable"]


class SlotKind(Enum):
    """Which of a token's PINs a slot is about."""

    MAIN = PinKind.USER
    SIGNATURE = PinKind.SIGNATURE


class Slot:
    """One slot of an application."""

    def __init__(self, slot_id: int, kind: SlotKind, bay: Bay, tell: Callable[[LoginEnded], None]) -> None:
        self.slot_id = slot_id
        self.kind = kind
        self.bay = bay
        self.login = Login()
        self._tell = tell

    def end(self, login: Login, why: LoginEnd) -> None:
        """End a login to the token in this slot, if there is one, or what C_Logout has left of it."""
        login.lingers = False

        if login.user is None:
            return

        event = LoginEnded(
            reader=self.bay.reader, slot=self.slot_id, user=login.user.name, pin=login.pin, why=why
        )
        login.end(event)
        self._tell(event)

    def view(self, *, latest: bool = False) -> TokenView:
        """Return what the card shows; see :meth:`Bay.view`.

        Raises:
            CryptokiError: CKR_TOKEN_NOT_PRESENT: there is no card, or it has no such PIN.
        """
        view = self.bay.view(latest=latest)

        if self.kind is SlotKind.SIGNATURE and self.user_pin(view) is None:
            raise CryptokiError(Ckr.CKR_TOKEN_NOT_PRESENT, "the card in the reader has no signature PIN")

        return view

    def user_pin(self, view: TokenView) -> PinInfo | None:
        """Return the PIN of CKU_USER."""
        return self._user_pin(view.token)

    def _user_pin(self, token: Token) -> PinInfo | None:
        return next((pin for pin in token.pins if pin.kind is self.kind.value), None)

    def so_pin(self, view: TokenView) -> PinInfo | None:
        """Return the credential of CKU_SO."""
        if self.kind is SlotKind.MAIN:
            return view.token.so_credential

        pin = self.user_pin(view)
        return view.token.puk_of(pin) if pin else None

    def pin_of(self, user: Cku, view: TokenView) -> PinInfo:
        """Return the credential that logs a user in.

        Raises:
            CryptokiError: CKR_USER_PIN_NOT_INITIALIZED: the token has none.
        """
        pin = self.so_pin(view) if user is Cku.CKU_SO else self.user_pin(view)

        if pin is None:
            raise CryptokiError(Ckr.CKR_USER_PIN_NOT_INITIALIZED, f"the token has no PIN for {user.name}")

        return pin

    def shows(self, view: TokenView, identifier: bytes) -> bool:
        """Whether what has an identifier is in this slot, and not in the other one."""
        signature = next((pin for pin in view.token.pins if pin.kind is PinKind.SIGNATURE), None)
        theirs = signature is not None and identifier in ids_by_pin(view.objects, signature.entry.id)
        return theirs is (self.kind is SlotKind.SIGNATURE)

    def objects(self, view: TokenView) -> tuple[CryptokiObject, ...]:
        """Return the objects of this slot, private ones included."""
        signature = next((pin for pin in view.token.pins if pin.kind is PinKind.SIGNATURE), None)
        theirs = tuple(by_pin(view.objects, signature.entry.id)) if signature else ()

        if self.kind is SlotKind.SIGNATURE:
            return theirs

        return tuple(each for each in view.objects if each not in theirs)

    @contextmanager
    def credentials(self) -> Iterator[tuple[CardDriver, Credentials]]:
        """Hold the card for the block, with the token's PINs."""
        view = self.view()

        with self.bay.card() as driver:
            yield driver, Credentials(driver, view.token)

    def require_entry(self) -> None:
        """See that PINs which a program doesn't give can be entered at the reader.

        Raises:
            CryptokiError: CKR_ARGUMENTS_BAD.
        """
        if not self.view().pinpad:
            raise CryptokiError(
                Ckr.CKR_ARGUMENTS_BAD, "there is no PIN, and no reader with a PIN pad to enter it at"
            )

    def verify(self, pin: PinInfo, secret: Secret | None) -> None:
        """Verify a PIN on the card; what becomes of it is noted for the token's flags.

        One that is None is entered at the reader; see :class:`Credentials` for what may come of that.

        Raises:
            CredentialError: CKR_PIN_INCORRECT, a try is gone; CKR_PIN_LOCKED.
            CryptokiError: CKR_PIN_INCORRECT: no PIN has this length, and no try is gone.
        """
        with self.credentials() as (_, credentials), self.noting(pin):
            _verified(credentials, pin, secret)

    @contextmanager
    def noting(self, pin: PinInfo) -> Iterator[None]:
        """Note for the token's flags whether a PIN was right in the block."""
        try:
            yield
        except CredentialError as error:
            self.bay.failed[pin.reference] = error.rv
            raise

        self.bay.failed.pop(pin.reference, None)

    @contextmanager
    def private_card(self, login: Login, *, keeps_pin: bool) -> Iterator[CardDriver]:
        """Hold the card for a private operation.

        Args:
            login: Whose login is needed; it ends where the card has forgotten it.
            keeps_pin: Log in by the PIN that is kept, and out again, in the same transaction.

        Raises:
            NotLoggedInError: There is no login; the card may have been reset.
        """
        with self.bay.card() as driver:
            if login.user is None:
                raise NotLoggedInError(login)

            try:
                with self._logged_in(driver, login, keeps_pin=keeps_pin):
                    yield driver
            except CommandFailedError as error:
                if error.rv is not Ckr.CKR_USER_NOT_LOGGED_IN:
                    raise

                self.end(login, LoginEnd.CARD_FORGOT)
                raise NotLoggedInError(login, error.message) from error

    @contextmanager
    def _logged_in(self, driver: CardDriver, login: Login, *, keeps_pin: bool) -> Iterator[None]:
        if not keeps_pin:
            yield
            return

        self.log_in_again(driver, self.view().token, login)

        try:
            yield
        finally:
            self.bay.log_out(driver)

    def log_in_again(self, driver: CardDriver, token: Token, login: Login) -> None:
        """Verify the PIN that is kept.

        Raises:
            CryptokiError: CKR_USER_NOT_LOGGED_IN: the card refuses it, or has none; the login is over.
            CardLostError: The card could not be spoken to.
        """
        assert login.secret is not None

        try:
            self._verify_kept(driver, token, login.secret)
        except CardLostError:
            raise
        except MiddlewareError as error:
            self.end(login, LoginEnd.KEPT_PIN_REFUSED)
            raise NotLoggedInError(login, error.message) from error

    def _verify_kept(self, driver: CardDriver, token: Token, secret: Secret) -> None:
        pin = self._user_pin(token)

        if pin is None:
            raise MiddlewareError(Ckr.CKR_USER_PIN_NOT_INITIALIZED, "the token has no such PIN any more")

        with self.noting(pin):
            Credentials(driver, token).verify(pin, secret)


def _verified(credentials: Credentials, pin: PinInfo, secret: Secret | None) -> None:
    try:
        credentials.verify(pin, secret)
    except CredentialError:
        raise
    except MiddlewareError as error:
        if error.rv is Ckr.CKR_PIN_LEN_RANGE:
            raise CryptokiError(Ckr.CKR_PIN_INCORRECT, error.message) from error

        raise


class SlotTable:
    """The slots of one application. A slot that has been there stays, and its number is never another's."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._bays: dict[str, Bay] = {}
        self._slots: dict[int, Slot] = {}
        self._lock = threading.Lock()  # C_WaitForSlotEvent looks for readers beside other calls
        self.keeping: Callable[[Bay, CardDriver, Token], AbstractContextManager[bool]] = _keeping_none
        self.on_loss: Callable[[Slot], None] = _ignore
        self.on_reset: Callable[[Slot], None] = _ignore
        self.on_login_end: Callable[[LoginEnded], None] = _ignore

    def all(self) -> tuple[Slot, ...]:
        """Return the slots of the readers that are there now, after a look at each."""
        readers = self._readers()

        for reader in readers:
            self._find_signature_slot(self._bays[reader])

        order = {reader: place for place, reader in enumerate(readers)}
        there = [slot for slot in self._slots.values() if slot.bay.reader in order]
        return tuple(sorted(there, key=lambda slot: (order[slot.bay.reader], slot.slot_id)))

    def known(self) -> tuple[Slot, ...]:
        """Return all slots that have been there, those of new readers included. Looks at no card."""
        self._readers()

        with self._lock:
            return tuple(self._slots.values())

    def _readers(self) -> tuple[str, ...]:
        readers = self._around.cards.readers()

        with self._lock:
            for reader in readers:
                if reader not in self._bays:
                    self._add(reader)

        return readers

    def get(self, slot_id: int) -> Slot:
        """Return a slot.

        Raises:
            CryptokiError: CKR_SLOT_ID_INVALID: there is none.
        """
        if slot_id not in self._slots:
            self.all()

        slot = self._slots.get(slot_id)

        if slot is None:
            raise CryptokiError(Ckr.CKR_SLOT_ID_INVALID, f"there is no slot {slot_id}")

        return slot

    def of_bay(self, bay: Bay) -> tuple[Slot, ...]:
        """Return the slots of a reader."""
        return tuple(slot for slot in self._slots.values() if slot.bay is bay)

    def is_present(self, slot: Slot) -> bool:
        """Whether a slot has a token: the reader a card, and for a signature slot one with such a PIN."""
        if not slot.bay.present():
            return False

        if slot.kind is SlotKind.MAIN:
            return True

        try:
            slot.view()
        except (MiddlewareError, CryptokiError):
            return False

        return True

    def close(self) -> None:
        """Let go of all cards."""
        for bay in self._bays.values():
            bay.close()

    def _add(self, reader: str) -> None:
        bay = self._bays[reader] = Bay(reader, self._around)
        number = 2 * len(self._bays) - 1
        self._slots[number] = Slot(number, SlotKind.MAIN, bay, self._tell_end)
        bay.log_in = lambda driver, token: self.keeping(bay, driver, token)
        bay.on_loss = lambda: self._tell(bay, self.on_loss)
        bay.on_reset = lambda: self._tell(bay, self.on_reset)

    def _tell(self, bay: Bay, whom: Callable[[Slot], None]) -> None:
        for slot in self.of_bay(bay):
            whom(slot)

    def _tell_end(self, event: LoginEnded) -> None:
        self.on_login_end(event)

    def _find_signature_slot(self, bay: Bay) -> None:
        main = next(slot for slot in self.of_bay(bay) if slot.kind is SlotKind.MAIN)
        number = main.slot_id + 1

        if number in self._slots or not bay.present():
            return

        try:
            pins = bay.view().token.pins
        except (MiddlewareError, CryptokiError):
            return  # a card that nobody knows has the main slot alone

        if any(pin.kind is PinKind.SIGNATURE for pin in pins):
            with self._lock:
                self._slots[number] = Slot(number, SlotKind.SIGNATURE, bay, self._tell_end)


@contextmanager
def _keeping_none(_bay: Bay, _driver: CardDriver, _token: Token) -> Iterator[bool]:
    """Log nobody in: no PIN is kept."""
    yield False


def _ignore(_what: Slot | LoginEnded) -> None:
    """Do nothing: nobody has asked to be told."""
