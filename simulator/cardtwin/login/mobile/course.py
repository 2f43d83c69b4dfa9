"""The course of a login with Personal Mobile, on the same device or on another (DA-06, DA-09): a table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final

from cardtwin.login.errors import FlowError, LoginRefusedError
from cardtwin.login.mobile.images import qr_image

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cardtwin.login.configuration import SameDevice
    from cardtwin.login.mobile.phone import Phone
    from cardtwin.login.service import DigitalAccess, LoggedIn

__all__ = ["TRANSITIONS", "Course", "Event", "Page", "State", "Transition"]


class State(Enum):
    """Where a login is."""

    IMAGE = "the image is displayed"
    REDIRECTING = "the redirect text is displayed"
    IN_APP = "Personal Mobile asks the user"
    LOGGED_IN = "logged in"
    REFUSED = "refused"
    EXPIRED = "too late"
    CANCELLED = "cancelled"


class Event(Enum):
    """What happens in a login."""

    WAITED = "the seconds to wait are over"
    OPENED = "Personal Mobile opens by the redirection"
    SCANNED = "Personal Mobile scans the image"
    ACCEPTED = "the response is validated"
    REJECTED = "the response is refused"
    CANCELLED = "the user cancels"
    TOO_LATE = "the challenge expires"


@dataclass(frozen=True, slots=True)
class Transition:
    """One line of the table.

    Attributes:
        state: Where the login is.
        event: What happens.
        to: Where the login is then.
        same_device: Whether this is so on the same device, or on another; None for both.
    """

    state: State
    event: Event
    to: State
    same_device: bool | None = None


_RUNNING: Final = (State.IMAGE, State.REDIRECTING, State.IN_APP)

TRANSITIONS: Final[tuple[Transition, ...]] = (
    Transition(State.IMAGE, Event.WAITED, State.REDIRECTING, same_device=True),
    Transition(State.REDIRECTING, Event.OPENED, State.IN_APP, same_device=True),
    Transition(State.IMAGE, Event.SCANNED, State.IN_APP),
    Transition(State.IN_APP, Event.ACCEPTED, State.LOGGED_IN),
    Transition(State.IN_APP, Event.REJECTED, State.REFUSED),
    *(Transition(state, Event.CANCELLED, State.CANCELLED) for state in _RUNNING),
    *(Transition(state, Event.TOO_LATE, State.EXPIRED) for state in _RUNNING),
)
"""What may happen. That an image of the other kind is scanned is possible; the response is refused then."""


@dataclass(frozen=True, slots=True)
class Page:
    """What the device shows.

    Attributes:
        state: Where the login is.
        image: The image as PNG; empty where there is none.
        text: The redirect text; empty where there is none.
    """

    state: State
    image: bytes = b""
    text: str = ""


class Course:
    """One login with Personal Mobile, from the page of a device to its end.

    Attributes:
        login: What came of it; None before the end, and where it is none.
    """

    def __init__(
        self, access: DigitalAccess, method: str, user: str, device: str, now: Callable[[], datetime]
    ) -> None:
        """Begin a login.

        Args:
            access: Digital Access.
            method: The display name of a method with Personal Mobile.
            user: The id that the user has entered; empty lets the response tell who it is.
            device: The device that shows the login.
            now: The time.

        Raises:
            UnknownMethodError: No such method is published.
        """
        self._access = access
        self._device = device
        self._now = now
        self._challenge = access.begin(method, user, device)
        self._same_device: SameDevice | None = access.method(method).same_device
        self._state = State.IMAGE
        wait = None if self._same_device is None else timedelta(seconds=self._same_device.wait)
        self._redirects_at = None if wait is None else now() + wait
        self._phone: Phone | None = None
        self.login: LoggedIn | None = None

    def page(self) -> Page:
        """Return what the device shows now."""
        self._let_time_pass()

        if self._state is State.IMAGE:
            return Page(self._state, qr_image(f"cardtwin-personal:login?challenge={self._challenge.id}"))

        if self._state is State.REDIRECTING and self._same_device is not None:
            return Page(self._state, text=self._same_device.redirect_text)

        return Page(self._state)

    def follow(self, phone: Phone) -> None:
        """Follow the redirection, on the device that shows it.

        Raises:
            FlowError: There is none now, or the phone is another device.
        """
        if phone.name != self._device:
            raise FlowError(f"the redirection is on {self._device!r}, and opens nothing on {phone.name!r}")

        self._happens(Event.OPENED)
        self._phone = phone

    def scan(self, phone: Phone) -> None:
        """Scan the image.

        Raises:
            FlowError: There is none now, or the phone itself shows it.
        """
        if phone.name == self._device:
            raise FlowError(f"{phone.name!r} cannot scan what it shows itself")

        self._happens(Event.SCANNED)
        self._phone = phone

    def confirm(self, phone: Phone) -> LoggedIn:
        """Have the user agree in Personal Mobile: the phone answers the challenge.

        Raises:
            FlowError: Personal Mobile doesn't ask now, or on another phone.
            ActivationError: No profile is activated on the phone.
            LoginRefusedError: The response does not log anybody in.
        """
        self._let_time_pass()

        if self._phone is not phone or self._state is not State.IN_APP:
            raise FlowError(f"Personal Mobile does not ask on {phone.name!r}: {self._state.value}")

        response = phone.answer(self._challenge)

        try:
            self.login = self._access.finish(response)
        except LoginRefusedError:
            self._happens(Event.REJECTED)
            raise

        self._happens(Event.ACCEPTED)
        return self.login

    def cancel(self) -> None:
        """Cancel it.

        Raises:
            FlowError: It is at its end.
        """
        self._happens(Event.CANCELLED)

    def _let_time_pass(self) -> None:
        now = self._now()

        if self._state in _RUNNING and now >= self._challenge.expires:
            self._go(Event.TOO_LATE)
        elif self._redirects_at is not None and self._state is State.IMAGE and now >= self._redirects_at:
            self._go(Event.WAITED)

    def _happens(self, event: Event) -> None:
        self._let_time_pass()
        self._go(event)

    def _go(self, event: Event) -> None:
        for line in TRANSITIONS:
            fits = line.same_device in {None, self._same_device is not None}

            if (line.state, line.event) == (self._state, event) and fits:
                self._state = line.to
                return

        raise FlowError(f"not possible: {event.value}, while {self._state.value}")
