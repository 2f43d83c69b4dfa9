"""Chains, validity, use and revocation of the certificates that log in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from warnings import catch_warnings, simplefilter

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier
from hypothesis import example, given
from hypothesis import strategies as st

from cardtwin.entropy import SeededEntropy
from cardtwin.login import CertificateAuthority, LoginRefusedError, Refusal, UnreachableError
from cardtwin.login.chains import chain_of
from cardtwin.login.revocation import Revocation
from cardtwin.provenance import Switches
from cardtwin.targets.access import HolderTemplate
from support.access import CURVE_KEY, MAIL, METHOD, USER, World
from support.authorities import company
from support.profiles import rsa_key

OCSP, CRL = "http://Company/ocsp", "http://Company/crl"
LISTING = World()


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def own(
    world: World, *extensions: tuple[x509.ExtensionType, bool], issuer: str = "Company issuing CA"
) -> x509.Certificate:
    """Return a certificate that the test signs with a key of its own, as an issuer of that name would."""
    above, holder = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (issuer, "Holder")
    )
    start = world.now - timedelta(days=1)
    key = rsa_key().public_key()
    builder = x509.CertificateBuilder(above, holder, key, 77, start, start + timedelta(days=9))

    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)

    return builder.sign(CURVE_KEY, SHA256())


def issuer(world: World, *, lists: bool = True) -> x509.Certificate:
    """Return the certificate of who signs with the test's key on a curve, lists perhaps too."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "own")])
    start = world.now - timedelta(days=1)
    usage = x509.KeyUsage(False, False, False, False, False, True, lists, False, False)  # noqa: FBT003
    return (
        x509.CertificateBuilder(name, name, CURVE_KEY.public_key(), 1, start, start + timedelta(days=9))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(CURVE_KEY.public_key()), critical=False)
        .sign(CURVE_KEY, SHA256())
    )


def test_a_certificate_of_the_selected_authority_is_accepted(world: World) -> None:
    chain = world.log_in().chain
    assert [certificate.subject.rfc4514_string() for certificate in chain] == [
        "CN=Anna",
        "CN=Company issuing CA",
    ]


def test_a_certificate_of_another_authority_is_not(world: World) -> None:
    assert world.refusal(world.certificate(authority="Other")) is Refusal.UNTRUSTED


def test_a_certificate_in_the_authoritys_name_is_not_enough(world: World) -> None:
    assert world.refusal(der(own(world))) is Refusal.UNTRUSTED


def test_a_chain_to_a_root_is_made_with_what_the_authority_knows_or_the_card_brings(world: World) -> None:
    root = CertificateAuthority("Company", (world.company.root,))
    world.admin.put_authority(root)
    world.admin.publish()
    assert world.refusal() is Refusal.UNTRUSTED
    challenge = world.access.begin(METHOD, USER)
    response = world.respond(challenge, world.certificate())
    assert len(world.access.finish(replace(response, others=(der(world.company.issuing),))).chain) == 3
    world.admin.put_authority(replace(root, intermediates=(world.company.issuing,)))
    world.admin.publish()
    assert len(world.log_in().chain) == 3


@pytest.mark.parametrize(
    ("template", "refusal"),
    [
        (HolderTemplate("Anna", (MAIL,), begins=1), Refusal.OUTSIDE_VALIDITY),
        (HolderTemplate("Anna", (MAIL,), begins=-30, days=10), Refusal.OUTSIDE_VALIDITY),
        (HolderTemplate("Anna", (MAIL,), signs=False), Refusal.UNSUITABLE_KEY),
    ],
    ids=["not yet valid", "not valid any more", "for nonRepudiation"],
)
def test_a_certificate_that_is_not_good_for_it_is_refused(
    world: World, template: HolderTemplate, refusal: Refusal
) -> None:
    assert world.refusal(world.certificate(template)) is refusal


def refused_by(world: World, certificate: x509.Certificate) -> Refusal | None:
    try:
        chain_of(certificate, (), CertificateAuthority("own", (issuer(world),)), world.now)
    except LoginRefusedError as error:
        return error.refusal

    return None


@pytest.mark.parametrize(
    ("extension", "critical", "refusal"),
    [
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False, None),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]), False, None),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False, Refusal.UNSUITABLE_KEY),
        (x509.BasicConstraints(ca=True, path_length=None), True, Refusal.UNTRUSTED),
        (x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00"), False, None),
        (x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True, Refusal.UNTRUSTED),
    ],
    ids=["clientAuth", "any", "serverAuth", "a CA", "unknown", "unknown and critical"],
)
def test_extensions_decide(
    world: World, extension: x509.ExtensionType, critical: bool, refusal: Refusal | None
) -> None:
    assert refused_by(world, own(world, (extension, critical), issuer="own")) is refusal


def test_a_certificate_without_extensions_is_good_enough(world: World) -> None:
    assert refused_by(world, own(world, issuer="own")) is None


# Revocation


