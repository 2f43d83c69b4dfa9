"""Certificate Manager: token procedures that two officers sign, and tokens issued by them.

:class:`CertificateManager` puts the parts together above a :class:`Store`; :func:`parse_policy` reads what
token procedures refer to; :func:`signed` is an officer's signature, made by a key on a card.
"""

from cardtwin.issuance.manager.authority import ROOT_CA
from cardtwin.issuance.manager.checks import Problem, problems
from cardtwin.issuance.manager.errors import (
    IssuanceRefusedError,
    ManagerError,
    ProcedureRefusedError,
    RangeExhaustedError,
    RevocationRefusedError,
    SerialRefusedError,
    SignatureRefusedError,
    StageError,
    VaultError,
)
from cardtwin.issuance.manager.forms import parse_policy
from cardtwin.issuance.manager.issuing import IssuedCertificate, IssuedToken, TokenRequest
from cardtwin.issuance.manager.keyusage import extension, usage_of
from cardtwin.issuance.manager.manager import CertificateManager
from cardtwin.issuance.manager.model import (
    EVERY_USAGE,
    ISSUING_CA,
    CertificateProcedure,
    IssuerCertificates,
    KeyUsage,
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
from cardtwin.issuance.manager.workbench import TRANSITIONS, Event, Request, Stage

__all__ = [
    "EVERY_USAGE",
    "ISSUING_CA",
    "ROOT_CA",
    "TRANSITIONS",
    "CertificateManager",
    "CertificateProcedure",
    "Event",
    "IssuanceRefusedError",
    "IssuedCertificate",
    "IssuedToken",
    "IssuerCertificates",
    "KeyUsage",
    "ManagerError",
    "NumberRange",
    "Policy",
    "Problem",
    "ProcedureRefusedError",
    "ProcedureState",
    "Production",
    "RangeExhaustedError",
    "Request",
    "RevocationRefusedError",
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
    "extension",
    "parse_policy",
    "problems",
    "select",
    "signed",
    "usage_of",
    "verify",
]
