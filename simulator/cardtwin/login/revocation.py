"""Whether certificates are revoked: by OCSP (RFC 6960), and by revocation lists (RFC 5280, 6.3)."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Protocol

from cryptography import x509

from cardtwin.login.errors import LoginRefusedError, UnreachableError
from cardtwin.login.ocsp import SKEW, OcspError, ask, is_revoked
from cardtwin.login.refusals import Refusal
from cardtwin.provenance.login import REVOCATION_UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from cardtwin.entropy import Entropy
    from cardtwin.login.configuration import CertificateAuthority
    from cardtwin.provenance import Switches

__all__ = ["Revocation", "RevocationSource"]

_NONCE_BYTES: Final = 32


class RevocationSource(Protocol):
    """Where lists and answers come from."""

    def crl(self, address: str) -> bytes:
        """Return the revocation list at an address, in DER.

        Raises:
            UnreachableError: It could not be had.
        """

    def ocsp(self, address: str, request: bytes) -> bytes:
        """Return the responder's answer to a request, in DER.

        Raises:
            UnreachableError: It could not be had.
        """


class _NothingToldError(Exception):
    """Neither yes nor no; the text says why."""


class Revocation:
    """Looks certificates up."""

    def __init__(
        self, source: RevocationSource, entropy: Entropy, now: Callable[[], datetime], switches: Switches
    ) -> None:
        self._source = source
        self._entropy = entropy
        self._now = now
        self._switches = switches

    def check(self, chain: Sequence[x509.Certificate], authority: CertificateAuthority) -> None:
        """See that nothing in a chain is revoked, but for its last certificate, which is trusted as it is.

        Raises:
            LoginRefusedError: Something is, or it cannot be told.
        """
        if not authority.ocsp and not authority.crls:
            return

        for certificate, issuer in pairwise(chain):
            try:
                revoked = self._is_revoked(certificate, issuer, authority)
            except _NothingToldError as error:
                if self._switches[REVOCATION_UNKNOWN] == "refused":
                    raise LoginRefusedError(Refusal.REVOCATION_UNKNOWN, str(error)) from None
            else:
                if revoked:
                    raise LoginRefusedError(Refusal.REVOKED)

    def _is_revoked(
        self, certificate: x509.Certificate, issuer: x509.Certificate, authority: CertificateAuthority
    ) -> bool:
        reasons: list[str] = []

        for lookup in self._lookups(certificate, issuer, authority):
            try:
                return lookup()
            except (_NothingToldError, OcspError, UnreachableError) as error:
                reasons.append(str(error))

        raise _NothingToldError("; ".join(reasons))

    def _lookups(
        self, certificate: x509.Certificate, issuer: x509.Certificate, authority: CertificateAuthority
    ) -> Iterator[Callable[[], bool]]:
        if authority.ocsp:
            yield partial(self._by_ocsp, certificate, issuer, authority.ocsp)

        for address in authority.crls:
            yield partial(self._by_list, certificate, issuer, address)

    def _by_ocsp(self, certificate: x509.Certificate, issuer: x509.Certificate, address: str) -> bool:
        question = ask(certificate, issuer, self._entropy.bytes(_NONCE_BYTES))
        return is_revoked(question, self._source.ocsp(address, question.der), self._now())

    def _by_list(self, certificate: x509.Certificate, issuer: x509.Certificate, address: str) -> bool:
        content = self._source.crl(address)

        try:
            found = x509.load_der_x509_crl(content)
            self._check_list(found, issuer)
            return found.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None
        except _NothingToldError:
            raise
        except Exception:  # noqa: BLE001  # whatever the library says of bytes that somebody sends, and when
            raise _NothingToldError("the list is broken") from None

    def _check_list(self, found: x509.CertificateRevocationList, issuer: x509.Certificate) -> None:
        now, until = self._now(), found.next_update_utc

        if found.issuer != issuer.subject:
            raise _NothingToldError("the list is another issuer's")

        if not _may_sign_lists(issuer) or not found.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type]
            raise _NothingToldError("the list is not signed by the issuer")

        if any(extension.critical for extension in found.extensions):
            raise _NothingToldError("the list has a critical extension: it is no complete list")

        if found.last_update_utc > now + SKEW or until is None or until < now - SKEW:
            raise _NothingToldError("the list is not of this time")


def _may_sign_lists(issuer: x509.Certificate) -> bool:
    try:
        return issuer.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return True
