"""Drafts, what keeps them from being published, and how certificates find user accounts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID, ObjectIdentifier

from cardtwin.login import (
    LONGEST_WAIT,
    Administration,
    AdministrationError,
    AuthenticationMethod,
    CertificateAuthority,
    Configuration,
    ExtendedProperties,
    ExternalAddress,
    MethodKind,
    PublicationError,
    Refusal,
    SameDevice,
    UnknownMethodError,
    UserAccount,
    attribute_values,
    certificate_attribute,
    certificate_attributes,
    problems,
    rules,
)
from cardtwin.targets.access import HolderTemplate
from support.access import CURVE_KEY, DESKTOP, MAIL, MAPPING, METHOD, USER, World

if TYPE_CHECKING:
    from collections.abc import Iterator

MOBILE = replace(DESKTOP, kind=MethodKind.PERSONAL_MOBILE)
SAME = SameDevice(5)


def broken(world: World, **changes: object) -> list[str]:
    """Return the rules that the world's method breaks with changes."""
    world.admin.change_method(METHOD, replace(DESKTOP, **changes))  # type: ignore[arg-type]
    return [found.rule for found in world.admin.problems()]


def test_a_draft_changes_nothing_until_it_is_published(world: World) -> None:
    marked = [world.admin.changed]
    world.admin.put_user(UserAccount(USER, {"mail": MAIL}, personal=False))
    marked.append(world.admin.changed)
    assert world.log_in().user == USER
    world.admin.publish()
    marked.append(world.admin.changed)
    assert marked == [False, True, False]
    assert world.refusal() is Refusal.PERSONAL_NOT_ENABLED


def test_a_draft_with_a_problem_is_not_published_in_part(world: World) -> None:
    before = world.admin.published
    world.admin.put_user(UserAccount("bert", personal=True))
    world.admin.add_method(replace(DESKTOP, display_name=""))

    with pytest.raises(PublicationError, match="display-name") as caught:
        world.admin.publish()

    assert world.admin.published is before
    assert [found.rule for found in caught.value.problems] == ["display-name"]
    assert all(found.remedy for found in caught.value.problems)


def test_an_empty_draft_has_no_problems() -> None:
    assert problems(Configuration()) == ()


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"properties": ExtendedProperties("mail", "")}, "attributes-mandatory"),
        ({"properties": ExtendedProperties("", MAPPING.certificate_attribute)}, "attributes-mandatory"),
        ({"properties": ExtendedProperties("mail", ""), "authority": None}, "attributes-together"),
        ({"properties": ExtendedProperties("mail", "subjectaltname-email")}, "certificate-attribute"),
        ({"authority": "Nobody"}, "certificate-authority"),
        ({"server": ""}, "authentication-server"),
        ({"server": "other"}, "authentication-server"),
        ({"same_device": SAME}, "same-device"),
        ({"kind": MethodKind.PERSONAL_MOBILE, "same_device": SameDevice(-1)}, "same-device-wait"),
        (
            {"kind": MethodKind.PERSONAL_MOBILE, "same_device": SameDevice(LONGEST_WAIT + 1)},
            "same-device-wait",
        ),
        ({"kind": MethodKind.PERSONAL_MOBILE, "same_device": SameDevice(5, " ")}, "redirect-text"),
        ({"display_name": " "}, "display-name"),
    ],
)
def test_a_method_that_breaks_one_rule_is_told_that_one(
    world: World, changes: dict[str, object], rule: str
) -> None:
    assert broken(world, **changes) == [rule]


