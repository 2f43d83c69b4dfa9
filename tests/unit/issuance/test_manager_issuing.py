"""Tokens issued by token procedures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, pkcs12
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.encoding import AuthorityError
from cardtwin.issuance import IssuanceError
from cardtwin.issuance.authority import PublishedCa, extension, key_usages, usage_of
from cardtwin.issuance.manager import (
    EVERY_USAGE,
    CertificateManager,
    CertificateProcedure,
    IssuanceRefusedError,
    KeyUsage,
    ManagerError,
    Production,
    TokenRequest,
    select,
)
from cardtwin.plan import Secret, SecretName
from cardtwin.provenance import Switches
from support.managers import PASSPHRASE, POLICY, Office, office, policy, request_for

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGN = frozenset({KeyUsage.DIGITAL_SIGNATURE})
ENCRYPT = frozenset({KeyUsage.KEY_ENCIPHERMENT})
PIN_PROCEDURE = """\
[PIN procedure Letters]
PIN1=6 digits, letter 1
PUK=8 readable, letter 2
OP=12 alphanumeric, stored
"""
CONSENT = frozenset({KeyUsage.NON_REPUDIATION})


@pytest.fixture
def ra() -> Iterator[Office]:
    for found in office():
        found.put_in_effect()
        yield found


def test_one_serial_number_is_in_all_certificates_of_a_card(ra: Office) -> None:
    token = ra.issue(SIGN)
    numbers = [
        found.certificate.subject.get_attributes_for_oid(x509.NameOID.SERIAL_NUMBER)[0].value
        for found in token.certificates
    ]
    assert (token.serial, numbers) == ("1000", ["1000", "1000"])
    assert ra.manager.authority.of_token("1000") == tuple(found.certificate for found in token.certificates)


def test_a_refused_request_leaves_nothing_behind(ra: Office) -> None:
    before = tuple(ra.store.database.iterdump())

    with pytest.raises(IssuanceRefusedError):
        ra.issue(SIGN, CONSENT)

    assert tuple(ra.store.database.iterdump()) == before
    assert ra.issue(SIGN).serial == "1000"


@pytest.mark.parametrize(
    ("fields", "password", "rule"),
    [
        ({"Common name": "J" * 65}, b"", "1 to 64 characters"),
        ({"Common name": "Jane", "E-mail": "Jane <jane@example.com>"}, b"", "local@domain in ASCII"),
        ({"Common name": "Jane"}, b"\xff", "a text in UTF-8"),
    ],
)
def test_what_no_certificate_or_file_has_is_told_and_leaves_nothing_behind(
    ra: Office, fields: dict[str, str], password: bytes, rule: str
) -> None:
    before = tuple(ra.store.database.iterdump())
    request = TokenRequest("Card", fields, requests=(request_for(SIGN),), password=Secret(password))

    with pytest.raises(IssuanceError, match=rule):
        ra.manager.registration.issue(request)

    assert tuple(ra.store.database.iterdump()) == before


def test_a_root_issues_and_revokes_as_any_other_ca() -> None:
    text = POLICY.replace("Key usage=digitalSignature", "Key usage=digitalSignature\nIssuing CA=Root CA")

    for ra in office(text=text):
        ra.put_in_effect()
        certificate = ra.issue(SIGN).certificates[0].certificate
        authority = ra.manager.authority
        assert authority.chain(certificate) == (authority.root,)
        authority.revocation.revoke(certificate)
        (revoked,) = x509.load_der_x509_crl(PublishedCa(authority, "Root CA").crl())
        assert revoked.serial_number == certificate.serial_number


def test_a_certificate_procedure_of_more_days_than_its_ca_has_issues_nothing() -> None:
    for ra in office(
        text=POLICY.replace("Key usage=digitalSignature", "Key usage=digitalSignature\nDays=7301")
    ):
        ra.put_in_effect()
        before = tuple(ra.store.database.iterdump())

        with pytest.raises(IssuanceError, match="would outlive its issuer"):
            ra.issue(SIGN)

        assert tuple(ra.store.database.iterdump()) == before


HOLDERS = [
    {"Common name": "Jane"},
    {"Common name": "Jane", "Organisation": "Sales"},
    {"Common name": "Jane", "E-mail": "jane@example.com"},
    {"Common name": "Jane", "E-mail": "jane.2@example.com"},
    {"Common name": "Jane", "E-mail": "jane@example.com", "Organisation": "Sales"},
]


def recovers(ra: Office, fields: dict[str, str]) -> bool:
    request = TokenRequest("Recovery", fields, password=PASSPHRASE)
    return bool(ra.manager.registration.issue(request).archived)


def archive(ra: Office, fields: dict[str, str]) -> None:
    ra.put_in_effect("Recovery")
    ra.manager.registration.issue(TokenRequest("Card", fields, password=PASSPHRASE))


@pytest.mark.parametrize("owner", HOLDERS, ids=lambda fields: " ".join(fields.values()))
def test_who_is_the_holder_recovers_and_no_namesake_does(ra: Office, owner: dict[str, str]) -> None:
    archive(ra, owner)
    assert [other for other in HOLDERS if recovers(ra, other)] == [owner]
    assert recovers(ra, {**owner, "Serial number": "P-1"})


def test_namesakes_with_numbers_of_their_own_are_told_apart() -> None:
    text = POLICY.replace("Card serial number=Yes\nSerial number range=1000-1999", "Card serial number=No")
    owner = {"Common name": "Jane", "Serial number": "P-1"}

    for ra in office(text=text):
        ra.put_in_effect()
        archive(ra, owner)
        others = (owner, {**owner, "Serial number": "P-2"}, {"Common name": "Jane"})
        assert [recovers(ra, other) for other in others] == [True, False, False]


def test_a_production_refuses_a_key_of_a_size_that_is_not_made(ra: Office) -> None:
    production = Production(ra.store, ra.manager, "Card", "Jane")

    with pytest.raises(AuthorityError, match="1024 to 8192 bits"):
        production.issue_archived("Card", "1000", Secret(b""), 512)

    assert ra.manager.authority.of_token("1000") == ()


@pytest.mark.parametrize(
    "section",
    [
        "[Certificate procedure Encryption]\nKey usage=keyEncipherment\n",
        "[Key procedure Archive]\nAction=archive\n",
        "[Attribute certificate procedure Purchaser]\nRole=purchaser\n",
        PIN_PROCEDURE,
    ],
)
def test_what_the_policy_has_no_more_is_told_and_leaves_nothing_behind(ra: Office, section: str) -> None:
    assert section in ra.text
    ra.manager = CertificateManager(ra.store, policy(ra.text.replace(section, "")), now=lambda: ra.now)
    before = tuple(ra.store.database.iterdump())

    with pytest.raises(IssuanceRefusedError, match="any more: set it up, or modify the token procedure"):
        ra.issue(SIGN)

    production = Production(ra.store, ra.manager, "Card", "Jane")

    if "Key procedure" in section:
        with pytest.raises(AuthorityError, match="any more"):
            production.issue_archived("Card", "1000", Secret(b""), 2048)

    if "PIN" in section:
        with pytest.raises(AuthorityError, match="any more"):
            production.produced("1000", {SecretName.PIN1: Secret.of("123456")})

    assert tuple(ra.store.database.iterdump()) == before


def test_an_officer_without_a_name_that_a_certificate_has_is_not_enrolled(ra: Office) -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()

    with pytest.raises(IssuanceError, match="1 to 64 characters"):
        ra.manager.officers.enrol("", key, [])


def test_an_archived_key_comes_out_as_it_went_in(ra: Office) -> None:
    ra.put_in_effect("Recovery")
    card = ra.issue(SIGN)
    again = ra.issue(name="Recovery")
    first, second = (
        pkcs12.load_key_and_certificates(content, PASSPHRASE.reveal())
        for content in (card.archived[0], again.archived[0])
    )
    assert first[0] is not None
    assert second[0] is not None
    assert first[0].private_numbers() == second[0].private_numbers()  # type: ignore[union-attr]  # both are RSA's
    assert first[1] == second[1] == card.certificates[-1].certificate


def test_keys_and_secrets_are_not_in_the_state_as_they_are(ra: Office) -> None:
    token = ra.issue(SIGN)
    key, _, _ = pkcs12.load_key_and_certificates(token.archived[0], PASSPHRASE.reveal())
    assert key is not None
    prime = key.private_numbers().p.to_bytes(128)  # type: ignore[union-attr]  # it is RSA's
    state = ra.store.database.serialize()
    assert prime not in state
    assert all(secret.reveal() not in state for secret in token.secrets.values() if len(secret) > 6)
    assert ra.manager.archive.secrets(token.id) == token.secrets


def test_a_secret_of_one_token_can_t_be_put_to_another(ra: Office) -> None:
    one, other = ra.issue(SIGN), ra.issue(SIGN)
    query = "UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE token = ? AND name = 'PIN1')"
    ra.store.database.execute(f"{query} WHERE token = ? AND name = 'PIN1'", (one.id, other.id))

    with pytest.raises(ManagerError, match="was changed"):
        ra.manager.archive.secrets(other.id)


def test_an_attribute_certificate_is_signed_by_the_issuing_ca(ra: Office) -> None:
    (encoded,) = ra.issue(SIGN).attributes
    read = cms.AttributeCertificateV2.load(encoded, strict=True)
    ca = ra.manager.authority.ca("Issuing CA").certificate.public_key()
    assert isinstance(ca, ec.EllipticCurvePublicKey)
    ca.verify(read["signature"].native, read["ac_info"].dump(), ec.ECDSA(SHA256()))
    assert read["ac_info"]["holder"]["entity_name"][0].native["common_name"] == "Jane"
    assert read["ac_info"]["attributes"][0]["values"].native[0]["role_name"] == "urn:purchaser"


def test_secrets_are_split_into_letters_and_the_stored_one_is_in_none(ra: Office) -> None:
    token = ra.issue(SIGN)
    assert {number: set(inside) for number, inside in token.letters.items()} == {
        1: {SecretName.PIN1},
        2: {SecretName.PUK},
    }
    assert set(token.secrets) == {SecretName.PIN1, SecretName.PUK, SecretName.OP}


@pytest.mark.parametrize("broken", [b"", b"no request", request_for(SIGN)[:-3] + b"abc"])
def test_a_broken_certificate_request_is_refused(ra: Office, broken: bytes) -> None:
    request = TokenRequest("Card", {"Common name": "Jane"}, requests=(broken,))

    with pytest.raises(IssuanceError) as refused:
        ra.manager.registration.issue(request)

    assert refused.value.code == "request"


def test_a_refused_pin_is_not_in_the_message(ra: Office) -> None:
    chosen = {SecretName.PIN1: Secret.of("271828")}
    request = TokenRequest("Card", {"Common name": "Jane"}, chosen=chosen)

    with pytest.raises(IssuanceRefusedError) as refused:
        ra.manager.registration.issue(request)

    assert "271828" not in str(refused.value) + repr(request)


def test_a_partial_key_usage_matches_only_where_the_switch_says_so() -> None:
    both = CertificateProcedure("Both", SIGN | ENCRYPT)

    with pytest.raises(IssuanceRefusedError):
        select([both], SIGN, Switches())

    assert select([both], SIGN, Switches({"issuance.key-usage": "superset"})) is both


_USAGES = st.frozensets(st.sampled_from(KeyUsage))
_PROCEDURES = st.lists(st.one_of(_USAGES, st.just(EVERY_USAGE), st.just(frozenset[KeyUsage]())), min_size=1)


@given(_PROCEDURES, _USAGES)
def test_the_first_procedure_that_matches_is_selected(
    usages: list[frozenset[KeyUsage]], wanted: frozenset[KeyUsage]
) -> None:
    procedures = [CertificateProcedure(str(place), usage) for place, usage in enumerate(usages)]
    matching = [
        procedure
        for procedure in procedures
        if not wanted or procedure.usage in (wanted, frozenset(), EVERY_USAGE)
    ]

    if matching:
        assert select(procedures, wanted, Switches()) is matching[0]
    else:
        with pytest.raises(IssuanceRefusedError):
            select(procedures, wanted, Switches())


@given(_USAGES.filter(lambda usage: KeyUsage.KEY_AGREEMENT in usage))
def test_key_usages_become_an_extension_and_back(usage: frozenset[KeyUsage]) -> None:
    assert key_usages(extension(usage)) == usage


def test_the_chain_above_a_certificate_verifies(ra: Office) -> None:
    token = ra.issue(SIGN)
    issuing, root = token.issuers
    assert usage_of(token.certificates[0].certificate) == SIGN
    token.certificates[0].certificate.verify_directly_issued_by(issuing)
    issuing.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    assert root.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    ) == ra.manager.authority.ca("Root CA").key.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
