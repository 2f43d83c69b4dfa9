"""Certificate attributes: what of a certificate can be compared with an attribute of user accounts (DA-04).

Another one is added by registration::

    @certificate_attribute("subject-employeenumber")
    def employee_number(certificate: x509.Certificate) -> Iterable[str]: ...
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from cryptography import x509
from cryptography.x509.oid import NameOID, ObjectIdentifier

from cardtwin.iso7816 import Tlv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Reader: TypeAlias = "Callable[[x509.Certificate], Iterable[str]]"

__all__ = ["attribute_values", "certificate_attribute", "certificate_attributes"]

_UPN: Final = ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
_UTF8_STRING: Final = 0x0C

_readers: dict[str, Reader] = {}


def certificate_attribute(name: str) -> Callable[[Reader], Reader]:
    """Register a function that returns the values of an attribute. Names are compared without regard to case.

    Raises:
        ValueError: The name is taken.
    """

    def register(reader: Reader) -> Reader:
        if name.casefold() in _readers:
            raise ValueError(f"there is a certificate attribute {name!r} already")

        _readers[name.casefold()] = reader
        return reader

    return register


def certificate_attributes() -> Mapping[str, Reader]:
    """Return the functions of all certificate attributes by name."""
    return dict(_readers)


def attribute_values(certificate: x509.Certificate, name: str) -> tuple[str, ...]:
    """Return the values that a certificate has for an attribute; none where it doesn't have it.

    Raises:
        KeyError: There is no such attribute.
        ValueError: What holds the attribute cannot be read.
    """
    return tuple(value for value in _readers[name.casefold()](certificate) if value)


def _alternative_names(certificate: x509.Certificate) -> Iterable[x509.GeneralName]:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()


@certificate_attribute("subjectaltname-emailaddress")
def _email(certificate: x509.Certificate) -> Iterator[str]:
    return (name.value for name in _alternative_names(certificate) if isinstance(name, x509.RFC822Name))


@certificate_attribute("subjectaltname-dnsname")
def _dns_name(certificate: x509.Certificate) -> Iterator[str]:
    return (name.value for name in _alternative_names(certificate) if isinstance(name, x509.DNSName))


@certificate_attribute("subjectaltname-uri")
def _uri(certificate: x509.Certificate) -> Iterator[str]:
    names = _alternative_names(certificate)
    return (name.value for name in names if isinstance(name, x509.UniformResourceIdentifier))


@certificate_attribute("subjectaltname-userprincipalname")
def _user_principal_name(certificate: x509.Certificate) -> Iterator[str]:
    """The otherName that Windows logs users in with: a UTF8String."""
    for name in _alternative_names(certificate):
        if isinstance(name, x509.OtherName) and name.type_id == _UPN:
            found = Tlv.parse(name.value)

            if found.tag == _UTF8_STRING:
                yield found.value.decode("utf-8", errors="replace")


def _of_subject(kind: ObjectIdentifier, certificate: x509.Certificate) -> Iterator[str]:
    for attribute in certificate.subject.get_attributes_for_oid(kind):
        if isinstance(attribute.value, str):
            yield attribute.value


for _name, _kind in {
    "subject-emailaddress": NameOID.EMAIL_ADDRESS,
    "subject-commonname": NameOID.COMMON_NAME,
    "subject-serialnumber": NameOID.SERIAL_NUMBER,
    "subject-userid": NameOID.USER_ID,
    "subject-givenname": NameOID.GIVEN_NAME,
    "subject-surname": NameOID.SURNAME,
}.items():
    certificate_attribute(_name)(partial(_of_subject, _kind))


@certificate_attribute("subject-distinguishedname")
def _distinguished_name(certificate: x509.Certificate) -> Iterator[str]:
    """RFC 4514."""
    yield certificate.subject.rfc4514_string()


@certificate_attribute("serialnumber")
def _serial_number(certificate: x509.Certificate) -> Iterator[str]:
    """The certificate's own, in decimal."""
    yield str(certificate.serial_number)
