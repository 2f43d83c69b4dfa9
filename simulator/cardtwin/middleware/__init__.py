"""The middleware: an emulation of the Personal Desktop Client that drives cards by their real commands."""

from cardtwin.middleware import configuration
from cardtwin.middleware.cardstate import CardState
from cardtwin.middleware.ckr import Ckr
from cardtwin.middleware.client import PersonalDesktopClient
from cardtwin.middleware.configuration import (
    ClientConfiguration,
    Installation,
    parse_certificate,
    pin_certificate,
)
from cardtwin.middleware.credentials import Login, UserType
from cardtwin.middleware.drivers import Phase
from cardtwin.middleware.eraser import CardEraser
from cardtwin.middleware.errors import (
    CardLostError,
    CardMismatchError,
    CardNotRecognisedError,
    CommandFailedError,
    CredentialError,
    EraseRefusedError,
    HalfDoneError,
    InstallationError,
    MiddlewareError,
    ProfileRefusedError,
)
from cardtwin.middleware.initialisation import Initialised
from cardtwin.middleware.logfile import ENCODER_LOG, PERSONAL_LOG, LogFile
from cardtwin.middleware.properties import property_names
from cardtwin.middleware.rights import Condition
from cardtwin.middleware.serial import LONGEST_SERIAL
from cardtwin.middleware.tokens import (
    CARD_ERASER,
    ENCRYPTED_PINS,
    ObjectClass,
    PinInfo,
    PinKind,
    Token,
    TokenObject,
    TokenState,
)
from cardtwin.middleware.version import Version

__all__ = [
    "CARD_ERASER",
    "ENCODER_LOG",
    "ENCRYPTED_PINS",
    "LONGEST_SERIAL",
    "PERSONAL_LOG",
    "CardEraser",
    "CardLostError",
    "CardMismatchError",
    "CardNotRecognisedError",
    "CardState",
    "Ckr",
    "ClientConfiguration",
    "CommandFailedError",
    "Condition",
    "CredentialError",
    "EraseRefusedError",
    "HalfDoneError",
    "Initialised",
    "Installation",
    "InstallationError",
    "LogFile",
    "Login",
    "MiddlewareError",
    "ObjectClass",
    "PersonalDesktopClient",
    "Phase",
    "PinInfo",
    "PinKind",
    "ProfileRefusedError",
    "Token",
    "TokenObject",
    "TokenState",
    "UserType",
    "Version",
    "configuration",
    "parse_certificate",
    "pin_certificate",
    "property_names",
]
