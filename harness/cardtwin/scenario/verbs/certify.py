"""``certify`` and ``revoke``: certificates of a certificate authority, for keys on the card."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cardtwin.cryptoki.constants import Cka, Ckc, Cko
from cardtwin.cryptoki.values import Attribute
from cardtwin.issuance.authority import CertificationError, RevocationRefusedError
from cardtwin.scenario.effects import PRESENTS, REPLACES
from cardtwin.scenario.errors import UsageError
from cardtwin.scenario.pkcs11.steps import KeyName, SlotStep, UseExpectation
from cardtwin.scenario.step import verb
from cardtwin.scenario.values import Name
from cardtwin.targets import Capability
from cardtwin.targets.access import HolderTemplate, certify_holder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.scenario.pkcs11.sessions import TokenSession
    from cardtwin.scenario.run import Run
    from cardtwin.scenario.values import Value

__all__ = ["Certify", "Revoke"]

_BEGINS: Final = {"past": -800, "now": 0, "future": 400}
"""Days from now until a certificate of a year begins to be valid."""


class CertifyExpectation(UseExpectation):
    """What comes of it."""


@verb("certify", needs={Capability.PKCS11, Capability.OWN}, effects=REPLACES)
class Certify(SlotStep):
    """Have a certificate authority certify a key of the token, and write the certificate to the token.

    The authority is one of Digital Access's site, made where it is named first. `label` is what the
    certificate is called on the token, where the token has no room with a label for it. `valid` tells when:
    it lasts a year. `usage` is its key usage: digitalSignature or nonRepudiation. Other libraries don't
    write to tokens that our profiles have made. Without `expect`, all functions return CKR_OK.
    """

    bound_result: ClassVar[str] = "certificate"

    certify: KeyName
    label: str | None = None
    authority: Name
    name: str = "Holder"
    emails: tuple[str, ...] = ()
    usage: Literal["signs", "consents"] = "signs"
    valid: Literal["past", "now", "future"] = "now"
    expect: CertifyExpectation | None = None

    def use(self, session: TokenSession, run: Run) -> Mapping[str, Value]:
        """Certify and write."""
        key = session.key(self.certify.kind, self.certify.value)
        template = HolderTemplate(self.name, self.emails, self.usage == "signs", _BEGINS[self.valid])
        authority = run.bench.access.authority(self.authority)

        try:
            certificate = certify_holder(authority, session.public_key(key), template)
        except CertificationError as error:
            raise UsageError(str(error)) from None

        der = certificate.public_bytes(Encoding.DER)
        written = (
            Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_CERTIFICATE)),
            Attribute.of(Cka.CKA_CERTIFICATE_TYPE, int(Ckc.CKC_X_509)),
            Attribute.of(Cka.CKA_TOKEN, value=True),
            *(() if self.label is None else (Attribute.of(Cka.CKA_LABEL, self.label),)),
            Attribute(Cka.CKA_ID, key.id),
            Attribute(Cka.CKA_VALUE, der),
        )
        session.in_session("C_CreateObject", written)
        return {"call": "C_CreateObject", "certificate": der}


@verb("revoke", needs={Capability.PKCS11}, effects=PRESENTS)
class Revoke(SlotStep):
    """Have a certificate authority of Digital Access revoke the certificate of a label on the token."""

    revoke: str
    authority: Name
    expect: CertifyExpectation | None = None

    def use(self, session: TokenSession, run: Run) -> Mapping[str, Value]:
        """Revoke."""
        template = (
            Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_CERTIFICATE)),
            Attribute.of(Cka.CKA_LABEL, self.revoke),
        )
        found = session.find(template)

        if len(found) != 1:
            raise UsageError(f"the token shows {len(found) or 'no'} certificates {self.revoke!r}")

        (der,) = session.read(found[0], Cka.CKA_VALUE)
        authority = run.bench.access.published(self.authority)

        try:
            authority.revoke(x509.load_der_x509_certificate(der))
        except RevocationRefusedError as error:
            raise UsageError(str(error)) from None

        return {"call": "C_GetAttributeValue"}