@pytest.mark.parametrize(
    ("kind", "authority", "same_device", "mandatory"),
    [
        (MethodKind.PERSONAL_DESKTOP, "Company", None, True),
        (MethodKind.PERSONAL_MOBILE, "Company", SAME, True),
        (MethodKind.PERSONAL_MOBILE, "Company", None, False),
        (MethodKind.PERSONAL_DESKTOP, None, None, False),
        (MethodKind.PERSONAL_MOBILE, None, SAME, False),
    ],
)
def test_attributes_are_mandatory_where_the_source_says_so(
    world: World, kind: MethodKind, authority: str | None, same_device: SameDevice | None, mandatory: bool
) -> None:
    changes = {"kind": kind, "authority": authority, "same_device": same_device}
    found = broken(world, properties=ExtendedProperties(), **changes)
    assert found == ["attributes-mandatory"] * (2 if mandatory else 0)


def test_two_methods_of_one_name_are_refused(world: World) -> None:
    world.admin.add_method(DESKTOP)
    assert [found.rule for found in world.admin.problems()] == ["display-name"]


def test_the_address_and_the_authority_are_checked(world: World) -> None:
    world.admin.set_external_address(ExternalAddress(" ", 0))
    world.admin.put_authority(CertificateAuthority("Company", ()))
    assert [found.rule for found in world.admin.problems()] == [
        "external-address",
        "external-address",
        "authority-certificates",
    ]


def test_every_rule_has_a_test() -> None:
    told = {
        "display-name",
        "external-address",
        "authentication-server",
        "certificate-authority",
        "attributes-mandatory",
        "attributes-together",
        "certificate-attribute",
        "same-device",
        "same-device-wait",
        "redirect-text",
        "authority-certificates",
    }
    assert set(rules()) == told


def test_what_is_not_there_cannot_be_changed() -> None:
    admin = Administration()

    with pytest.raises(AdministrationError, match="'Card'"):
        admin.change_method(METHOD, DESKTOP)

    with pytest.raises(AdministrationError, match="'Card'"):
        admin.remove_method(METHOD)

    with pytest.raises(AdministrationError, match="'anna'"):
        admin.remove_user(USER)


def test_a_user_account_that_was_taken_out_logs_in_no_more(world: World) -> None:
    world.admin.remove_user(USER)
    world.admin.publish()
    assert world.refusal() is Refusal.NO_SUCH_USER


def test_a_method_keeps_its_place_when_it_changes(world: World) -> None:
    world.admin.add_method(replace(MOBILE, display_name="Phone"))
    world.admin.change_method(METHOD, replace(DESKTOP, display_name="Card 2"))
    assert [method.display_name for method in world.admin.draft.methods] == ["Card 2", "Phone"]


# Mapping


def certificate(*names: x509.GeneralName, subject: x509.Name | None = None) -> x509.Certificate:
    world = World()
    name = subject or x509.Name([])
    builder = x509.CertificateBuilder(name, name, CURVE_KEY.public_key(), 77, world.now, world.now)

    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)

    return builder.sign(CURVE_KEY, SHA256())


UPN = ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
SUBJECT = x509.Name(
    [
        x509.NameAttribute(NameOID.COMMON_NAME, "Anna"),
        x509.NameAttribute(NameOID.SERIAL_NUMBER, "7520"),
        x509.NameAttribute(NameOID.EMAIL_ADDRESS, MAIL),
        x509.NameAttribute(NameOID.USER_ID, "a1"),
        x509.NameAttribute(NameOID.GIVEN_NAME, "An"),
        x509.NameAttribute(NameOID.SURNAME, "Na"),
    ]
)
NAMES = (
    x509.RFC822Name(MAIL),
    x509.RFC822Name("a@example.net"),
    x509.DNSName("pc.example.com"),
    x509.UniformResourceIdentifier("urn:a"),
    x509.OtherName(UPN, b"\x0c\x03a@b"),
    x509.OtherName(UPN, b"\x16\x03a@b"),  # an IA5String
    x509.OtherName(UPN, b"\x0c\x81\x80" + b"l" * 128),
    x509.OtherName(ObjectIdentifier("1.2.3"), b"\x0c\x01a"),
)


