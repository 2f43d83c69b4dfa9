"""The middleware: an emulation of the Personal Desktop Client that drives cards by their real commands."""

from cardtwin.middleware.ckr import Ckr
from cardtwin.middleware.client import CardEraser, CardState, PersonalDesktopClient
from cardtwin.middleware.configuration import Installation, parse_certificate, pin_certificate
from cardtwin.middleware.credentials import Login, UserType
from cardtwin.middleware.drivers import Phase
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
from cardtwin.middleware.rights import Condition
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

__all__ = [
    "CARD_ERASER",
    "ENCRYPTED_PINS",
    "CardEraser",
    "CardLostError",
    "CardMismatchError",
    "CardNotRecognisedError",
    "CardState",
    "Ckr",
    "CommandFailedError",
    "Condition",
    "CredentialError",
    "EraseRefusedError",
    "HalfDoneError",
    "Installation",
    "InstallationError",
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
    "parse_certificate",
    "pin_certificate",
]
