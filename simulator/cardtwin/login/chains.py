"""Whether a certificate leads to the selected certificate authority, is valid and meant for this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from cardtwin.login.errors import LoginRefusedError
from cardtwin.login.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from cryptography.x509.verification import Policy

    from cardtwin.login.configuration import CertificateAuthority

__all__ = ["chain_of", "read_certificate", "read_certificates"]

E = TypeVar("E", bound=x509.ExtensionType)

_PURPOSES: Final = {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}


def read_certificate(der: bytes) -> x509.Certificate:
    """Return a certificate, its extensions and its key read once.

    Raises:
        LoginRefusedError: It is none.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        _ = certificate.extensions, certificate.public_key(), certificate.subject
    except Exception:  # noqa: BLE001  # whatever the library says of bytes that somebody sends
        raise LoginRefusedError(Refusal.BROKEN_CERTIFICATE) from None

    return certificate


def read_certificates(ders: Iterable[bytes]) -> tuple[x509.Certificate, ...]:
    """Return several certificates.

    Raises:
        LoginRefusedError: One is none.
    """
    return tuple(map(read_certificate, ders))


def chain_of(
    certificate: x509.Certificate,
    others: Iterable[x509.Certificate],
    authority: CertificateAuthority,
    now: datetime,
) -> tuple[x509.Certificate, ...]:
    """Return the chain from a certificate to one that the authority is trusted by, both included.

    Raises:
        LoginRefusedError: The certificate is not meant for signatures, is not valid now, or no chain leads
            to the authority.
    """
    _check_usage(certificate)

    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise LoginRefusedError(Refusal.OUTSIDE_VALIDITY)

    verifier = (
        PolicyBuilder()
        .store(Store(list(authority.certificates)))
        .time(now)
        .extension_policies(ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=_HOLDERS)
        .build_client_verifier()
    )

    try:
        return tuple(verifier.verify(certificate, [*others, *authority.intermediates]).chain)
    except VerificationError:
        raise LoginRefusedError(Refusal.UNTRUSTED, f"of {authority.name!r}") from None


def _no_authority(_: Policy, __: x509.Certificate, found: x509.BasicConstraints | None) -> None:
    if found is not None and found.ca:
        raise ValueError("this is a certificate of a certificate authority")


_HOLDERS: Final = (
    ExtensionPolicy.permit_all()
    .may_be_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None)
    .may_be_present(x509.BasicConstraints, Criticality.AGNOSTIC, _no_authority)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, None)
    .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, None)
)
"""What certificates of card holders have: fewer extensions are asked for than of servers on the web."""


def _check_usage(certificate: x509.Certificate) -> None:
    usage = _extension(certificate, x509.KeyUsage)

    if usage is not None and not usage.digital_signature:
        raise LoginRefusedError(Refusal.UNSUITABLE_KEY, "its key usage lacks digitalSignature")

    purposes = _extension(certificate, x509.ExtendedKeyUsage)

    if purposes is not None and _PURPOSES.isdisjoint(purposes):
        raise LoginRefusedError(Refusal.UNSUITABLE_KEY, "its extended key usages lack clientAuth")


def _extension(certificate: x509.Certificate, kind: type[E]) -> E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