@pytest.mark.parametrize(
    ("crls", "address"), [((CRL,), ""), ((), OCSP), ((CRL,), OCSP)], ids=["list", "OCSP", "both"]
)
def test_a_revoked_certificate_is_refused_from_then_on(
    world: World, crls: tuple[str, ...], address: str
) -> None:
    world.trust(crls=crls, ocsp=address)
    world.admin.publish()
    certificate = world.certify()
    assert world.log_in(der(certificate)).user == USER
    world.company.revocation.revoke(certificate)
    assert world.refusal(der(certificate)) is Refusal.REVOKED
    assert world.log_in().user == USER  # another certificate


def test_the_list_tells_what_the_responder_doesnt(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(address: str, request: bytes) -> bytes:
        raise UnreachableError(address)

    monkeypatch.setattr(world.site, "ocsp", unreachable)
    world.trust(crls=(CRL,), ocsp=OCSP)
    world.admin.publish()
    certificate = world.certify()
    assert world.log_in(der(certificate)).user == USER
    world.company.revocation.revoke(certificate)
    assert world.refusal(der(certificate)) is Refusal.REVOKED


@pytest.mark.parametrize(("choice", "in_"), [("refused", False), ("accepted", True)])
def test_what_cannot_be_told_is_refused_or_accepted_as_the_switch_says(choice: str, in_: bool) -> None:
    world = World({"login.revocation-unknown": choice})
    world.trust(crls=(CRL,), ocsp=OCSP)
    world.admin.publish()
    world.site.offline = frozenset({"Company"})

    if in_:
        assert world.log_in().user == USER
    else:
        assert world.refusal() is Refusal.REVOCATION_UNKNOWN


@pytest.mark.parametrize(
    "wrong",
    [
        lambda world: b"no list",
        lambda world: world.site.authority("Other").revocation.crl(),
        lambda world: company(world, "x").revocation.crl(),
        lambda world: company(world, since=timedelta(days=8)).revocation.crl(),
    ],
    ids=["broken", "another issuer's", "signed by somebody else", "too old"],
)
def test_a_list_that_cannot_be_believed_tells_nothing(
    world: World, wrong: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(wrong)
    content = wrong(world)
    monkeypatch.setattr(world.site, "crl", lambda address: content)
    world.trust(crls=(CRL,))
    world.admin.publish()
    assert world.refusal() is Refusal.REVOCATION_UNKNOWN


@given(changes=st.dictionaries(st.integers(0, 200), st.integers(1, 255), min_size=1, max_size=3))
@example(changes={-1: 1})  # the end of the signature
@example(changes={8: 105})  # the version
def test_a_damaged_list_tells_nothing_and_does_no_harm(changes: dict[int, int]) -> None:
    damaged = bytearray(LISTING.company.revocation.crl())

    for place, change in changes.items():
        damaged[place] ^= change

    source = SimpleNamespace(crl=lambda _: bytes(damaged))
    authority = CertificateAuthority("Company", (LISTING.company.issuing,), crls=(CRL,))
    chain = (own(LISTING), LISTING.company.issuing)
    switches = Switches()
    check = Revocation(source, SeededEntropy("x"), lambda: LISTING.now, switches).check

    with catch_warnings():
        simplefilter("ignore")

        with pytest.raises(LoginRefusedError) as caught:
            check(chain, authority)

    assert caught.value.refusal is Refusal.REVOCATION_UNKNOWN


def test_a_list_that_the_right_authority_signed_is_believed_though_it_is_an_equal_one(world: World) -> None:
    same = company(world)
    assert same.issuing == world.company.issuing


def own_list(world: World, name: str) -> bytes:
    """Return a list that the test signs in somebody's name."""
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateRevocationListBuilder(named, world.now, world.now + timedelta(days=1))
    return builder.sign(CURVE_KEY, SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("name", "lists", "believed"), [("own", True, True), ("own", False, False), ("other", True, False)]
)
def test_a_list_is_in_the_name_of_an_issuer_who_may_sign_it(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, lists: bool, believed: bool
) -> None:
    monkeypatch.setattr(world.site, "crl", lambda address: own_list(world, name))
    above = issuer(world, lists=lists)
    chain = (own(world, issuer="own"), above)
    check = partial(world.access._revocation.check, chain, CertificateAuthority("own", (above,), crls=(CRL,)))

    if believed:
        check()
        return

    with pytest.raises(LoginRefusedError) as caught:
        check()

    assert caught.value.refusal is Refusal.REVOCATION_UNKNOWN


def list_with(world: World, extension: x509.ExtensionType) -> bytes:
    builder = x509.CertificateRevocationListBuilder(
        world.company.issuing.subject, world.now, world.now + timedelta(days=1)
    ).add_extension(extension, critical=True)
    return builder.sign(world.company.ca().key, SHA256()).public_bytes(Encoding.DER)


def test_a_delta_is_no_list(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    content = list_with(world, x509.DeltaCRLIndicator(1))
    monkeypatch.setattr(world.site, "crl", lambda address: content)
    world.trust(crls=(CRL,))
    world.admin.publish()
    assert world.refusal() is Refusal.REVOCATION_UNKNOWN
