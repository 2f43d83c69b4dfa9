"""Digital Access for tests: a clock that stands still, authorities, and users whose keys are in software."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cardtwin.entropy import SeededEntropy
from cardtwin.login import (
    Algorithm,
    AuthenticationMethod,
    CertificateAuthority,
    ExtendedProperties,
    ExternalAddress,
    LoginRefusedError,
    MethodKind,
    Refusal,
    Response,
    UserAccount,
)
from cardtwin.provenance import Switches
from cardtwin.targets.access import AccessSite, HolderTemplate, certify_holder
from support.profiles import rsa_key

if TYPE_CHECKING:
    from cryptography import x509

    from cardtwin.login import Challenge, LoggedIn

METHOD, USER, MAIL = "Card", "anna", "anna@example.com"
MAPPING = ExtendedProperties("mail", "subjectaltname-emailaddress")
DESKTOP = AuthenticationMethod(METHOD, MethodKind.PERSONAL_DESKTOP, "Company", None, MAPPING, "main")
CURVE_KEY = ec.derive_private_key(0x63617264, ec.SECP256R1())


def signed(message: bytes, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> tuple[Algorithm, bytes]:
    """Return a signature as PKCS#11 gives it."""
    if isinstance(key, rsa.RSAPrivateKey):
        return Algorithm.RSA_PKCS1, key.sign(message, padding.PKCS1v15(), SHA256())

    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(SHA256())))
    size = (key.key_size + 7) // 8
    return Algorithm.ECDSA, r.to_bytes(size) + s.to_bytes(size)


def spki(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    """Return the public key's SubjectPublicKeyInfo."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@dataclass
class World:
    """Digital Access with one method, which is published, and one user."""

    switches: dict[str, str] = field(default_factory=dict)
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __post_init__(self) -> None:
        self.site = AccessSite(
            lambda label: SeededEntropy("test", label), lambda: self.now, Switches(self.switches)
        )
        self.admin, self.access = self.site.administration, self.site.access
        self.company = self.site.authority("Company")
        self.admin.set_external_address(ExternalAddress("access.example.com"))
        self.admin.add_server("main")
        self.trust()
        self.admin.add_method(DESKTOP)
        self.admin.put_user(UserAccount(USER, {"mail": MAIL}, personal=True))
        self.admin.publish()

    def trust(self, *, crls: tuple[str, ...] = (), ocsp: str = "") -> None:
        """Put the authority into the draft."""
        self.admin.put_authority(
            CertificateAuthority("Company", (self.company.issuing,), crls=crls, ocsp=ocsp)
        )

    def certificate(self, template: HolderTemplate | None = None, authority: str = "Company") -> bytes:
        """Return a certificate for the test's RSA key."""
        return self.certify(template, authority).public_bytes(Encoding.DER)

    def certify(
        self,
        template: HolderTemplate | None = None,
        authority: str = "Company",
        key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None = None,
    ) -> x509.Certificate:
        """Return a certificate; it fits the user if no template says something else."""
        wanted = template or HolderTemplate("Anna", (MAIL,))
        return certify_holder(self.site.authority(authority), (key or rsa_key()).public_key(), wanted)

    def respond(self, challenge: Challenge, certificate: bytes) -> Response:
        """Return the response of who has the test's RSA key."""
        algorithm, signature = signed(challenge.message, rsa_key())
        return Response(challenge.id, algorithm, signature, certificate)

    def log_in(self, certificate: bytes | None = None, user: str = USER, method: str = METHOD) -> LoggedIn:
        """Log in with a certificate, the user's if none is given."""
        challenge = self.access.begin(method, user)
        return self.access.finish(self.respond(challenge, certificate or self.certificate()))

    def refusal(self, certificate: bytes | None = None, user: str = USER) -> Refusal:
        """Return why such a login is refused; it has to be."""
        try:
            login = self.log_in(certificate, user)
        except LoginRefusedError as error:
            return error.refusal

        raise AssertionError(f"{login.user} is logged in")

    def wait(self, **duration: float) -> None:
        """Let time pass."""
        self.now += timedelta(**duration)
