"""Cards that come finished to their holders: images with keys, certificates and PINs of our own making.

How the vendors personalise these cards isn't public, so no command of theirs is sent: the memory is written
as it is after that. All that is told of a holder is invented.
"""

from cardtwin.targets.issuing.authentic import issue_authentic
from cardtwin.targets.issuing.awp import issue_awp
from cardtwin.targets.issuing.eid import Country, issue_eid
from cardtwin.targets.issuing.idprime import issue_idprime
from cardtwin.targets.issuing.issued import IssuedCard
from cardtwin.targets.issuing.makers import issuable, issue

__all__ = [
    "Country",
    "IssuedCard",
    "issuable",
    "issue",
    "issue_authentic",
    "issue_awp",
    "issue_eid",
    "issue_idprime",
]
