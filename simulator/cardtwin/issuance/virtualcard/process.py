"""The process VirtualSmartCardSelfServiceProcGet ("Get virtual smart card") as a table of states."""

from __future__ import annotations

from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography import x509
from cryptography.x509.oid import NameOID

from cardtwin.issuance.virtualcard.errors import (
    OrderError,
    OrderFailedError,
    StepRefusedError,
    UserRefusedError,
)
from cardtwin.issuance.virtualcard.options import Options
from cardtwin.issuance.virtualcard.request import certificate_request
from cardtwin.issuance.virtualcard.world import CardRecord, CertificateKind, CertificateRecord
from cardtwin.minidriver import ADMIN_KEY_SIZE, KeySpec, MinidriverCard, MinidriverError
from cardtwin.pcsc import PcscError
from cardtwin.plan import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from cardtwin.entropy import Entropy
    from cardtwin.issuance.virtualcard.world import CardRegister, Computer, Issuer, User

__all__ = ["TRANSITIONS", "Event", "State", "Transition", "VirtualSmartCardSelfServiceProcGet"]

_ACTIVE: Final = "active"
_CARD_ID: Final = 16
_SPECS: Final = {CertificateKind.SIGNATURE: KeySpec.SIGNATURE}


class State(StrEnum):
    """Where the process is, seen by the user."""

    CONFIRMATION = "confirmation"
    DESKTOP_APP = "desktop app"
    PIN = "pin"
    DETAILS = "details"
    ACTIVE = "active"
    CANCELLED = "cancelled"


class Event(StrEnum):
    """What the user does."""

    NEXT = "next"
    OPEN = "open Smart ID Desktop App"
    ENTER_PIN = "enter PIN"
    CANCEL = "cancel"


class Transition(NamedTuple):
    """What an event does, by the name of an action, and where it leads.

    Attributes:
        target: The state then.
        action: What is done before; empty where there is nothing to do.
    """

    target: State
    action: str = ""


TRANSITIONS: Final[Mapping[tuple[State, Event], Transition]] = {
    (State.CONFIRMATION, Event.NEXT): Transition(State.DESKTOP_APP),
    (State.DESKTOP_APP, Event.OPEN): Transition(State.PIN),
    (State.PIN, Event.ENTER_PIN): Transition(State.DETAILS, "create"),
    (State.DETAILS, Event.NEXT): Transition(State.ACTIVE, "enter"),
    (State.CONFIRMATION, Event.CANCEL): Transition(State.CANCELLED, "take back"),
    (State.DESKTOP_APP, Event.CANCEL): Transition(State.CANCELLED, "take back"),
    (State.PIN, Event.CANCEL): Transition(State.CANCELLED, "take back"),
    (State.DETAILS, Event.CANCEL): Transition(State.CANCELLED, "take back"),
}
"""Every way from state to state; what isn't here is refused. ACTIVE and CANCELLED are the ends."""


