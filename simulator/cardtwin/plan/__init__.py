"""What a card profile amounts to: a value that a driver can put on a card, without any language left in it.

Everything that can be evaluated is evaluated here already; what only the card knows is one of a closed
set of references in a :class:`Content`.
"""

from cardtwin.plan.access import ALWAYS, NEVER, Access, Operation
from cardtwin.plan.blob import DecryptionKey, NoMatchingKeyError, PinBlob, PinBlobCodec, PinBlobError
from cardtwin.plan.content import (
    CardFacts,
    ChipSerial,
    Content,
    Part,
    PublicKeyForm,
    PublicKeyOf,
    Wrapped,
)
from cardtwin.plan.plan import (
    DirectoryPlan,
    FilePlan,
    KeyAlgorithm,
    KeyPlan,
    KeyUse,
    PinPlan,
    Plan,
)
from cardtwin.plan.secret import Secret, SecretName

__all__ = [
    "ALWAYS",
    "NEVER",
    "Access",
    "CardFacts",
    "ChipSerial",
    "Content",
    "DecryptionKey",
    "DirectoryPlan",
    "FilePlan",
    "KeyAlgorithm",
    "KeyPlan",
    "KeyUse",
    "NoMatchingKeyError",
    "Operation",
    "Part",
    "PinBlob",
    "PinBlobCodec",
    "PinBlobError",
    "PinPlan",
    "Plan",
    "PublicKeyForm",
    "PublicKeyOf",
    "Secret",
    "SecretName",
    "Wrapped",
]
