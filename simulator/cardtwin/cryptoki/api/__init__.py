"""The C_* functions. Importing this package enters them in the registry, which it gives away."""

from cardtwin.cryptoki.api import (  # noqa: F401  # they register themselves
    changes,
    ciphers,
    derivation,
    digests,
    general,
    keypairs,
    logins,
    objects,
    own,
    refusals,
    sessions,
    signatures,
    slots,
)
from cardtwin.cryptoki.calls import registry

__all__ = ["registry"]
