"""Attribute certificates (RFC 5755): a role for a holder, signed by a CA."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from asn1crypto import cms, core
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

    from cardtwin.issuance.authority import Ca
    from cardtwin.issuance.manager.model import AttributeProcedure

__all__ = ["attribute_certificate"]

_SIGNATURE: Final = {"algorithm": "sha256_ecdsa"}
_ROLE: Final = "2.5.4.72"
_DAY: Final = timedelta(days=1)


def attribute_certificate(
    procedure: AttributeProcedure, holder: x509.Name, issuer: Ca, number: int, now: datetime
) -> bytes:
    """Return an attribute certificate in DER for a holder, who is named by the subject (RFC 5755, 4.2.2).

    Raises:
        ValidityRefusedError: It would end later than its issuer.
    """
    end = now + procedure.days * _DAY
    issuer.check_end(end)
    info = cms.AttributeCertificateInfoV2(
        {
            "version": "v2",
            "holder": {"entity_name": [_directory_name(holder)]},
            "issuer": cms.AttCertIssuer(
                name="v2_form",
                value=cms.V2Form({"issuer_name": [_directory_name(issuer.certificate.subject)]}),
            ),
            "signature": _SIGNATURE,
            "serial_number": number,
            "att_cert_validity_period": {
                "not_before_time": core.GeneralizedTime(now),
                "not_after_time": core.GeneralizedTime(end),
            },
            "attributes": [_role(procedure.role)],
        }
    )
    signature = issuer.key.sign(info.dump(), ec.ECDSA(SHA256()))
    certificate: bytes = cms.AttributeCertificateV2(
        {"ac_info": info, "signature_algorithm": _SIGNATURE, "signature": signature}
    ).dump()
    return certificate


def _directory_name(name: x509.Name) -> Any:
    return asn1_x509.GeneralName(name="directory_name", value=asn1_x509.Name.load(name.public_bytes()))


def _role(role: str) -> Any:
    """Return the attribute role (RFC 5755, 4.4.5), the role's name as a URI."""
    syntax = cms.RoleSyntax(
        {"role_name": asn1_x509.GeneralName("uniform_resource_identifier", f"urn:{role}")}
    )
    return cms.AttCertAttribute({"type": _ROLE, "values": [syntax]})
