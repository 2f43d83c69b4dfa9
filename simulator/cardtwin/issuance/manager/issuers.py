"""Which certificates of CAs go onto a token (CM-06, CM-07)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.issuance.manager.model import IssuerCertificates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cryptography import x509

    from cardtwin.issuance.authority import Authority
    from cardtwin.issuance.manager.model import CertificateProcedure, TokenProcedure

__all__ = ["issuer_certificates"]

_STORED: Final[
    Mapping[IssuerCertificates, Callable[[tuple[x509.Certificate, ...]], Iterable[x509.Certificate]]]
] = {
    IssuerCertificates.ALL: lambda chain: chain,
    IssuerCertificates.NONE: lambda _chain: (),
    IssuerCertificates.ROOT: lambda chain: chain[-1:],
    IssuerCertificates.ISSUING: lambda chain: chain[:1],
}
"""What each policy takes of a chain, whose first is the issuing CA and whose last is the root."""


def issuer_certificates(
    authority: Authority,
    procedure: TokenProcedure,
    issued: Iterable[x509.Certificate],
    recovered: Sequence[x509.Certificate],
    configured: Iterable[CertificateProcedure],
) -> tuple[x509.Certificate, ...]:
    """Return the certificates of CAs that a token procedure stores, each once.

    Args:
        authority: Who knows the CAs.
        procedure: The token procedure.
        issued: The token's certificates.
        recovered: Those of them that were recovered with their keys.
        configured: The certificate procedures. Other CAs than theirs are those of recovered certificates
            only, and stored only where the procedure says so.
    """
    if procedure.issuer_certificates is None:
        return ()

    own = {authority.ca(found.issuer).certificate.subject for found in configured}
    found: dict[x509.Certificate, None] = {}

    for certificate in issued:
        foreign = certificate in recovered and certificate.issuer not in own

        if not foreign or procedure.recovered_cas:
            chain = authority.chain(certificate)
            found.update(dict.fromkeys(_STORED[procedure.issuer_certificates](chain)))

    return tuple(found)
