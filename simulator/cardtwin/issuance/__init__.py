"""What issues tokens: a certificate authority, a register of tokens, orders of virtual smart cards."""

from cardtwin.issuance.errors import IssuanceError
from cardtwin.issuance.local import LocalAuthority, Template
from cardtwin.issuance.tokens import TokenRegister

__all__ = ["IssuanceError", "LocalAuthority", "Template", "TokenRegister"]
