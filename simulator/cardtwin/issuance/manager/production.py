"""Certificate Manager as the server's side of encodings: certificates, archived keys, the cards' secrets."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding

from cardtwin.encoding import AuthorityError
from cardtwin.issuance.authority import read_request
from cardtwin.issuance.errors import IssuanceError
from cardtwin.issuance.manager.errors import IssuanceRefusedError, SerialRefusedError
from cardtwin.issuance.manager.holders import HOLDER
from cardtwin.issuance.manager.issuing import referred
from cardtwin.issuance.manager.model import ROOT_DOMAIN, KeyAction
from cardtwin.issuance.manager.serials import Serials
from cardtwin.issuance.manager.tokens import TokenRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cryptography import x509

    from cardtwin.issuance.manager.manager import CertificateManager
    from cardtwin.issuance.manager.model import KeyProcedure, TokenProcedure
    from cardtwin.issuance.manager.store import Store
    from cardtwin.plan import Secret, SecretName

__all__ = ["Production"]


class Production:
    """One card's production by a token procedure.

    Implements ``CertificateAuthority`` and ``CardProductionPostProcessor`` of :mod:`cardtwin.encoding`.
    CertTempl names a token procedure; the certificate procedure is selected by the request's key usage. All
    that is issued under one serial number belongs to one token.
    """

    def __init__(
        self,
        store: Store,
        manager: CertificateManager,
        procedure: str,
        holder: str,
        domain: str = ROOT_DOMAIN,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        """Begin a production.

        Args:
            store: The state.
            manager: What issues.
            procedure: The token procedure whose range gives serial numbers.
            holder: Whose card it is; the common name in its certificates.
            domain: The holder's domain.
            fields: What else the input view asks for, such as ``E-mail``.
        """
        self._store = store
        self._manager = manager
        self._serials = Serials(store)
        self._own = procedure
        self._fields = {**(fields or {}), HOLDER: holder}
        self._domain = domain

    def issue(self, request: bytes, template: str, serial: str) -> bytes:
        """Return the certificate (DER) for a PKCS#10 request (DER).

        Raises:
            AuthorityError: The token procedure, the request or the serial number is refused.
        """
        with self._asked():
            asked = read_request(request)
            found = self._manager.registration.onto(self._request(template, serial))
            return found.certify(asked.key, asked.usage).public_bytes(Encoding.DER)

    def issue_archived(self, template: str, serial: str, password: Secret, bits: int) -> bytes:
        """Make an RSA key, archive it, and return it with its certificate as PKCS#12 (DER).

        Raises:
            AuthorityError: The token procedure archives no keys, or something else is refused.
        """
        with self._asked():
            found = self._manager.registration.onto(
                replace(self._request(template, serial), password=password)
            )
            return found.archive_new(replace(self._archiving(template), bits=bits))

    def new_serial(self) -> str:
        """Return a new card serial number out of the procedure's range; empty where it has none.

        Raises:
            AuthorityError: The range has no number left, or the procedure isn't one to be used.
        """
        with self._asked():
            return self._manager.registration.new_serial(self._procedure(self._own))

    def produced(self, serial: str, secrets: Mapping[SecretName, Secret]) -> None:
        """Set the card secrets on the token of that serial number; a token is made where there is none.

        PIN letters tell what the token's PIN procedure puts into letters.

        Raises:
            AuthorityError: The serial number is in no range of the procedure.
        """
        with self._asked():
            issue = self._manager.registration.onto(self._request(self._own, serial))

            if not self._serials.is_used(serial):
                raise SerialRefusedError("a card without serial number has no token")

            self._manager.archive.keep_secrets(serial, secrets)
            issue.enter_letter()

    def certificates(self, serial: str) -> tuple[x509.Certificate, ...]:
        """Return the certificates of the token with a serial number, in the order of their issue."""
        return self._manager.authority.of_token(serial) if serial else ()

    def has_issued(self, certificate: x509.Certificate) -> bool:
        """Whether Certificate Manager has issued a certificate."""
        return self._manager.authority.has_issued(certificate)

    def secrets(self, serial: str) -> Mapping[SecretName, Secret] | None:
        """Return the secrets of the token with a serial number; None where there is none."""
        return self._manager.archive.secrets(serial) if self._serials.is_used(serial) else None

    def _request(self, procedure: str, serial: str) -> TokenRequest:
        return TokenRequest(procedure, self._fields, self._domain, serial=serial)

    def _procedure(self, name: str) -> TokenProcedure:
        found = self._manager.registration.procedures(self._domain).get(name)

        if found is None:
            raise IssuanceRefusedError("no-procedure", f"there is no token procedure {name!r} to be used")

        return found

    def _archiving(self, name: str) -> KeyProcedure:
        known = self._manager.workbench.policy.key_procedures

        for key in self._procedure(name).key_procedures:
            if (found := referred(known, key, "key")).action is KeyAction.ARCHIVE:
                return found

        raise IssuanceRefusedError("no-archive", f"the token procedure {name!r} archives no keys")

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """Do all in the block or nothing, and tell an encoding what is refused."""
        try:
            with self._store.change():
                yield
        except IssuanceError as error:
            raise AuthorityError(str(error)) from None
