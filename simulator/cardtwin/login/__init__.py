"""Digital Access: authentication with Personal Desktop and Personal Mobile."""

from cardtwin.login.administration import Administration
from cardtwin.login.attributes import attribute_values, certificate_attribute, certificate_attributes
from cardtwin.login.challenges import CHALLENGE_LIFE, Challenge
from cardtwin.login.checks import LONGEST_WAIT, Problem, problems, rules
from cardtwin.login.configuration import (
    DEFAULT_REDIRECT_TEXT,
    AuthenticationMethod,
    CertificateAuthority,
    Configuration,
    ExtendedProperties,
    ExternalAddress,
    MethodKind,
    SameDevice,
    UserAccount,
)
from cardtwin.login.desktop import Offered, PersonalDesktop, Session
from cardtwin.login.errors import (
    ActivationError,
    AdministrationError,
    FlowError,
    LoginError,
    LoginRefusedError,
    NothingToSignWithError,
    PublicationError,
    UnknownMethodError,
    UnreachableError,
)
from cardtwin.login.http import HttpRevocationSource
from cardtwin.login.refusals import Refusal
from cardtwin.login.responses import Algorithm, Response, key_hash
from cardtwin.login.revocation import RevocationSource
from cardtwin.login.service import DigitalAccess, LoggedIn

__all__ = [
    "CHALLENGE_LIFE",
    "DEFAULT_REDIRECT_TEXT",
    "LONGEST_WAIT",
    "ActivationError",
    "Administration",
    "AdministrationError",
    "Algorithm",
    "AuthenticationMethod",
    "CertificateAuthority",
    "Challenge",
    "Configuration",
    "DigitalAccess",
    "ExtendedProperties",
    "ExternalAddress",
    "FlowError",
    "HttpRevocationSource",
    "LoggedIn",
    "LoginError",
    "LoginRefusedError",
    "MethodKind",
    "NothingToSignWithError",
    "Offered",
    "PersonalDesktop",
    "Problem",
    "PublicationError",
    "Refusal",
    "Response",
    "RevocationSource",
    "SameDevice",
    "Session",
    "UnknownMethodError",
    "UnreachableError",
    "UserAccount",
    "attribute_values",
    "certificate_attribute",
    "certificate_attributes",
    "key_hash",
    "problems",
    "rules",
]
