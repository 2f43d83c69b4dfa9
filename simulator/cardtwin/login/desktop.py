"""Personal Desktop's part of a login: it offers the card's certificates, and signs with the one chosen."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from cardtwin.cryptoki.constants import Cka, Ckc, Ckm, Cko
from cardtwin.cryptoki.values import Attribute, Buffer, Mechanism
from cardtwin.login.errors import NothingToSignWithError
from cardtwin.login.responses import Algorithm, Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cardtwin.login.challenges import Challenge

__all__ = ["Offered", "PersonalDesktop", "Session"]

_ENOUGH: Final = 1 << 12


class Session(Protocol):
    """A session with a token, by any PKCS#11 library; what fails raises the session's own errors."""

    def in_session(self, name: str, *arguments: object) -> tuple[Any, ...]:
        """Call a function whose first argument is the session, and return its results."""

    def find(self, template: Sequence[Attribute]) -> tuple[int, ...]:
        """Return the handles of all objects with these attributes."""

    def read(self, handle: int, *kinds: int) -> tuple[bytes, ...]:
        """Return the values of attributes."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A certificate that the user can choose.

    Attributes:
        label: Its label on the card.
        certificate: The certificate, in DER.
        key: The handle of its private key.
    """

    label: str
    certificate: bytes
    key: int

    @property
    def issuer(self) -> str:
        """Who has issued it, as RFC 4514 writes names."""
        return x509.load_der_x509_certificate(self.certificate).issuer.rfc4514_string()


class PersonalDesktop:
    """Personal Desktop Client with one token, whose user is logged in."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def offer(self) -> tuple[Offered, ...]:
        """Return the certificates for which the token has a private key, of every authority (DA-02)."""
        return tuple(self._offered())

    def answer(self, challenge: Challenge, label: str) -> Response:
        """Sign a challenge with the key of a certificate, and return the response.

        Raises:
            NothingToSignWithError: Not one certificate with that label and a private key is offered.
        """
        found = [offered for offered in self.offer() if offered.label == label]

        if len(found) != 1:
            raise NothingToSignWithError(f"{len(found) or 'no'} certificates {label!r} with a key are there")

        algorithm, signature = self._sign(found[0], challenge.message)
        others = tuple(der for der in self._certificates() if der != found[0].certificate)
        return Response(challenge.id, algorithm, signature, found[0].certificate, others=others)

    def _offered(self) -> Iterable[Offered]:
        for handle in self._session.find(_template(Cko.CKO_CERTIFICATE)):
            label, der, id_ = self._session.read(handle, Cka.CKA_LABEL, Cka.CKA_VALUE, Cka.CKA_ID)
            keys = self._session.find((*_template(Cko.CKO_PRIVATE_KEY), Attribute(Cka.CKA_ID, id_)))

            if id_ and keys:
                yield Offered(label.decode("utf-8", errors="replace"), der, keys[0])

    def _certificates(self) -> Iterable[bytes]:
        for handle in self._session.find(_template(Cko.CKO_CERTIFICATE)):
            yield self._session.read(handle, Cka.CKA_VALUE)[0]

    def _sign(self, offered: Offered, message: bytes) -> tuple[Algorithm, bytes]:
        key = x509.load_der_x509_certificate(offered.certificate).public_key()

        if isinstance(key, rsa.RSAPublicKey):
            return Algorithm.RSA_PKCS1, self._signature(offered.key, Ckm.CKM_SHA256_RSA_PKCS, message)

        digest = hashlib.sha256(message).digest()  # every token with such keys has CKM_ECDSA itself
        return Algorithm.ECDSA, self._signature(offered.key, Ckm.CKM_ECDSA, digest)

    def _signature(self, key: int, mechanism: Ckm, data: bytes) -> bytes:
        self._session.in_session("C_SignInit", Mechanism(int(mechanism)), key)
        (answer,) = self._session.in_session("C_Sign", data, Buffer(_ENOUGH))
        return bytes(answer.content)


def _template(kind: Cko) -> tuple[Attribute, ...]:
    certificate = (Attribute.of(Cka.CKA_CERTIFICATE_TYPE, int(Ckc.CKC_X_509)),)
    return (
        Attribute.of(Cka.CKA_CLASS, int(kind)),
        *(certificate if kind is Cko.CKO_CERTIFICATE else ()),
    )
