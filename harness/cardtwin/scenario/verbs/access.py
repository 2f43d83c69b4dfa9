"""``administer``, ``publish`` and ``authenticate``: Digital Access, and a login with the card."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema

from cardtwin.issuance.authority import PublishedCa
from cardtwin.login import (
    CHALLENGE_LIFE,
    AdministrationError,
    AuthenticationMethod,
    CertificateAuthority,
    ExtendedProperties,
    ExternalAddress,
    LoginRefusedError,
    MethodKind,
    NothingToSignWithError,
    PersonalDesktop,
    PublicationError,
    SameDevice,
    UnknownMethodError,
    UserAccount,
)
from cardtwin.scenario.document import MapNode, TextNode
from cardtwin.scenario.effects import PRESENTS, READS
from cardtwin.scenario.errors import UsageError
from cardtwin.scenario.matchers import FlagMatcher, TextListMatcher, TextMatcher
from cardtwin.scenario.pkcs11.steps import SlotStep, UseExpectation
from cardtwin.scenario.step import Expectation, Observed, Step, verb
from cardtwin.scenario.values import SCALAR, Flag, Name, NameList, Number
from cardtwin.targets import Capability

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.login import LoggedIn, Response
    from cardtwin.scenario.pkcs11.sessions import TokenSession
    from cardtwin.scenario.run import Run
    from cardtwin.scenario.values import Value
    from cardtwin.targets.access import AccessSite

__all__ = ["Administer", "Authenticate", "Publish", "logged_in", "refused"]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, populate_by_name=True
    )


class AddressPart(_Part):
    """The external DNS name and port."""

    name: str
    port: Number = 443


class AuthorityPart(_Part):
    """A certificate authority: which of its certificates is trusted, and where it tells what is revoked.

    `ca` is the CA of Certificate Manager that it is; without it, it is one of Digital Access's site.
    """

    ca: str | None = None
    trust: Literal["root", "issuing"] = "issuing"
    crl: Flag = False
    ocsp: Flag = False


class SameDevicePart(_Part):
    """Authentication on the same device: seconds, and a text."""

    wait_for: Number = Field(alias="Wait for")
    redirect_text: str | None = Field(None, alias="Redirect Text")


class PropertiesPart(_Part):
    """The extended properties."""

    user_attribute: str = Field("", alias="User Attribute")
    certificate_attribute: str = Field("", alias="Certificate Attribute")


def _parse_kind(value: object) -> MethodKind:
    return MethodKind(str(value))


Kind = Annotated[
    MethodKind,
    PlainValidator(_parse_kind),
    WithJsonSchema({"type": SCALAR, "enum": [kind.value for kind in MethodKind]}),
]


class MethodPart(_Part):
    """An authentication method. With `authority`, Personal Certificate Authentication is enabled."""

    kind: Kind
    authority: Name | None = None
    same_device: SameDevicePart | None = None
    properties: PropertiesPart = Field(default_factory=lambda: PropertiesPart.model_validate({}))
    server: str = "main"

    def method(self, display_name: str) -> AuthenticationMethod:
        """Return it as Digital Access has it."""
        same, properties = self.same_device, self.properties
        text = {} if same is None or same.redirect_text is None else {"redirect_text": same.redirect_text}
        return AuthenticationMethod(
            display_name,
            self.kind,
            self.authority,
            None if same is None else SameDevice(same.wait_for, **text),
            ExtendedProperties(properties.user_attribute, properties.certificate_attribute),
            self.server,
        )


class UserPart(_Part):
    """A user account: its attributes, and whether Personal is enabled."""

    attributes: dict[str, str] = Field(default_factory=dict)
    personal: Flag = False


class RemovePart(_Part):
    """What is taken out of the draft."""

    methods: list[str] = []
    users: list[str] = []


class DraftChanges(_Part):
    """What is changed in the draft."""

    external: AddressPart | None = None
    servers: list[str] = []
    authorities: dict[Name, AuthorityPart] = Field(default_factory=dict)
    methods: dict[str, MethodPart] = Field(default_factory=dict)
    users: dict[str, UserPart] = Field(default_factory=dict)
    remove: RemovePart = RemovePart()


class AdministerExpectation(Expectation):
    """What the draft is like: whether it differs from what is published, and what keeps it from that."""

    changed: FlagMatcher | None = None
    rules: TextListMatcher | None = None


@verb("administer", needs=(), effects=READS)
class Administer(Step):
    """Change the draft of Digital Access's configuration, in Digital Access Admin.

    What has a name that is there already takes its place. With `ca` an authority is that CA of Certificate
    Manager; otherwise it is made for the site, and `certify` issues certificates of it.
    """

    addressed: ClassVar[frozenset[str]] = frozenset()

    administer: DraftChanges
    expect: AdministerExpectation | None = None

    def run(self, run: Run) -> Observed:
        """Change it."""
        site, changes = run.bench.access, self.administer
        admin = site.administration

        if changes.external is not None:
            admin.set_external_address(ExternalAddress(changes.external.name, changes.external.port))

        for server in changes.servers:
            admin.add_server(server)

        for name, authority in changes.authorities.items():
            if authority.ca is not None:
                site.adopt(name, run.managing.authority(authority.ca))

            admin.put_authority(_authority(site, name, authority))

        for name, method in changes.methods.items():
            _put_method(site, method.method(name))

        for name, user in changes.users.items():
            admin.put_user(UserAccount(name, user.attributes, user.personal))

        try:
            for name in changes.remove.methods:
                admin.remove_method(name)

            for name in changes.remove.users:
                admin.remove_user(name)
        except AdministrationError as error:
            raise UsageError(str(error)) from None

        return Observed({"changed": admin.changed, "rules": tuple(found.rule for found in admin.problems())})


class PublishExpectation(Expectation):
    """What comes of it. `rules` names the rules that the draft breaks, `problems` tells about them."""

    main: ClassVar[str] = "published"
    published: FlagMatcher | None = None
    rules: TextListMatcher | None = None
    problems: TextMatcher | None = None


@verb("publish", needs=(), effects=READS)
class Publish(Step):
    """Publish the draft. Without `expect`, it is published."""

    addressed: ClassVar[frozenset[str]] = frozenset()

    publish: Literal["draft"]
    expect: PublishExpectation | None = None

    def run(self, run: Run) -> Observed:
        """Publish it."""
        try:
            run.bench.access.administration.publish()
        except PublicationError as error:
            broken = tuple(found.rule for found in error.problems)
            values: dict[str, Value] = {"published": False, "rules": broken, "problems": str(error)}
            return Observed(values, success=False, note=str(error))

        return Observed({"published": True, "rules": (), "problems": ""})


class AuthenticateExpectation(UseExpectation):
    """What comes of a login.

    `result` is ``logged-in`` or ``refused``, and then `reason` is the refusal's name. `user` is the account
    that is logged in. `offered` are the labels of the certificates that the user could choose from, `issuers`
    who has issued them.
    """

    main: ClassVar[str] = "result"
    result: TextMatcher | None = None
    reason: TextMatcher | None = None
    user: TextMatcher | None = None
    offered: TextListMatcher | None = None
    issuers: TextListMatcher | None = None


@verb("authenticate", needs={Capability.PKCS11}, effects=PRESENTS)
class Authenticate(SlotStep):
    """Log in at Digital Access with Personal Desktop, by a certificate on the token.

    The program is Personal Desktop and has to be logged in to the token. `certificate` is the label of the
    one that the user chooses, `user` what the user enters. The authorities in `offline` cannot be reached.
    `response` says what becomes of the response on its way: a bit of the signature is ``altered``, it is
    ``repeated`` after a login, and judged then, or it comes ``late``. Without `expect`, the user is logged
    in.
    """

    authenticate: str
    user: str = ""
    certificate: str
    offline: NameList = ()
    response: Literal["intact", "altered", "repeated", "late"] = "intact"
    expect: AuthenticateExpectation | None = None

    @classmethod
    def capabilities(cls, written: MapNode) -> frozenset[Capability]:
        """Return what a login needs: to be late, a clock."""
        how = written.get("response")
        is_late = isinstance(how, TextNode) and how.text == "late"
        return cls.needs | ({Capability.CLOCK} if is_late else set())

    def use(self, session: TokenSession, run: Run) -> Mapping[str, Value]:
        """Begin, sign with the card, and have the response validated."""
        site, desktop = run.bench.access, PersonalDesktop(session)

        try:
            challenge = site.access.begin(self.authenticate, self.user)
        except UnknownMethodError as error:
            return refused("no-such-method", str(error))

        offered = desktop.offer()
        values: dict[str, Value] = {
            "call": "C_Sign",
            "offered": tuple(each.label for each in offered),
            "issuers": tuple(each.issuer for each in offered),
        }
        site.offline = frozenset(self.offline)

        try:
            response = self._sent(run, desktop.answer(challenge, self.certificate))
            return {**values, **logged_in(site.access.finish(response))}
        except LoginRefusedError as error:
            return {**values, **refused(error.refusal.name.lower().replace("_", "-"), str(error))}
        except NothingToSignWithError as error:
            return {**values, **refused("nothing-to-sign-with", str(error))}
        finally:
            site.offline = frozenset()

    def _sent(self, run: Run, response: Response) -> Response:
        """Return a response as it arrives."""
        if self.response == "altered":
            return replace(response, signature=_altered(response.signature))

        if self.response == "repeated":
            run.bench.access.access.finish(response)
        elif self.response == "late":
            run.bench.wait(ceil(CHALLENGE_LIFE.total_seconds()))

        return response

    def run(self, run: Run) -> Observed:
        """Do it; only a login is a success."""
        seen = super().run(run)
        note = seen.values.get("note")
        values = {name: value for name, value in seen.values.items() if name != "note"}
        success = seen.success and values.get("result") == "logged-in"
        return Observed(values, success, seen.note or str(note or ""))


def _altered(signature: bytes) -> bytes:
    return signature[:-1] + bytes([signature[-1] ^ 1])


def logged_in(login: LoggedIn) -> dict[str, Value]:
    """Return what there is to see of a login."""
    return {"result": "logged-in", "user": login.user}


def refused(reason: str, note: str) -> dict[str, Value]:
    """Return what there is to see of a refusal."""
    return {"result": "refused", "reason": reason, "note": note}


def _authority(site: AccessSite, name: str, given: AuthorityPart) -> CertificateAuthority:
    found = PublishedCa(site.authority(name)) if given.ca is None else site.published(name)
    lists = (f"http://{name}/crl", *((f"http://{name}/root.crl",) if given.trust == "root" else ()))
    return CertificateAuthority(
        name,
        (found.root if given.trust == "root" else found.issuing,),
        (found.issuing,) if given.trust == "root" else (),
        lists if given.crl else (),
        f"http://{name}/ocsp" if given.ocsp else "",
    )


def _put_method(site: AccessSite, method: AuthenticationMethod) -> None:
    admin = site.administration

    if admin.draft.method(method.display_name) is None:
        admin.add_method(method)
    else:
        admin.change_method(method.display_name, method)
