"""Certificate Manager in tests: a policy, officers with keys, and what they sign."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from cardtwin.entropy import SystemEntropy
from cardtwin.issuance.authority import extension
from cardtwin.issuance.manager import (
    CertificateManager,
    KeyUsage,
    Policy,
    Role,
    Store,
    TokenRequest,
    parse_policy,
    signed,
)
from cardtwin.plan import Secret
from cardtwin.source import SourceText
from support.profiles import rsa_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cardtwin.issuance.manager import IssuedToken, Request, TokenProcedure

PASSPHRASE = Secret.of("of a test")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BOTH = (Role.USE_AWB, Role.POLICY_TASKS)
POLICY = """\
[Domain /sales]
[PIN procedure Letters]
PIN1=6 digits, letter 1
PUK=8 readable, letter 2
OP=12 alphanumeric, stored
[Certificate procedure Signature]
Key usage=digitalSignature
[Certificate procedure Encryption]
Key usage=keyEncipherment
[Key procedure Archive]
Action=archive
[Key procedure Recover]
Action=recover
Reuse certificate=Yes
[Attribute certificate procedure Purchaser]
Role=purchaser
[Token procedure Card]
State=Active
Storage profile=Smart Card
Card serial number=Yes
Serial number range=1000-1999
PIN procedure=Letters
Key procedures=Archive
Issuer certificates=Store all
Attribute certificate procedures=Purchaser
Certificate procedures=Signature, Encryption
[Token procedure Recovery]
State=Active
Storage profile=PKCS #12 file
PIN procedure=Letters
Key procedures=Recover
Issuer certificates=Store all
"""


def policy(text: str = POLICY) -> Policy:
    return parse_policy(SourceText("policy.ini", text))


def procedure(name: str = "Card", text: str = POLICY) -> TokenProcedure:
    return policy(text).token_procedures[name]


@dataclass
class Office:
    """Certificate Manager above a state, and its officers' keys."""

    store: Store
    text: str = POLICY
    keys: dict[str, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.now = NOW
        self.manager = CertificateManager(self.store, policy(self.text), now=lambda: self.now)
        self.keys = {"anna": rsa_key(), "ben": ec.generate_private_key(ec.SECP256R1())}

    def enrol(self) -> None:
        for name, key in self.keys.items():
            self.manager.officers.enrol(name, key.public_key(), BOTH)

    def signature(self, request: Request, name: str) -> bytes:
        key = self.keys[name]
        officer = next(found for found in self.manager.officers.all() if found.name == name)

        def sign(data: bytes) -> bytes:
            if isinstance(key, rsa.RSAPrivateKey):
                return key.sign(data, padding.PKCS1v15(), SHA256())

            return key.sign(data, ec.ECDSA(SHA256()))

        return signed(request.content, officer.certificate, self.now, sign)

    def put_in_effect(self, name: str = "Card") -> None:
        workbench = self.manager.workbench
        request = workbench.confirm(workbench.save(policy(self.text).token_procedures[name]).id)

        for officer in ("anna", "ben"):
            workbench.sign(request.id, officer, self.signature(request, officer))

    def issue(self, *usages: frozenset[KeyUsage], name: str = "Card", holder: str = "Jane") -> IssuedToken:
        requests = tuple(request_for(usage) for usage in usages)
        request = TokenRequest(name, {"Common name": holder}, requests=requests, password=PASSPHRASE)
        return self.manager.registration.issue(request)


def request_for(usage: frozenset[KeyUsage]) -> bytes:
    """Return a certificate request for a new key."""
    builder = x509.CertificateSigningRequestBuilder(x509.Name([]))
    builder = builder.add_extension(extension(usage), critical=True) if usage else builder
    return builder.sign(ec.generate_private_key(ec.SECP256R1()), SHA256()).public_bytes(Encoding.DER)


def office(path: Path | None = None, text: str = POLICY) -> Iterator[Office]:
    """Yield Certificate Manager with two officers; for fixtures."""
    with Store(path, PASSPHRASE, SystemEntropy()) as store:
        found = Office(store, text)
        found.enrol()
        yield found