@pytest.mark.parametrize(
    ("name", "values"),
    {
        "subjectaltname-emailaddress": (MAIL, "a@example.net"),
        "SubjectAltName-EmailAddress": (MAIL, "a@example.net"),
        "subjectaltname-dnsname": ("pc.example.com",),
        "subjectaltname-uri": ("urn:a",),
        "subjectaltname-userprincipalname": ("a@b", "l" * 128),
        "subject-commonname": ("Anna",),
        "subject-serialnumber": ("7520",),
        "subject-emailaddress": (MAIL,),
        "subject-userid": ("a1",),
        "subject-givenname": ("An",),
        "subject-surname": ("Na",),
        "subject-distinguishedname": (
            "2.5.4.4=Na,2.5.4.42=An,UID=a1,1.2.840.113549.1.9.1=anna@example.com,2.5.4.5=7520,CN=Anna",
        ),
        "serialnumber": ("77",),
    }.items(),
)
def test_a_certificate_attribute_has_its_values(name: str, values: tuple[str, ...]) -> None:
    assert attribute_values(certificate(*NAMES, subject=SUBJECT), name) == values


@pytest.mark.parametrize("name", sorted(set(certificate_attributes()) - {"serialnumber"}))
def test_a_certificate_without_an_attribute_has_no_values(name: str) -> None:
    assert attribute_values(certificate(), name) == ()


def test_another_attribute_is_added_by_registration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cardtwin.login.attributes._readers", dict(certificate_attributes()))

    @certificate_attribute("test-Version")
    def version(found: x509.Certificate) -> Iterator[str]:
        yield found.version.name

    assert attribute_values(certificate(), "TEST-version") == ("v3",)

    with pytest.raises(ValueError, match="already"):
        certificate_attribute("test-version")(version)


@pytest.mark.parametrize(
    ("emails", "refusal"),
    [
        (("nobody@example.com",), Refusal.NO_SUCH_USER),
        ((), Refusal.NO_CERTIFICATE_ATTRIBUTE),
        (("bert@example.com",), Refusal.OTHER_USER),
        ((MAIL, "bert@example.com"), Refusal.AMBIGUOUS_USER),
    ],
)
def test_a_certificate_that_is_not_one_users_own_is_refused(
    world: World, emails: tuple[str, ...], refusal: Refusal
) -> None:
    world.admin.put_user(UserAccount("bert", {"mail": "bert@example.com"}, personal=True))
    world.admin.publish()
    assert world.refusal(world.certificate(HolderTemplate("Anna", emails))) is refusal


def test_the_certificate_tells_who_it_is_where_nobody_says_so(world: World) -> None:
    assert world.log_in(user="").user == USER


def test_an_account_without_the_attribute_fits_no_certificate(world: World) -> None:
    world.admin.put_user(UserAccount(USER, {}, personal=True))
    world.admin.publish()
    assert world.refusal() is Refusal.NO_SUCH_USER


@pytest.mark.parametrize(("choice", "fits"), [("ignore-case", True), ("exact", False)])
def test_values_are_compared_as_the_switch_says(choice: str, fits: bool) -> None:
    world = World({"login.attribute-matching": choice})
    own = world.certificate(HolderTemplate("Anna", (MAIL.upper(),)))

    if fits:
        assert world.log_in(own).user == USER
    else:
        assert world.refusal(own) is Refusal.NO_SUCH_USER


# TLS


def test_a_certificate_proved_in_tls_finds_the_same_user(world: World) -> None:
    login = world.access.identify(METHOD, world.certificate())
    assert login == replace(world.log_in(), chain=login.chain)


def test_a_method_without_a_mapping_identifies_nobody(world: World) -> None:
    world.admin.change_method(
        METHOD, AuthenticationMethod(METHOD, MethodKind.PERSONAL_DESKTOP, server="main")
    )
    world.admin.publish()

    with pytest.raises(UnknownMethodError, match="maps no certificates"):
        world.access.identify(METHOD, world.certificate())
