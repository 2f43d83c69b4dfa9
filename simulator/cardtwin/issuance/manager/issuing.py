"""Issuing a token by a token procedure: what the registration authority asks for, and what it gets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from cardtwin.issuance.authority import (
    ISSUING_CA,
    Contents,
    alternative_emails,
    new_key,
    pkcs12_file,
    read_request,
    subject_of,
)
from cardtwin.issuance.manager.attributes import attribute_certificate
from cardtwin.issuance.manager.errors import IssuanceRefusedError, SerialRefusedError
from cardtwin.issuance.manager.holders import EMAIL, HOLDER, NAMES, Holder
from cardtwin.issuance.manager.issuers import issuer_certificates
from cardtwin.issuance.manager.model import (
    DEFAULT_VIEW,
    Distribution,
    KeyAction,
    ProcedureState,
    StorageProfile,
)
from cardtwin.issuance.manager.pins import letters, make_secrets
from cardtwin.issuance.manager.selection import select
from cardtwin.issuance.manager.serials import Serials
from cardtwin.issuance.manager.tokens import IssuedCertificate, IssuedToken

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa

    from cardtwin.entropy import Entropy
    from cardtwin.issuance.authority import ArchivedKey, Authority, KeyUsage, PublicKey
    from cardtwin.issuance.manager.archive import Archive
    from cardtwin.issuance.manager.letters import Letters
    from cardtwin.issuance.manager.model import (
        InputView,
        KeyProcedure,
        TokenProcedure,
    )
    from cardtwin.issuance.manager.store import Store
    from cardtwin.issuance.manager.tokens import TokenRequest
    from cardtwin.issuance.manager.workbench import Workbench
    from cardtwin.plan import Secret, SecretName
    from cardtwin.provenance import Switches

__all__ = ["Issue", "Parts", "Registration", "referred"]

_NO_SERIAL_BYTES: Final = 16
_DAY: Final = timedelta(days=1)
_Referred = TypeVar("_Referred")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the registration authority works with."""

    store: Store
    workbench: Workbench
    authority: Authority
    archive: Archive
    letters: Letters
    entropy: Entropy
    switches: Switches


