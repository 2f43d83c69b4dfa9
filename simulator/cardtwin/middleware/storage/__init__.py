"""New objects on a token, changed ones, and those that go: files and key objects, and the lists of them."""

from cardtwin.middleware.storage.rooms import is_programs, require
from cardtwin.middleware.storage.store import TokenStore

__all__ = ["TokenStore", "is_programs", "require"]
