"""The certificate authority, with records in memory and in Certificate Manager's state."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp

from cardtwin.entropy import SeededEntropy, SystemEntropy
from cardtwin.issuance.authority import (
    REASONS,
    Authority,
    Contents,
    KeyArchive,
    KeyUsage,
    KeyUsageRefusedError,
    MemoryRecords,
    RequestRefusedError,
    RevocationRefusedError,
    ValidityRefusedError,
    read_request,
    usage_of,
)
from cardtwin.issuance.manager import Store
from cardtwin.issuance.manager.records import StoredRecords
from support.managers import PASSPHRASE, request_for
from support.profiles import rsa_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cardtwin.entropy import Entropy
    from cardtwin.issuance.authority import Records

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = ec.generate_private_key(ec.SECP256R1())
JANE = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Jane")])
CONTENTS = Contents(JANE, KEY.public_key(), frozenset({KeyUsage.DIGITAL_SIGNATURE}))


@pytest.fixture(params=["in memory", "in a file"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Records]:
    if request.param == "in memory":
        yield MemoryRecords()
        return

    with Store(tmp_path / "state", PASSPHRASE, SystemEntropy()) as store:
        yield StoredRecords(store)


class World:
    """An authority whose clock is the test's."""

    def __init__(self, records: Records, entropy: Entropy | None = None) -> None:
        self.records = records
        self.now = NOW
        self.authority = Authority(records, entropy or SystemEntropy(), lambda: self.now)

    def status(self, certificate: x509.Certificate, issuer: x509.Certificate) -> ocsp.OCSPResponse:
        key = issuer.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        bits = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        name, known = (sha256(part).digest() for part in (issuer.subject.public_bytes(), bits))
        builder = ocsp.OCSPRequestBuilder()
        builder = builder.add_certificate_by_hash(name, known, certificate.serial_number, SHA256())
        asked = builder.build().public_bytes(Encoding.DER)
        return ocsp.load_der_ocsp_response(self.authority.revocation.answer(asked))

    def listed(self, issuer: str = "") -> x509.CertificateRevocationList:
        return x509.load_der_x509_crl(self.authority.revocation.crl(issuer))


@pytest.fixture
def world(records: Records) -> World:
    return World(records)


def test_a_certificate_is_signed_by_the_issuing_ca_and_that_one_by_the_root(world: World) -> None:
    certificate = world.authority.certify(CONTENTS, token="4711")
    issuing, root = world.authority.chain(certificate)
    certificate.verify_directly_issued_by(issuing)
    issuing.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    assert (issuing, root) == (world.authority.issuing, world.authority.root)
    assert usage_of(certificate) == {KeyUsage.DIGITAL_SIGNATURE}
    assert world.authority.of_token("4711") == (certificate,)
    assert world.authority.of_token("4712") == ()


def test_each_issuing_ca_that_is_named_is_another_one_below_the_same_root(world: World) -> None:
    first, second = (world.authority.certify(CONTENTS, issuer=name) for name in ("Sales", "Service"))
    assert first.issuer != second.issuer
    assert world.authority.chain(first)[1:] == world.authority.chain(second)[1:]
    assert world.authority.ca("Sales").certificate == world.authority.ca("Sales").certificate


class Stuck(SeededEntropy):
    """Gives the same serial number three times."""

    def __init__(self) -> None:
        super().__init__("stuck")
        self.left = 3

    def bytes(self, count: int) -> bytes:
        drawn = super().bytes(count)

        if count == 16 and self.left:
            self.left -= 1
            return bytes(16)

        return drawn


def test_a_serial_number_is_given_once_even_if_it_is_drawn_again(records: Records) -> None:
    world = World(records, Stuck())
    numbers = [world.authority.certify(CONTENTS).serial_number for _ in range(3)]
    numbers += [world.authority.root.serial_number, world.authority.issuing.serial_number]
    assert len(set(numbers)) == 5
    assert 1 in numbers
    assert all(0 < number < 1 << 127 for number in numbers)


def test_validity_begins_a_little_before_and_ends_when_it_was_said(world: World) -> None:
    certificate = world.authority.certify(
        Contents(JANE, KEY.public_key(), delay=timedelta(days=2), life=timedelta(days=10))
    )
    assert certificate.not_valid_before_utc == NOW + timedelta(days=2, minutes=-5)
    assert certificate.not_valid_after_utc == NOW + timedelta(days=12)
    assert not world.authority.is_valid(certificate)
    world.now += timedelta(days=3)
    assert world.authority.is_valid(certificate)
    world.now += timedelta(days=10)
    assert not world.authority.is_valid(certificate)