class Registration:
    """The registration authority (RA)."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._serials = Serials(parts.store)

    def procedures(self, domain: str) -> Mapping[str, TokenProcedure]:
        """Return the token procedures that can be used for users of a domain, by name."""
        return {
            name: found
            for name, found in self._parts.workbench.procedures().items()
            if found.state is ProcedureState.ACTIVE and found.visible_in(domain)
        }

    def input_view(self, procedure: TokenProcedure) -> InputView:
        """Return the view that shows the fields for a token procedure: its own, or the default one."""
        return self._parts.workbench.policy.input_views.get(procedure.input_view, DEFAULT_VIEW)

    def issue(self, request: TokenRequest) -> IssuedToken:
        """Issue a token: all of it, or nothing.

        Raises:
            IssuanceRefusedError: The procedure, or the request, isn't one by which a token can be issued.
            SerialRefusedError: The serial number is taken, or in no range of the procedure.
            RangeExhaustedError: The range has no number left.
            CertificationError: The authority refuses a certificate request, a name or a password.
            LetterRefusedError: There are characters in the fields that the letter's font hasn't.
        """
        with self._parts.store.change():
            procedure = self._procedure(request)
            self._check_fields(procedure, request.fields)
            serial = self._serial(procedure, request.serial)
            token = serial or self._parts.entropy.bytes(_NO_SERIAL_BYTES).hex()
            return Issue(self._parts, request, procedure, token, serial).all()

    def onto(self, request: TokenRequest) -> Issue:
        """Begin to issue onto a card step by step; its token is made with the first step.

        Without a serial number there is no token that anything could be added to later.

        Raises:
            IssuanceRefusedError: The procedure isn't one by which a token can be issued.
            SerialRefusedError: The serial number isn't in the procedure's range, or is another holder's.
        """
        procedure = self._procedure(request)
        self._check_fields(procedure, request.fields)

        if request.serial and self._serials.is_used(request.serial):
            self._check_holder(request.serial, Holder.of_fields(request.fields))
        elif request.serial:
            self._serial(procedure, request.serial)

        return Issue(self._parts, request, procedure, request.serial, request.serial)

    def new_serial(self, procedure: TokenProcedure) -> str:
        """Return a new card serial number for a token of a procedure; empty where it has none.

        Raises:
            RangeExhaustedError: The range has no number left.
        """
        return self._serial(procedure, "")

    def _procedure(self, request: TokenRequest) -> TokenProcedure:
        procedure = self._parts.workbench.procedures().get(request.procedure)

        if procedure is None:
            message = f"there is no token procedure {request.procedure!r} in effect"
            raise IssuanceRefusedError("no-procedure", message)

        if procedure.state is ProcedureState.CLOSED:
            raise IssuanceRefusedError("closed", f"the token procedure {procedure.name!r} is closed")

        if not procedure.visible_in(request.domain):
            message = f"the token procedure {procedure.name!r} isn't visible in the domain {request.domain}"
            raise IssuanceRefusedError("domain", message)

        return procedure

    def _check_fields(self, procedure: TokenProcedure, fields: Mapping[str, str]) -> None:
        view = self.input_view(procedure)

        if hidden := [name for name in fields if name not in view.fields]:
            message = f"the input view {view.name!r} doesn't show the field {', '.join(hidden)}"
            raise IssuanceRefusedError("input-view", message)

        if not fields.get(HOLDER):
            raise IssuanceRefusedError("no-holder", f"the field {HOLDER!r} has to be filled in")

    def _check_holder(self, serial: str, holder: Holder) -> None:
        """See that a token is of a holder, as far as certificates and PIN letters tell whose it is."""
        letter = self._parts.letters.of_token(serial)
        certified = self._parts.authority.of_token(serial)
        holders = [Holder.of_certificate(certificate, serial) for certificate in certified]

        if letter is not None:
            holders.append(Holder.of_fields(letter.fields))

        if not all(holder.is_same(other) for other in holders):
            raise SerialRefusedError(
                f"the token with the serial number {serial} is another holder's: give the card a new number"
            )

    def _serial(self, procedure: TokenProcedure, given: str) -> str:
        if procedure.serial_range is None:
            if given:
                message = f"the token procedure {procedure.name!r} has no card serial number"
                raise IssuanceRefusedError("no-serial-number", message)

            return ""

        if not given:
            return self._serials.take(procedure.serial_range, procedure.name)

        self._serials.use(given, procedure.serial_range, procedure.name)
        return given


def referred(known: Mapping[str, _Referred], name: str, kind: str) -> _Referred:
    """Return what a token procedure in effect refers to; the policy may have changed since it was signed.

    Raises:
        IssuanceRefusedError: The policy doesn't have it any more.
    """
    if name not in known:
        message = f"there is no {kind} procedure {name!r} any more: set it up, or modify the token procedure"
        raise IssuanceRefusedError("no-referred-procedure", message)

    return known[name]


class Issue:
    """The issuing of one token."""

    def __init__(
        self, parts: Parts, request: TokenRequest, procedure: TokenProcedure, token: str, serial: str
    ) -> None:
        self._policy = parts.workbench.policy
        self._authority = parts.authority
        self._archive = parts.archive
        self._letters = parts.letters
        self._entropy = parts.entropy
        self._switches = parts.switches
        self._request = request
        self._procedure = procedure
        self._token = token
        self._serial = serial
        self._certificates: list[IssuedCertificate] = []
        self._recovered: list[x509.Certificate] = []
        self._files: list[bytes] = []
        self._chosen = [
            referred(self._policy.certificate_procedures, name, "certificate")
            for name in procedure.certificate_procedures
        ]

    def all(self) -> IssuedToken:
        """Issue all that the procedure has."""
        if self._request.requests and self._is_attributes():
            raise IssuanceRefusedError("no-keys", "an attribute certificate file has no keys")

        for request in self._request.requests:
            asked = read_request(request)
            self.certify(asked.key, asked.usage)

        self._keys()
        attributes = self._attributes()
        secrets, in_letters = self._secrets()
        letter = self.enter_letter()
        issuers = issuer_certificates(
            self._authority,
            self._procedure,
            [found.certificate for found in self._certificates],
            self._recovered,
            self._chosen,
        )
        return IssuedToken(
            self._token,
            self._serial,
            tuple(self._certificates),
            tuple(self._files),
            issuers,
            attributes,
            secrets,
            in_letters,
            letter,
        )

    def _is_attributes(self) -> bool:
        return self._procedure.storage_profile is StorageProfile.ATTRIBUTE_CERTIFICATE_FILE

    def certify(self, key: PublicKey, usage: frozenset[KeyUsage]) -> x509.Certificate:
        """Issue the certificate for a key, by the certificate procedure for that key usage."""
        procedure = select(self._chosen, usage, self._switches)
        email = self._request.fields.get(EMAIL)
        contents = Contents(
            self._subject(),
            key,
            usage or procedure.usage,
            alternative_emails(email) if email else None,
            life=procedure.days * _DAY,
        )
        certificate = self._authority.certify(contents, issuer=procedure.issuer, token=self._token)
        self._certificates.append(IssuedCertificate(procedure.name, certificate))
        return certificate

    def _subject(self) -> x509.Name:
        fields = {**self._request.fields, **({"Serial number": self._serial} if self._serial else {})}
        return subject_of((oid, fields[name]) for name, oid in NAMES.items() if fields.get(name))

    def _keys(self) -> None:
        known = self._policy.key_procedures
        procedures = [referred(known, name, "key") for name in self._procedure.key_procedures]

        for procedure in procedures:
            if procedure.action is KeyAction.ARCHIVE:
                self.archive_new(procedure)

        for procedure in self._selected([key for key in procedures if key.action is KeyAction.RECOVER]):
            for recovered in self._archive.of(self._request.fields[HOLDER], procedure.usage):
                if recovered.token != self._token and self._is_holder_of(recovered):
                    self._recover(procedure, recovered)

    def _is_holder_of(self, archived: ArchivedKey) -> bool:
        """Whether an archived key is the request's holder's, and no namesake's."""
        owner = Holder.of_certificate(archived.certificate, archived.token)
        return owner.is_same(Holder.of_fields(self._request.fields))

    def _selected(self, procedures: Sequence[KeyProcedure]) -> Sequence[KeyProcedure]:
        """Return the procedures to recover by: the only one; with several those that are selected."""
        wanted = self._request.recovery

        if wanted is None:
            return procedures if len(procedures) == 1 else ()

        if unknown := set(wanted) - {procedure.name for procedure in procedures}:
            names = ", ".join(sorted(unknown))
            raise IssuanceRefusedError("no-recovery", f"the token procedure doesn't recover by {names}")

        return [procedure for procedure in procedures if procedure.name in wanted]

    def archive_new(self, procedure: KeyProcedure) -> bytes:
        """Make a key, issue its certificate, archive it, and return both as PKCS #12."""
        key = new_key(procedure.bits)
        certificate = self.certify(key.public_key(), procedure.usage)
        self._archive.put(self._request.fields[HOLDER], certificate, key)
        return self._give(certificate, key)

    def _recover(self, procedure: KeyProcedure, recovered: ArchivedKey) -> None:
        if not procedure.reuse:
            certificate = self.certify(recovered.key.public_key(), procedure.usage)
            self._give(certificate, recovered.key)
            return

        self._recovered.append(recovered.certificate)
        self._certificates.append(IssuedCertificate("", recovered.certificate))
        self._give(recovered.certificate, recovered.key)

    def _give(self, certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> bytes:
        name = self._request.fields[HOLDER]
        self._files.append(pkcs12_file(name, certificate, key, self._request.password))
        return self._files[-1]

    def _attributes(self) -> tuple[bytes, ...]:
        issuer = self._authority.ca(ISSUING_CA)
        return tuple(
            attribute_certificate(
                referred(self._policy.attribute_procedures, name, "attribute certificate"),
                self._subject(),
                issuer,
                self._authority.new_number(),
                self._authority.now(),
            )
            for name in self._procedure.attribute_procedures
        )

    def _secrets(self) -> tuple[Mapping[SecretName, Secret], Mapping[int, Mapping[SecretName, Secret]]]:
        if not self._procedure.pin_procedure:
            return {}, {}

        procedure = referred(self._policy.pin_procedures, self._procedure.pin_procedure, "PIN")
        secrets = make_secrets(procedure, self._request.chosen, self._entropy)
        kept = {
            name: secrets[name]
            for name, rule in procedure.rules
            if rule.distribution is not Distribution.CHOSEN
        }
        self._archive.keep_secrets(self._token, kept)
        return secrets, letters(procedure, secrets)

    def enter_letter(self) -> str:
        """Enter the token's PIN letters to be printed, and return their ID; empty where it has none.

        Raises:
            LetterRefusedError: There are characters in it that its font hasn't.
        """
        if not self._procedure.pin_procedure:
            return ""

        procedure = referred(self._policy.pin_procedures, self._procedure.pin_procedure, "PIN")
        return self._letters.enter(self._token, self._serial, procedure, self._request.fields)
