"""What programs keep on a token: objects and their lists, put there and taken off, and its serial number."""

from cardtwin.middleware.storage.rooms import is_programs, require
from cardtwin.middleware.storage.store import TokenStore
from cardtwin.middleware.storage.tokeninfo import write_serial

__all__ = ["TokenStore", "is_programs", "require", "write_serial"]
