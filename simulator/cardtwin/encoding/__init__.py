"""Encoding descriptions (.dsc): parser, checks, and the engine that carries them out.

Identity Manager's part of an electronic personalisation. ::

    description = parse(SourceText.read(path))
    check(description, attachments=["token.cpf"]).raise_errors()
    outcome = Engine(open_middleware, keys=keys).run(Job(description, ...))
"""

from cardtwin.encoding.applications import Program
from cardtwin.encoding.authority import CardProductionPostProcessor, CertificateAuthority, ServerSide
from cardtwin.encoding.checks import check, check_job
from cardtwin.encoding.description import Application, Description, Field, Setting, Settings
from cardtwin.encoding.engine import Engine
from cardtwin.encoding.errors import (
    ApplicationError,
    AuthorityError,
    CardSelectionError,
    EncodingError,
    FunctionFailedError,
    MessagingServerError,
    MissingValueError,
    NoCardEraserError,
    UnusableValueError,
)
from cardtwin.encoding.job import CURRENT_VERSION, DialogEntry, Job
from cardtwin.encoding.library import PERSONAL_DESKTOP_CLIENT, LibraryEntry, LibraryTable
from cardtwin.encoding.minidriver import MinidriverMiddleware
from cardtwin.encoding.outcome import ERROR_MESSAGE, RESULT, Outcome
from cardtwin.encoding.package import Package, is_package, read_package
from cardtwin.encoding.parser import parse
from cardtwin.encoding.process import (
    EncryptedField,
    FieldMapping,
    PlainField,
    PoolField,
    Process,
    ProcessVariable,
)
from cardtwin.encoding.rules import RULES, CheckRule
from cardtwin.encoding.token import CardEraser, TokenMiddleware, TokenView

__all__ = [
    "CURRENT_VERSION",
    "ERROR_MESSAGE",
    "PERSONAL_DESKTOP_CLIENT",
    "RESULT",
    "RULES",
    "Application",
    "ApplicationError",
    "AuthorityError",
    "CardEraser",
    "CardProductionPostProcessor",
    "CardSelectionError",
    "CertificateAuthority",
    "CheckRule",
    "Description",
    "DialogEntry",
    "EncodingError",
    "EncryptedField",
    "Engine",
    "Field",
    "FieldMapping",
    "FunctionFailedError",
    "Job",
    "LibraryEntry",
    "LibraryTable",
    "MessagingServerError",
    "MinidriverMiddleware",
    "MissingValueError",
    "NoCardEraserError",
    "Outcome",
    "Package",
    "PlainField",
    "PoolField",
    "Process",
    "ProcessVariable",
    "Program",
    "ServerSide",
    "Setting",
    "Settings",
    "TokenMiddleware",
    "TokenView",
    "UnusableValueError",
    "check",
    "check_job",
    "is_package",
    "parse",
    "read_package",
]
