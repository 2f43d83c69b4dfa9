"""Everything that can be found wrong before a card is touched."""

from cardtwin.encoding.checks.registry import Scope, checked_by
from cardtwin.encoding.checks.run import check, check_job

__all__ = ["Scope", "check", "check_job", "checked_by"]
