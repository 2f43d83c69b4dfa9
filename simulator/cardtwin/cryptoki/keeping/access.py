"""A token as it is changed in a session: who guards new objects, what is taken already, what came of it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from cardtwin.cryptoki.constants import Cka
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.keeping.entries import Entries
from cardtwin.cryptoki.slots import SlotKind
from cardtwin.middleware import Ckr, CommandFailedError, Condition, ObjectClass
from cardtwin.middleware.storage import TokenStore, require
from cardtwin.middleware.tokenreader import application_of
from cardtwin.plan import KeyAlgorithm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin import pkcs15
    from cardtwin.cryptoki.application import Application
    from cardtwin.cryptoki.objects.model import CryptokiObject
    from cardtwin.cryptoki.sessions import Session
    from cardtwin.middleware import PinInfo, TokenObject
    from cardtwin.middleware.drivers import CardDriver
    from cardtwin.middleware.rights import Right, Rights

__all__ = ["TokenAccess"]


class TokenAccess:
    """The token of a session, for whoever is logged in.

    Attributes:
        application: The program.
        session: The session.
        view: What the token showed at first.
    """

    def __init__(self, application: Application, session: Session) -> None:
        self.application = application
        self.session = session
        self.view = session.slot.view(latest=True)

    @property
    def pin(self) -> PinInfo:
        """The PIN of the session's slot.

        Raises:
            CryptokiError: CKR_USER_PIN_NOT_INITIALIZED: the token has none.
        """
        found = self.session.slot.user_pin(self.view)

        if found is None:
            raise CryptokiError(Ckr.CKR_USER_PIN_NOT_INITIALIZED, "the token has no PIN for the user")

        return found

    @property
    def use(self) -> Condition:
        """Who may use the slot's keys."""
        return Condition(reference=self.pin.reference)

    @property
    def entries(self) -> Entries:
        """What makes the entries of the session's slot."""
        return Entries(self.pin.entry.id)

    @contextmanager
    def card(self) -> Iterator[CardDriver]:
        """Hold the card for the block, to change it; what was read of it counts no more afterwards.

        Where the card refuses for want of a login what its conditions allow to whoever is logged in, it has
        forgotten the login, which ends.
        """
        bay = self.session.slot.bay

        try:
            with self.application.card_as(self.session) as driver:
                try:
                    yield driver
                finally:
                    bay.outdate()
        except CommandFailedError as error:
            if error.rv is Ckr.CKR_USER_NOT_LOGGED_IN and self.session.login.user is not None:
                self.application.forget_login(self.session)

            raise

    @contextmanager
    def store(self) -> Iterator[TokenStore]:
        """Hold the card for the block, to change its objects.

        Raises:
            MiddlewareError: As :class:`TokenStore` says; the token is as it was then.
        """
        slot, user = self.session.slot, self.session.login.user
        reference = None if user is None else slot.pin_of(user, self.view).reference
        guard = Condition(reference=reference)

        with self.card() as driver:
            yield TokenStore(driver, application_of(driver), self._verified(), guard)

    def require(self, rights: Rights | None, right: Right, what: str) -> None:
        """See that whoever is logged in may do something, as far as the card tells.

        Raises:
            MiddlewareError: CKR_USER_NOT_LOGGED_IN, CKR_TOKEN_WRITE_PROTECTED.
        """
        if rights is not None:
            require(rights.get(right), self._verified(), what)

    def _verified(self) -> frozenset[int]:
        return self.application.verified_on(self.session.slot.bay)

    # What is taken already

    def require_size(self, algorithm: pkcs15.KeyAlgorithm, bits: int, rv: Ckr) -> None:
        """See that the card takes keys of an algorithm and size.

        Raises:
            CryptokiError: CKR_CURVE_NOT_SUPPORTED: no curves at all; else as `rv`.
        """
        sizes = self.view.key_sizes.get(KeyAlgorithm(algorithm.value), ())

        if not sizes:
            raise CryptokiError(Ckr.CKR_CURVE_NOT_SUPPORTED, f"{self.view.title} has no {algorithm} keys")

        if bits not in sizes:
            raise CryptokiError(rv, f"{self.view.title} takes no {algorithm} keys of {bits} bits")

    def require_new(self, object_class: ObjectClass, identifier: bytes) -> None:
        """See that a key can have an identifier (rule ``cryptoki.one-key-per-id``).

        Raises:
            CryptokiError: CKR_TEMPLATE_INCONSISTENT: one of its class has it.
        """
        for each in self.view.token.objects:
            if each.object_class is object_class and getattr(each.entry, "id", None) == identifier:
                raise CryptokiError(
                    Ckr.CKR_TEMPLATE_INCONSISTENT, f"{each.label!r} on the token has this CKA_ID already"
                )

    def require_not_others(self, identifier: bytes) -> None:
        """See that nothing in the reader's other slot has an identifier.

        Raises:
            CryptokiError: CKR_TEMPLATE_INCONSISTENT.
        """
        mine = self.session.slot.objects(self.view)

        if any(
            each.attributes.get(Cka.CKA_ID) == identifier for each in self.view.objects if each not in mine
        ):
            raise CryptokiError(
                Ckr.CKR_TEMPLATE_INCONSISTENT, "an object in the reader's other slot has this CKA_ID"
            )

    def require_shown(self, identifier: bytes) -> None:
        """See that what has an identifier is in this slot; a key's identifier decides.

        Raises:
            CryptokiError: CKR_TEMPLATE_INCONSISTENT.
        """
        if not self.session.slot.shows(self.view, identifier):
            raise CryptokiError(
                Ckr.CKR_TEMPLATE_INCONSISTENT, "what has this CKA_ID belongs to the reader's other slot"
            )

    def require_main_slot(self) -> None:
        """See that the slot is that of the main PIN, which has what no key tells the slot of.

        Raises:
            CryptokiError: CKR_TEMPLATE_INCONSISTENT.
        """
        if self.session.slot.kind is SlotKind.SIGNATURE:
            raise CryptokiError(
                Ckr.CKR_TEMPLATE_INCONSISTENT, "the slot of the signature PIN shows keys and their kin alone"
            )

    def is_shared(self, found: TokenObject) -> bool:
        """Whether another object is in the same file; a private key is in that of its public half."""
        return sum(each.file == found.file for each in self.view.token.objects) > 1

    # What came of it

    def seen(self, entry: pkcs15.AnyObject | None) -> CryptokiObject:
        """Return the object of an entry, as the token shows it now."""
        slot = self.session.slot
        things = slot.objects(slot.view(latest=True))
        found = next((each for each in things if each.stored and each.stored.entry == entry), None)

        if found is None:
            raise CryptokiError(Ckr.CKR_DEVICE_ERROR, "the token does not show what was written to it")

        return found

    def handle_of(self, entry: pkcs15.AnyObject | None) -> int:
        """Return the handle of a new object."""
        self.application.refresh(self.session.slot)
        return self.application.handles.add(self.session.slot.slot_id, self.seen(entry))
