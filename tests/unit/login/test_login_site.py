"""Certificate authorities beside Digital Access: its site's own, and those of other systems."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from cardtwin.entropy import SeededEntropy
from cardtwin.issuance.authority import Authority, MemoryRecords, PublishedCa, RevocationRefusedError
from cardtwin.login import CertificateAuthority, Refusal, UnreachableError
from cardtwin.targets import TargetError
from cardtwin.targets.access import HolderTemplate, certify_holder
from support.access import MAIL, USER, World
from support.profiles import rsa_key


@pytest.fixture
def elsewhere() -> PublishedCa:
    world = World()
    return PublishedCa(Authority(MemoryRecords(), SeededEntropy("elsewhere"), lambda: world.now))


def test_a_certificate_of_another_system_s_ca_logs_in_until_that_system_revokes_it(
    elsewhere: PublishedCa,
) -> None:
    world = World()
    world.site.adopt("Other system", elsewhere)
    certificate = certify_holder(elsewhere.authority, rsa_key().public_key(), HolderTemplate("Anna", (MAIL,)))
    encoded = certificate.public_bytes(Encoding.DER)
    assert world.refusal(encoded) is Refusal.UNTRUSTED

    found = world.site.published("Other system")
    world.admin.put_authority(
        CertificateAuthority(
            "Company",
            (found.issuing,),
            crls=("http://Other system/crl",),
            ocsp="http://Other system/ocsp",
        )
    )
    world.admin.publish()
    assert world.log_in(encoded).user == USER
    found.revoke(certificate)
    assert world.refusal(encoded) is Refusal.REVOKED


def test_a_ca_revokes_only_what_it_has_issued_itself(elsewhere: PublishedCa) -> None:
    other = PublishedCa(elsewhere.authority, "Another CA")
    certificate = certify_holder(elsewhere.authority, rsa_key().public_key(), HolderTemplate("Anna", (MAIL,)))

    with pytest.raises(RevocationRefusedError, match="is of 'CN=Issuing CA', which alone revokes it"):
        other.revoke(certificate)

    assert elsewhere.authority.is_valid(certificate)


def test_the_site_issues_nothing_for_another_system_s_ca(elsewhere: PublishedCa) -> None:
    world = World()
    world.site.adopt("Other system", elsewhere)

    with pytest.raises(TargetError, match="'Other system'"):
        world.site.authority("Other system")


def test_a_name_is_one_authority_s_alone(elsewhere: PublishedCa) -> None:
    world = World()

    with pytest.raises(TargetError, match="'Company'"):
        world.site.adopt("Company", elsewhere)


def test_another_system_s_ca_that_is_offline_is_not_reached(elsewhere: PublishedCa) -> None:
    world = World()
    world.site.adopt("Other system", elsewhere)
    assert world.site.crl("http://Other system/crl")
    world.site.offline = frozenset({"Other system"})

    with pytest.raises(UnreachableError):
        world.site.crl("http://Other system/crl")
