"""Whose a token or an archived key is: what certificates say of their holders, and what a request says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from cryptography import x509

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EMAIL", "HOLDER", "NAMES", "Holder"]

HOLDER: Final = "Common name"
"""The field that has to be filled in."""

EMAIL: Final = "E-mail"
_NUMBER: Final = "Serial number"
_ORGANISATION: Final = "Organisation"

NAMES: Final = {
    HOLDER: x509.NameOID.COMMON_NAME,
    _ORGANISATION: x509.NameOID.ORGANIZATION_NAME,
    _NUMBER: x509.NameOID.SERIAL_NUMBER,
}
"""The fields that stand in a subject, in their order."""


@dataclass(frozen=True, slots=True)
class Holder:
    """What tells one holder from another; what wasn't filled in is empty.

    Attributes:
        name: The common name.
        organisation: The organisation.
        email: The e-mail address.
        number: The holder's own serial number; None where the card's stands in its place.
    """

    name: str
    organisation: str
    email: str
    number: str | None

    @classmethod
    def of_fields(cls, fields: Mapping[str, str]) -> Holder:
        """Return the holder that the fields of a request are about."""
        name, organisation, email, number = (
            fields.get(field, "") for field in (HOLDER, _ORGANISATION, EMAIL, _NUMBER)
        )
        return cls(name, organisation, email, number)

    @classmethod
    def of_certificate(cls, certificate: x509.Certificate, token: str) -> Holder:
        """Return the holder of a certificate on a token; a card's serial number is none of the holder's."""
        number = _in_subject(certificate, _NUMBER)
        return cls(
            _in_subject(certificate, HOLDER),
            _in_subject(certificate, _ORGANISATION),
            _email(certificate),
            None if number and number == token else number,
        )

    def is_same(self, other: Holder) -> bool:
        """Whether both are one: all is equal, and the numbers are where both are known."""
        if self.number is None or other.number is None:
            return replace(self, number=None) == replace(other, number=None)

        return self == other


def _in_subject(certificate: x509.Certificate, field: str) -> str:
    return "".join(str(found.value) for found in certificate.subject.get_attributes_for_oid(NAMES[field]))


def _email(certificate: x509.Certificate) -> str:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ""

    return "".join(names.get_values_for_type(x509.RFC822Name))
