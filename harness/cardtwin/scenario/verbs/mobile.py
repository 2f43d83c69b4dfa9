"""``deliver_profile``, ``phone``, ``open_login`` and ``login_page``: Personal Mobile."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import model_validator

from cardtwin.issuance.authority import CertificationError
from cardtwin.login import (
    ActivationError,
    FlowError,
    LoginRefusedError,
    UnknownMethodError,
)
from cardtwin.scenario.effects import READS
from cardtwin.scenario.errors import UsageError
from cardtwin.scenario.matchers import FlagMatcher, TextMatcher
from cardtwin.scenario.step import Expectation, Observed, Step, verb
from cardtwin.scenario.values import Name
from cardtwin.scenario.verbs.access import logged_in, refused
from cardtwin.targets.access import HolderTemplate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.login.mobile import Course, Phone
    from cardtwin.scenario.run import Run
    from cardtwin.scenario.values import Value
    from cardtwin.targets.access import AccessSite

__all__ = ["DeliverProfile", "LoginPage", "OpenLogin", "UsePhone"]

_PNG = b"\x89PNG\r\n\x1a\n"


class DeliverProfileExpectation(Expectation):
    """What comes of it: whether the user got a message, and whether an image (PNG) was in it."""

    main: ClassVar[str] = "delivered"
    delivered: FlagMatcher | None = None
    image: FlagMatcher | None = None
    message: TextMatcher | None = None


@verb("deliver_profile", needs=(), effects=READS)
class DeliverProfile(Step):
    """Create a new profile for a user account and notify the user by e-mail, with the QR code.

    Without `expect`, it is delivered.
    """

    addressed: ClassVar[frozenset[str]] = frozenset()

    deliver_profile: str
    expect: DeliverProfileExpectation | None = None

    def run(self, run: Run) -> Observed:
        """Deliver it. The image is kept in the user's mail, and shown nowhere: it holds a secret."""
        site = run.bench.access

        try:
            profile = site.activations.issue(self.deliver_profile)
        except ActivationError as error:
            return Observed({"delivered": False, "message": str(error)}, success=False, note=str(error))

        site.mail[self.deliver_profile] = profile
        return Observed({"delivered": True, "image": profile.image.startswith(_PNG)})


class PageExpectation(Expectation):
    """What the device shows.

    `state` is where the login is: ``image``, ``redirecting``, ``in-app``, ``logged-in``, ``refused``,
    ``expired`` or ``cancelled``, or ``no-such-method``. `image` tells whether an image is displayed, `text`
    is the redirect text.
    """

    main: ClassVar[str] = "state"
    state: TextMatcher | None = None
    image: FlagMatcher | None = None
    text: TextMatcher | None = None


@verb("open_login", needs=(), effects=READS)
class OpenLogin(Step):
    """Open a login with a method for Personal Mobile, on a device. Without `expect`, there is one."""

    addressed: ClassVar[frozenset[str]] = frozenset()

    open_login: str
    user: str = ""
    device: Name
    expect: PageExpectation | None = None

    def run(self, run: Run) -> Observed:
        """Open it."""
        try:
            return Observed(_page(run.bench.access.open_login(self.open_login, self.user, self.device)))
        except UnknownMethodError as error:
            return Observed({"state": "no-such-method"}, success=False, note=str(error))


@verb("login_page", needs=(), effects=READS)
class LoginPage(Step):
    """Look at the page of the login that was opened last, or cancel it there."""

    addressed: ClassVar[frozenset[str]] = frozenset()

    login_page: Literal["look", "cancel"]
    expect: PageExpectation | None = None

    def run(self, run: Run) -> Observed:
        """Look, or cancel."""
        course = _course(run.bench.access)

        try:
            if self.login_page == "cancel":
                course.cancel()
        except FlowError as error:
            return Observed(_page(course), success=False, note=str(error))

        return Observed(_page(course))


class PhoneExpectation(PageExpectation):
    """What comes of it.

    `result` is ``done``, ``logged-in``, ``refused`` by Digital Access, with the refusal's name as `reason`,
    or ``impossible``, with a `message`.
    """

    main: ClassVar[str] = "result"
    result: TextMatcher | None = None
    reason: TextMatcher | None = None
    message: TextMatcher | None = None
    user: TextMatcher | None = None


@verb("phone", needs=(), effects=READS)
class UsePhone(Step):
    """Use Personal Mobile on a phone.

    ``activate`` scans the QR code that the user of `profile` was sent; with `authority`, that certificate
    authority issues a certificate for the phone's key, with the addresses in `emails`. These three are for
    ``activate``, and `emails` for a certificate. ``scan`` scans the image of the login that was opened last,
    ``follow`` follows its redirection, ``confirm`` has the user agree. Without `expect`, it is possible, and
    nothing is refused.
    """

    addressed: ClassVar[frozenset[str]] = frozenset()

    phone: Name
    does: Literal["activate", "scan", "follow", "confirm"]
    profile: str = ""
    authority: Name | None = None
    emails: tuple[str, ...] = ()
    expect: PhoneExpectation | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        given = [name for name in ("profile", "authority", "emails") if getattr(self, name)]

        if given and self.does != "activate":
            raise ValueError(f"{given[0]!r} is for 'does: activate', and says nothing to '{self.does}'")

        if self.does == "activate" and not self.profile:
            raise ValueError("to activate needs the 'profile': the user that it was delivered to")

        if self.emails and self.authority is None:
            raise ValueError("'emails' stand in a certificate: name the 'authority' that issues it")

        return self

    def run(self, run: Run) -> Observed:
        """Use it."""
        site = run.bench.access
        phone = site.phone(self.phone)

        try:
            values = self._activate(site, phone) if self.does == "activate" else self._log_in(site, phone)
        except LoginRefusedError as error:
            values = refused(error.refusal.name.lower().replace("_", "-"), str(error))
        except (ActivationError, FlowError) as error:
            values = {"result": "impossible", "message": str(error), "note": str(error)}

        if self.does != "activate":
            values = {**_page(_course(site)), **values}

        success = values["result"] in {"done", "logged-in"}
        return Observed(values, success, str(values.pop("note", "")))

    def _activate(self, site: AccessSite, phone: Phone) -> dict[str, Value]:
        delivered = site.mail.get(self.profile)

        if delivered is None:
            raise UsageError(f"no profile was delivered to {self.profile!r}")

        template = HolderTemplate(self.profile, self.emails)
        certify = None if self.authority is None else site.certifier(self.authority, template)

        try:
            phone.activate(delivered.invitation.text, site.activations, certify)
        except CertificationError as error:
            raise UsageError(str(error)) from None

        return {"result": "done", "user": phone.user}

    def _log_in(self, site: AccessSite, phone: Phone) -> dict[str, Value]:
        course = _course(site)

        if self.does == "confirm":
            return logged_in(course.confirm(phone))

        (course.scan if self.does == "scan" else course.follow)(phone)
        return {"result": "done"}


def _course(site: AccessSite) -> Course:
    if site.course is None:
        raise UsageError("no login was opened before this step")

    return site.course


def _page(course: Course) -> Mapping[str, Value]:
    page = course.page()
    state = page.state.name.lower().replace("_", "-")
    return {"state": state, "image": page.image.startswith(_PNG), "text": page.text or None}
