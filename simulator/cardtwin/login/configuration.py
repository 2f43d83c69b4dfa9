"""What is configured in Digital Access: authentication methods, user accounts, certificate authorities."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography import x509

__all__ = [
    "DEFAULT_REDIRECT_TEXT",
    "AuthenticationMethod",
    "CertificateAuthority",
    "Configuration",
    "ExtendedProperties",
    "ExternalAddress",
    "MethodKind",
    "SameDevice",
    "UserAccount",
]

DEFAULT_REDIRECT_TEXT: Final = "Open Personal Mobile on this device"
"""What is there to be changed "if required"; its wording is ours."""


class MethodKind(StrEnum):
    """What answers the challenge."""

    PERSONAL_DESKTOP = "Personal Desktop"
    PERSONAL_MOBILE = "Personal Mobile"


@dataclass(frozen=True, slots=True)
class SameDevice:
    """The settings of "Enable authentication on same device" (DA-09).

    Attributes:
        wait: How many seconds the image is displayed before the redirection to Personal Mobile.
        redirect_text: What is shown then.
    """

    wait: int
    redirect_text: str = DEFAULT_REDIRECT_TEXT


@dataclass(frozen=True, slots=True)
class ExtendedProperties:
    """How a certificate finds its user account (DA-03, DA-04). An empty text is a property that isn't there.

    Attributes:
        user_attribute: The attribute of user accounts, such as ``mail``.
        certificate_attribute: What of the certificate it equals, such as ``subjectaltname-emailaddress``.
    """

    user_attribute: str = ""
    certificate_attribute: str = ""

    @property
    def complete(self) -> bool:
        """Whether both are there."""
        return bool(self.user_attribute and self.certificate_attribute)


@dataclass(frozen=True, slots=True)
class AuthenticationMethod:
    """A way to log in, as an end user can choose it.

    Attributes:
        display_name: What end users see.
        kind: Personal Desktop or Personal Mobile.
        authority: The certificate authority that was selected with "Enable Personal Certificate
            Authentication"; None where that is not enabled.
        same_device: Whether authentication happens on the same device, and how; None is another device.
        properties: The extended properties.
        server: The authentication server.
    """

    display_name: str
    kind: MethodKind
    authority: str | None = None
    same_device: SameDevice | None = None
    properties: ExtendedProperties = ExtendedProperties()
    server: str = ""


@dataclass(frozen=True, slots=True)
class UserAccount:
    """A user account.

    Attributes:
        user_id: Its id.
        attributes: Values by the attribute's name, such as ``mail``.
        personal: Whether Personal is enabled (DA-05).
        keys: The keys enrolled for it, each as the SHA-256 of its SubjectPublicKeyInfo: those of methods
            that validate no certificate.
    """

    user_id: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    personal: bool = False
    keys: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class CertificateAuthority:
    """A certificate authority that methods can select.

    Attributes:
        name: What it is called here.
        certificates: What is trusted: a root's certificate, or an issuing CA's.
        intermediates: Certificates between these and the users', where cards don't bring them along.
        crls: Addresses of revocation lists.
        ocsp: The address of its OCSP responder; empty for none.
    """

    name: str
    certificates: tuple[x509.Certificate, ...]
    intermediates: tuple[x509.Certificate, ...] = ()
    crls: tuple[str, ...] = ()
    ocsp: str = ""


@dataclass(frozen=True, slots=True)
class ExternalAddress:
    """Where Digital Access is reached from outside.

    Attributes:
        name: The external DNS name.
        port: The external port.
    """

    name: str
    port: int = 443


@dataclass(frozen=True, slots=True)
class Configuration:
    """All of it, as a value: a draft, or what is published.

    Attributes:
        methods: The authentication methods, in the order in which end users see them.
        users: The user accounts by id.
        authorities: The certificate authorities by name.
        servers: The names of the authentication servers.
        external: Where it is reached from outside; None where nothing is set.
        removals: How often a published account of an id was taken out: one that is added later is another
            account, and the phones of the one before are not its.
    """

    methods: tuple[AuthenticationMethod, ...] = ()
    users: Mapping[str, UserAccount] = field(default_factory=dict)
    authorities: Mapping[str, CertificateAuthority] = field(default_factory=dict)
    servers: frozenset[str] = frozenset()
    external: ExternalAddress | None = None
    removals: Mapping[str, int] = field(default_factory=dict)

    def method(self, display_name: str) -> AuthenticationMethod | None:
        """Return the method of a name; None where there is none."""
        return next((found for found in self.methods if found.display_name == display_name), None)
