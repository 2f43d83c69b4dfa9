"""A simulated phone with Personal Mobile."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from cardtwin.login.errors import ActivationError
from cardtwin.login.mobile.activation import Invitation
from cardtwin.login.responses import Algorithm, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cardtwin.entropy import Entropy
    from cardtwin.login.challenges import Challenge
    from cardtwin.login.mobile.activation import Activations
    from cardtwin.plan import Secret

__all__ = ["Phone"]

_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the group of P-256 (FIPS 186-4, D.1.2.3)."""

_HALF: Final = 32


class Phone:
    """Personal Mobile on a device, with a key of its own that is made at the activation.

    Attributes:
        name: What the device is called.
        user: Whose profile it has; empty before it is activated.
    """

    def __init__(self, name: str, entropy: Entropy) -> None:
        self.name = name
        self.user = ""
        self._entropy = entropy
        self._key: ec.EllipticCurvePrivateKey | None = None
        self._certificates: tuple[bytes, ...] = ()

    def activate(
        self,
        text: Secret,
        activations: Activations,
        certify: Callable[[bytes], Sequence[bytes]] | None = None,
    ) -> None:
        """Activate the profile whose QR code has this text.

        Args:
            text: What the camera reads.
            activations: Digital Access, where the code leads.
            certify: Returns, for a PKCS#10 request of the phone's key, its certificate and those above it,
                for methods that validate certificates; None leaves the phone without one.

        Raises:
            ActivationError: The profile cannot be used. The phone keeps what it had before, then and when
                no certificate is issued, and there is no new certificate.
        """
        invitation = Invitation.read(text)
        key = ec.derive_private_key(1 + self._entropy.below(_ORDER - 1), ec.SECP256R1())
        issue = None if certify is None else partial(_certified, certify, key, invitation.user)
        proof = self._signed(key, invitation.message)
        certificates = activations.activate(invitation.profile, _public(key), proof, issue)
        self.user, self._key, self._certificates = invitation.user, key, certificates

    def answer(self, challenge: Challenge) -> Response:
        """Return the response to a challenge.

        Raises:
            ActivationError: No profile is activated.
        """
        if self._key is None:
            raise ActivationError(f"no profile is activated on {self.name!r}")

        certificate = self._certificates[0] if self._certificates else b""
        return Response(
            challenge.id,
            Algorithm.ECDSA,
            self._signed(self._key, challenge.message),
            certificate,
            b"" if certificate else _public(self._key),
            self._certificates[1:],
            self.name,
        )

    def _signed(self, key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
        deterministic = self._entropy.deterministic
        r, s = decode_dss_signature(
            key.sign(message, ec.ECDSA(SHA256(), deterministic_signing=deterministic))
        )
        return r.to_bytes(_HALF) + s.to_bytes(_HALF)


def _public(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _certified(
    certify: Callable[[bytes], Sequence[bytes]], key: ec.EllipticCurvePrivateKey, user: str
) -> Sequence[bytes]:
    return certify(_request(key, user))


def _request(key: ec.EllipticCurvePrivateKey, user: str) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, user[:64])])
    request = x509.CertificateSigningRequestBuilder(subject).sign(key, SHA256())
    return request.public_bytes(Encoding.DER)