class VirtualSmartCardSelfServiceProcGet:
    """One run of the process, for one user.

    Args:
        user: The user, who has to be active.
        options: The options.
        computer: The user's computer.
        issuer: The certificate authority.
        cards: The register that the card is entered in.
        entropy: Where the admin key and the card's identifier come from.
        now: Gives the time.

    Raises:
        UserRefusedError: The user isn't active.
    """

    def __init__(
        self,
        user: User,
        options: Options | None = None,
        *,
        computer: Computer,
        issuer: Issuer,
        cards: CardRegister,
        entropy: Entropy,
        now: Callable[[], datetime],
    ) -> None:
        if user.state != _ACTIVE:
            raise UserRefusedError(
                f"user {user.name!r} is {user.state!r}: only an active user gets a virtual smart card"
            )

        self._user = user
        self._options = options or Options()
        self._computer = computer
        self._issuer = issuer
        self._cards = cards
        self._entropy = entropy
        self._now = now
        self._state = State.CONFIRMATION
        self._record: CardRecord | None = None
        self._undo: list[Callable[[], object]] = []
        self._pin = Secret(b"")
        self._actions: dict[str, Callable[[], None]] = {
            "": lambda: None,
            "create": self._create,
            "enter": self._enter,
            "take back": self._take_back,
        }

    @property
    def state(self) -> State:
        """Where the process is."""
        return self._state

    @property
    def card(self) -> CardRecord | None:
        """The card, from the moment that its details are shown; None before, and where it was taken back."""
        return self._record

    def next(self) -> None:
        """Click Next."""
        self._fire(Event.NEXT)

    def open(self) -> None:
        """Click Open Smart ID Desktop App."""
        self._fire(Event.OPEN)

    def enter_pin(self, pin: Secret) -> None:
        """Enter the PIN that the card gets; it comes into being then, with its keys and certificates.

        Raises:
            PinRefusedError: The PIN isn't as the options want it; the process waits for another one.
            OrderFailedError: The card could not be made; the process is cancelled.
        """
        self._pin = pin

        try:
            self._fire(Event.ENTER_PIN)
        finally:
            self._pin = Secret(b"")

    def cancel(self) -> None:
        """Cancel the process: what there is of the card is taken back."""
        self._fire(Event.CANCEL)

    def _fire(self, event: Event) -> None:
        transition = TRANSITIONS.get((self._state, event))

        if transition is None:
            raise StepRefusedError(f"'{event}' is not to be done while the process is at '{self._state}'")

        self._actions[transition.action]()
        self._state = transition.target

    def _create(self) -> None:
        self._options.pin.check(self._pin.reveal().decode(errors="replace"))

        try:
            self._record = self._made()
        except (MinidriverError, PcscError, OrderError) as error:
            self._take_back()
            self._state = State.CANCELLED
            raise OrderFailedError(f"the virtual smart card could not be made: {error}") from error
        except BaseException:
            # An interrupt, or a defect of whoever was asked for something: nothing stays behind then either.
            self._state = State.CANCELLED

            with suppress(OrderFailedError):
                self._take_back()

            raise

    def _made(self) -> CardRecord:
        options, user = self._options, self._user
        user_id, server, profile = (
            text.of(user) for text in (options.user_id, options.server_name, options.profile_name)
        )

        if not user_id:
            raise OrderFailedError(f"user {user.name!r} has an empty user id")

        valid_from = self._now()
        valid_to = _years_later(valid_from, options.years_of_validity)
        admin_key, card_id = Secret(self._entropy.bytes(ADMIN_KEY_SIZE)), self._entropy.bytes(_CARD_ID)
        self._undo.append(self._computer.destroy)
        card = MinidriverCard(self._computer.create(profile), entropy=self._entropy)
        card.initialise(self._pin, admin_key, card_id=card_id)
        card.verify(self._pin)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, user_id[:64])])
        certificates = tuple(self._certified(card, kind, subject, valid_to) for kind in options.certificates)
        card.forget()
        return CardRecord(
            user.name, card_id, user_id, server, profile, valid_from, valid_to, certificates, admin_key
        )

    def _certified(
        self, card: MinidriverCard, kind: CertificateKind, subject: x509.Name, valid_to: datetime
    ) -> CertificateRecord:
        container = card.generate(spec=_SPECS.get(kind, KeySpec.EXCHANGE))
        request = certificate_request(card, container, subject)
        certificate = self._issuer.issue(request, kind, valid_to)
        self._undo.append(lambda: self._issuer.revoke(certificate))
        card.write_certificate(container.index, certificate)
        return CertificateRecord(kind, certificate)

    def _enter(self) -> None:
        assert self._record is not None
        self._cards.add(self._record)
        self._undo.clear()

    def _take_back(self) -> None:
        """Undo what was done, the last thing first; each is tried, whatever becomes of the others."""
        failed: Exception | None = None

        while self._undo:
            try:
                self._undo.pop()()
            except Exception as error:  # noqa: BLE001  # whatever it is, the others are tried
                failed = error

        self._record = None

        if failed is not None:
            self._state = State.CANCELLED
            raise OrderFailedError(f"not all could be taken back: {failed}") from failed


def _years_later(start: datetime, years: int) -> datetime:
    try:
        return start.replace(year=start.year + years)
    except ValueError:
        # The 29th of February, in a year that hasn't one.
        return start.replace(year=start.year + years, month=2, day=28)
