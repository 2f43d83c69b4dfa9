"""What issues tokens: a certificate authority, a register of tokens, orders of virtual smart cards."""

from cardtwin.issuance.ca import LocalAuthority, Template
from cardtwin.issuance.tokens import TokenRegister

__all__ = ["LocalAuthority", "Template", "TokenRegister"]