@pytest.mark.parametrize("delay", [timedelta(0), timedelta(days=30)])
def test_no_certificate_outlives_its_issuer(world: World, delay: timedelta) -> None:
    last = world.authority.issuing.not_valid_after_utc
    life = last - NOW - delay
    whole = world.authority.certify(Contents(JANE, KEY.public_key(), delay=delay, life=life))
    assert whole.not_valid_after_utc == last

    with pytest.raises(ValidityRefusedError, match="would outlive its issuer"):
        world.authority.certify(
            Contents(JANE, KEY.public_key(), delay=delay, life=life + timedelta(seconds=1))
        )


def test_an_issuing_ca_ends_with_its_root_at_last(world: World) -> None:
    end = world.authority.root.not_valid_after_utc
    world.now += timedelta(days=3650)
    assert world.authority.ca("Late CA").certificate.not_valid_after_utc == end
    world.now = end + timedelta(seconds=1)

    with pytest.raises(ValidityRefusedError, match="would outlive its issuer"):
        world.authority.ca("Too late CA")


def test_what_another_authority_has_issued_is_not_valid_here(world: World) -> None:
    other = World(MemoryRecords()).authority.certify(CONTENTS)
    assert not world.authority.is_valid(other)

    with pytest.raises(RevocationRefusedError):
        world.authority.revocation.revoke(other)


def test_a_revoked_certificate_is_in_its_ca_s_list_and_answer_and_in_no_other(world: World) -> None:
    first, second = world.authority.certify(CONTENTS), world.authority.certify(CONTENTS)
    other = world.authority.certify(CONTENTS, issuer="Sales")
    issuing = world.authority.issuing
    world.authority.revocation.revoke(first, x509.ReasonFlags.key_compromise)
    (entry,) = world.listed()
    assert entry.serial_number == first.serial_number
    assert entry.revocation_date_utc == NOW
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.name == "key_compromise"
    assert list(world.listed("Sales")) == []
    answer = world.status(first, issuing)
    assert answer.certificate_status is ocsp.OCSPCertStatus.REVOKED
    assert answer.revocation_reason is x509.ReasonFlags.key_compromise
    assert answer.revocation_time_utc == NOW
    assert world.status(second, issuing).certificate_status is ocsp.OCSPCertStatus.GOOD
    assert world.status(issuing, world.authority.root).certificate_status is ocsp.OCSPCertStatus.GOOD
    # Issued by Sales, and asked about as if by the other one.
    assert world.status(other, issuing).certificate_status is ocsp.OCSPCertStatus.UNKNOWN


def test_a_reason_that_says_nothing_is_left_out(world: World) -> None:
    certificate = world.authority.certify(CONTENTS)
    world.authority.revocation.revoke(certificate)
    (entry,) = world.listed()
    assert list(entry.extensions) == []
    assert world.status(certificate, world.authority.issuing).revocation_reason is None


@pytest.mark.parametrize("reason", set(x509.ReasonFlags) - REASONS)
def test_a_reason_that_is_not_for_good_is_refused(reason: x509.ReasonFlags) -> None:
    world = World(MemoryRecords())
    certificate = world.authority.certify(CONTENTS)

    with pytest.raises(RevocationRefusedError, match="for good"):
        world.authority.revocation.revoke(certificate, reason)

    assert world.authority.is_valid(certificate)


def test_a_certificate_is_not_revoked_twice(world: World) -> None:
    certificate = world.authority.certify(CONTENTS)
    world.authority.revocation.revoke(certificate)
    world.now += timedelta(days=1)

    with pytest.raises(RevocationRefusedError):
        world.authority.revocation.revoke(certificate)

    (entry,) = world.listed()
    assert entry.revocation_date_utc == NOW


def test_lists_are_numbered_by_ca_and_signed_by_it(world: World) -> None:
    numbers = [
        (name, world.listed(name).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number)
        for name in ("", "Sales", "", "Root CA", "Issuing CA")
    ]
    assert numbers == [("", 1), ("Sales", 1), ("", 2), ("Root CA", 1), ("Issuing CA", 3)]
    crl = world.listed("Sales")
    assert crl.is_signature_valid(world.authority.ca("Sales").key.public_key())
    assert crl.next_update_utc == NOW + timedelta(days=7)


@pytest.mark.parametrize("algorithm", [SHA1(), SHA256(), SHA512()])  # noqa: S303  # programs ask by it
def test_an_answer_is_about_the_request_and_has_its_nonce(
    world: World, algorithm: SHA1 | SHA256 | SHA512
) -> None:
    certificate = world.authority.certify(CONTENTS)
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, world.authority.issuing, algorithm)
    asked = builder.add_extension(x509.OCSPNonce(b"a nonce"), critical=False).build()
    answer = ocsp.load_der_ocsp_response(world.authority.revocation.answer(asked.public_bytes(Encoding.DER)))

    if isinstance(algorithm, SHA512):
        assert answer.response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED
        return

    assert answer.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"a nonce"
    assert answer.serial_number == certificate.serial_number
    key = world.authority.ca().key.public_key()
    key.verify(answer.signature, answer.tbs_response_bytes, ec.ECDSA(SHA256()))


