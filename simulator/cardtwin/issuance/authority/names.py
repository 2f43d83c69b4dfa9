"""Names in certificates: subjects and alternative names made of texts that people have entered."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cryptography import x509

from cardtwin.issuance.authority.errors import NameRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["LONGEST_NAME", "alternative_emails", "subject_of"]

LONGEST_NAME: Final = 64
"""Characters of a common name (ub-common-name, RFC 5280, A.1)."""

_CALLED: Final[Mapping[x509.ObjectIdentifier, str]] = {
    x509.NameOID.COMMON_NAME: "common name",
    x509.NameOID.ORGANIZATION_NAME: "organisation",
    x509.NameOID.SERIAL_NUMBER: "serial number",
}
_RULES: Final[Mapping[x509.ObjectIdentifier, str]] = {
    x509.NameOID.COMMON_NAME: f"it has 1 to {LONGEST_NAME} characters (RFC 5280, A.1)",
    x509.NameOID.SERIAL_NUMBER: "it is a PrintableString of 1 to 64 characters (RFC 5280, A.1): letters from "
    "A to Z, digits, blanks and ' ( ) + , - . / : = ?",
}
_PRINTABLE: Final = re.compile(r"[A-Za-z0-9 '()+,\-./:=?]{1,64}")


def subject_of(
    parts: Iterable[tuple[x509.ObjectIdentifier, str]], before: x509.Name | None = None
) -> x509.Name:
    """Return a subject.

    Args:
        parts: What attributes it has, in their order.
        before: A subject to which they are added.

    Raises:
        NameRefusedError: A text can't stand there; the message says what could.
    """
    return x509.Name([*(before or ()), *(_attribute(oid, text) for oid, text in parts)])


def _attribute(oid: x509.ObjectIdentifier, text: str) -> x509.NameAttribute[str]:
    # What is no PrintableString, the library sees only when it signs.
    if oid == x509.NameOID.SERIAL_NUMBER and not _PRINTABLE.fullmatch(text):
        raise _refused(oid, text)

    try:
        attribute = x509.NameAttribute(oid, text)
        x509.Name([attribute]).public_bytes()
    except ValueError:
        raise _refused(oid, text) from None

    return attribute


def _refused(oid: x509.ObjectIdentifier, text: str) -> NameRefusedError:
    called = _CALLED.get(oid, oid.dotted_string)
    rule = _RULES.get(oid, "it is a text in Unicode, and not empty")
    return NameRefusedError(f"{text!r} is no {called} in a certificate: {rule}")


def alternative_emails(*addresses: str) -> x509.SubjectAlternativeName:
    """Return the alternative names of e-mail addresses (RFC 5280, 4.2.1.6).

    Raises:
        NameRefusedError: One is none.
    """
    return x509.SubjectAlternativeName([_email(address) for address in addresses])


def _email(address: str) -> x509.RFC822Name:
    try:
        return x509.RFC822Name(address)
    except ValueError:
        raise NameRefusedError(
            f"{address!r} is no e-mail address in a certificate: it is local@domain in ASCII, and no "
            "more; letters of a domain that aren't are written xn--... (RFC 5280, 4.2.1.6)"
        ) from None
