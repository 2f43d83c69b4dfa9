"""Certificate Manager: token procedures that two officers sign, and tokens issued by them.

:class:`CertificateManager` puts the parts together above a :class:`Store`; :func:`parse_policy` reads what
token procedures refer to; :func:`signed` is an officer's signature, made by a key on a card.
"""

from cardtwin.issuance.authority import EVERY_USAGE, KeyUsage
from cardtwin.issuance.manager.checks import Problem, problems
from cardtwin.issuance.manager.errors import (
    IssuanceRefusedError,
    LetterRefusedError,
    ManagerError,
    ProcedureRefusedError,
    RangeExhaustedError,
    SerialRefusedError,
    SignatureRefusedError,
    StageError,
    VaultError,
)
from cardtwin.issuance.manager.forms import parse_policy
from cardtwin.issuance.manager.letters import Letter, Letters, PinLetter
from cardtwin.issuance.manager.manager import CertificateManager
from cardtwin.issuance.manager.model import (
    CertificateProcedure,
    IssuerCertificates,
    LetterLayout,
    NumberRange,
    Policy,
    ProcedureState,
    Role,
    StorageProfile,
    TokenProcedure,
)
from cardtwin.issuance.manager.production import Production
from cardtwin.issuance.manager.selection import select
from cardtwin.issuance.manager.signatures import signed, verify
from cardtwin.issuance.manager.store import Store
from cardtwin.issuance.manager.tokens import IssuedCertificate, IssuedToken, TokenRequest
from cardtwin.issuance.manager.workbench import TRANSITIONS, Event, Request, Stage

__all__ = [
    "EVERY_USAGE",
    "TRANSITIONS",
    "CertificateManager",
    "CertificateProcedure",
    "Event",
    "IssuanceRefusedError",
    "IssuedCertificate",
    "IssuedToken",
    "IssuerCertificates",
    "KeyUsage",
    "Letter",
    "LetterLayout",
    "LetterRefusedError",
    "Letters",
    "ManagerError",
    "NumberRange",
    "PinLetter",
    "Policy",
    "Problem",
    "ProcedureRefusedError",
    "ProcedureState",
    "Production",
    "RangeExhaustedError",
    "Request",
    "Role",
    "SerialRefusedError",
    "SignatureRefusedError",
    "Stage",
    "StageError",
    "StorageProfile",
    "Store",
    "TokenProcedure",
    "TokenRequest",
    "VaultError",
    "parse_policy",
    "problems",
    "select",
    "signed",
    "verify",
]