def test_an_authority_says_nothing_of_another_one_s_certificates(world: World) -> None:
    other = World(MemoryRecords())
    certificate = other.authority.certify(CONTENTS)
    answer = world.status(certificate, other.authority.issuing)
    assert answer.response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED


def test_archived_keys_are_found_by_holder_and_usage_with_certificate_and_token(world: World) -> None:
    key = rsa_key()
    archive = KeyArchive(world.records)
    contents = Contents(JANE, key.public_key(), frozenset({KeyUsage.KEY_ENCIPHERMENT}))
    certificate = world.authority.certify(contents, token="4711")
    archive.put("Jane", certificate, key)
    (found,) = archive.of("Jane", frozenset({KeyUsage.KEY_ENCIPHERMENT}))
    assert found.key.private_numbers() == key.private_numbers()
    assert (found.certificate, found.token) == (certificate, "4711")
    assert archive.of("Jane", frozenset({KeyUsage.DIGITAL_SIGNATURE})) == ()
    assert archive.of("John", frozenset({KeyUsage.KEY_ENCIPHERMENT})) == ()
    shown = repr(found) + repr(world.records) + repr(world.authority.ca())
    assert str(key.private_numbers().d) not in shown
    assert "PrivateKey" not in shown


def test_the_same_seed_makes_the_same_authority_certificates_and_lists(records: Records) -> None:
    first, second = World(records, SeededEntropy("a")), World(MemoryRecords(), SeededEntropy("a"))
    another = World(MemoryRecords(), SeededEntropy("b"))
    assert first.authority.certify(CONTENTS) == second.authority.certify(CONTENTS)
    assert first.listed() == second.listed()
    assert first.authority.root != another.authority.root


def test_threads_share_an_authority_in_memory() -> None:
    world = World(MemoryRecords())

    with ThreadPoolExecutor(8) as pool:
        issued = list(pool.map(lambda _: world.authority.certify(CONTENTS), range(64)))
        numbers = list(pool.map(lambda _: world.listed(), range(16)))

    assert len({certificate.serial_number for certificate in issued}) == 64
    assert {certificate.issuer for certificate in issued} == {world.authority.issuing.subject}

    for certificate in issued:
        certificate.verify_directly_issued_by(world.authority.issuing)

    found = {crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number for crl in numbers}
    assert found == set(range(1, 17))


def test_no_certificate_has_key_usages_that_exclude_one_another(world: World) -> None:
    contents = Contents(JANE, KEY.public_key(), frozenset({KeyUsage.ENCIPHER_ONLY}))

    with pytest.raises(KeyUsageRefusedError, match="encipherOnly"):
        world.authority.certify(contents, token="4711")

    assert world.authority.of_token("4711") == ()


# Requests


def test_a_request_tells_its_key_and_what_it_is_for() -> None:
    asked = read_request(request_for(frozenset({KeyUsage.KEY_AGREEMENT, KeyUsage.ENCIPHER_ONLY})))
    assert asked.usage == {KeyUsage.KEY_AGREEMENT, KeyUsage.ENCIPHER_ONLY}
    assert isinstance(asked.key, ec.EllipticCurvePublicKey)
    assert read_request(request_for(frozenset())).usage == frozenset()


def test_a_request_that_its_own_key_has_not_signed_is_refused() -> None:
    """The request is Jane's, the key another one's: who asks hasn't the private key."""
    content = request_for(frozenset())
    own = read_request(content).key
    assert isinstance(own, ec.EllipticCurvePublicKey)
    taken = content.replace(_point(own), _point(KEY.public_key()))
    assert taken != content

    with pytest.raises(RequestRefusedError, match="signed by its own key"):
        read_request(taken)


@pytest.mark.parametrize("at", range(0, 200, 7))
def test_a_request_that_was_changed_anywhere_is_refused(at: int) -> None:
    content = bytearray(request_for(frozenset({KeyUsage.DIGITAL_SIGNATURE})))
    content[at % len(content)] ^= 1

    with pytest.raises(RequestRefusedError):
        read_request(bytes(content))


def test_a_request_for_a_key_that_cards_do_not_have_is_refused() -> None:
    builder = x509.CertificateSigningRequestBuilder(JANE)
    request = builder.sign(ed25519.Ed25519PrivateKey.generate(), None).public_bytes(Encoding.DER)

    with pytest.raises(RequestRefusedError):
        read_request(request)


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    numbers = key.public_numbers()
    return numbers.x.to_bytes(32) + numbers.y.to_bytes(32)
