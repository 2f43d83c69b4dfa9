"""The C_* functions. Importing this package enters them in the registry."""

from cardtwin.cryptoki.api import general, logins, refusals, sessions, slots  # noqa: F401  # they register themselves
