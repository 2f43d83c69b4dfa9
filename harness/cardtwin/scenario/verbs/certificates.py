"""``read_certificate`` and ``cm_token``: what an encoding with applications leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import Field

from cardtwin.cryptoki.constants import Cka, Cko
from cardtwin.cryptoki.values import Attribute
from cardtwin.scenario.effects import PRESENTS, READS
from cardtwin.scenario.matchers import FlagMatcher, PrivateTextMatcher, TextListMatcher, TextMatcher
from cardtwin.scenario.pkcs11.sessions import AbsentError
from cardtwin.scenario.pkcs11.steps import SlotStep, UseExpectation
from cardtwin.scenario.step import Expectation, Observed, Step, verb
from cardtwin.targets import Capability

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.scenario.managing import Managing
    from cardtwin.scenario.pkcs11.sessions import TokenSession
    from cardtwin.scenario.run import Run
    from cardtwin.scenario.values import Value
    from cardtwin.targets.certificates import CertificateManager

__all__ = ["CmToken", "ReadCertificate"]

_USAGES = ("digital_signature", "content_commitment", "key_encipherment")


class CertificateExpectation(UseExpectation):
    """What a certificate says: `number` is the card serial number in its subject, `usage` its key usage.

    `issued` tells whether Certificate Manager has issued it, `key` whether the token shows the
    private key for it under its identifier, which takes a login.
    """

    subject: TextMatcher | None = None
    issuer: TextMatcher | None = None
    number: TextMatcher | None = None
    usage: TextListMatcher | None = None
    issued: FlagMatcher | None = None
    key: FlagMatcher | None = None


@verb("read_certificate", needs={Capability.PKCS11}, effects=PRESENTS)
class ReadCertificate(SlotStep):
    """Look at the certificate of a label on the token. Without `expect`, there is one."""

    read_certificate: str
    expect: CertificateExpectation | None = None

    def use(self, session: TokenSession, run: Run) -> Mapping[str, Value]:
        """Read it."""
        of_class = Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_CERTIFICATE))
        found = session.find((of_class, Attribute.of(Cka.CKA_LABEL, self.read_certificate)))

        if len(found) != 1:
            raise AbsentError(
                f"{len(found) or 'no'} certificates called {self.read_certificate!r} are to be seen"
            )

        der, identifier = session.read(found[0], Cka.CKA_VALUE, Cka.CKA_ID)
        certificate = x509.load_der_x509_certificate(der)
        numbers = certificate.subject.get_attributes_for_oid(x509.NameOID.SERIAL_NUMBER)
        return {
            "call": "C_GetAttributeValue",
            "subject": certificate.subject.rfc4514_string(),
            "issuer": certificate.issuer.rfc4514_string(),
            "number": str(numbers[0].value) if numbers else None,
            "usage": _usage(certificate),
            "issued": run.bench.certificate_manager.has_issued(certificate),
            "key": _has_key(session, certificate, identifier),
        }


def _usage(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return ()

    return tuple(name for name in _USAGES if getattr(usage, name))


def _has_key(session: TokenSession, certificate: x509.Certificate, identifier: bytes) -> bool:
    info = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    of_class = Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_PRIVATE_KEY))
    keys = session.find((of_class, Attribute(Cka.CKA_ID, identifier)))
    return [session.read(key, Cka.CKA_PUBLIC_KEY_INFO) for key in keys] == [(info,)]


class CmTokenExpectation(Expectation):
    """What Certificate Manager knows of the token: whether it does, and its secrets.

    `subjects` are those of the token's certificates, in the order in which they were issued.
    """

    main: ClassVar[str] = "known"
    known: FlagMatcher | None = None
    secrets: dict[str, PrivateTextMatcher] = Field(default_factory=dict)
    subjects: TextListMatcher | None = None


@verb("cm_token", needs={Capability.PERSONAL}, effects=READS)
class CmToken(Step):
    """Ask Certificate Manager for the token of a card serial number. Without `expect`, it knows it."""

    addressed: ClassVar[frozenset[str]] = frozenset()

    cm_token: str
    expect: CmTokenExpectation | None = None

    def run(self, run: Run) -> Observed:
        """Ask."""
        manager: CertificateManager | Managing = run.bench.certificate_manager
        found = manager.secrets(self.cm_token)

        if found is None and run.is_managed:
            manager = run.managing
            found = manager.secrets(self.cm_token)

        secrets: dict[str, Value] = {str(name): secret for name, secret in (found or {}).items()}
        certificates = manager.certificates(self.cm_token)
        values: dict[str, Value] = {
            "known": found is not None,
            "secrets": secrets,
            "subjects": tuple(certificate.subject.rfc4514_string() for certificate in certificates),
        }
        note = f"Certificate Manager has no token with the card serial number {self.cm_token!r}"
        return Observed(values, success=found is not None, note="" if found is not None else note)
