"""Identity Manager's process "Get virtual smart card": a user orders one, and chooses its PIN.

:class:`VirtualSmartCardSelfServiceProcGet` is the process as a table of states. What it needs of the world is
given to it: the user's computer, a certificate authority, the register of cards.
"""

from cardtwin.issuance.virtualcard.errors import (
    OrderError,
    OrderFailedError,
    PinRefusedError,
    StepRefusedError,
    UserRefusedError,
)
from cardtwin.issuance.virtualcard.options import Options, parse_options
from cardtwin.issuance.virtualcard.pins import Characters, PinPolicy
from cardtwin.issuance.virtualcard.process import (
    TRANSITIONS,
    Event,
    State,
    VirtualSmartCardSelfServiceProcGet,
)
from cardtwin.issuance.virtualcard.request import certificate_request
from cardtwin.issuance.virtualcard.world import (
    CardRecord,
    CardRegister,
    CertificateKind,
    CertificateRecord,
    Computer,
    Issuer,
    User,
)

__all__ = [
    "TRANSITIONS",
    "CardRecord",
    "CardRegister",
    "CertificateKind",
    "CertificateRecord",
    "Characters",
    "Computer",
    "Event",
    "Issuer",
    "Options",
    "OrderError",
    "OrderFailedError",
    "PinPolicy",
    "PinRefusedError",
    "State",
    "StepRefusedError",
    "User",
    "UserRefusedError",
    "VirtualSmartCardSelfServiceProcGet",
    "certificate_request",
    "parse_options",
]
