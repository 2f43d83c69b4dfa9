"""What a profile is given from outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cardtwin.plan import SecretName
from cardtwin.provenance import Switches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.x509 import Certificate

    from cardtwin.entropy import Entropy
    from cardtwin.plan import PinBlobCodec, Secret

__all__ = ["KEYWORDS", "RESERVED", "Environment"]

RESERVED: Final = frozenset({SecretName.PIN1, SecretName.PIN2, SecretName.PUK, SecretName.OP})
"""The secrets whose variables are no profile parameters (ENC-06): they have keywords of their own."""

KEYWORDS: Final = {
    SecretName.PIN1: "PIN",
    SecretName.PIN2: "SignPIN",
    SecretName.PUK: "InitialPUK",
    SecretName.OP: "Operator_PIN",
}
"""The keyword of an encoding description by which each reserved secret comes (ENC-07)."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Everything that a profile is evaluated with; nothing is looked up elsewhere.

    Attributes:
        entropy: Where SECRANDOM and the encrypted PINs draw from.
        codec: The format of the encrypted PINs.
        certificate: Whom the PINs are encrypted to; None where none is configured.
        parameters: Values of the profile's variables (ProfileParameters), decoded.
        secrets: Values that an encoding's keywords carry: SEC_PIN1 and so on.
        label: The token label that an encoding asks for (InitialLabel); None leaves the profile's.
        switches: Which of the rules hold where the sources leave a choice.
    """

    entropy: Entropy
    codec: PinBlobCodec
    certificate: Certificate | None = None
    parameters: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    secrets: Mapping[SecretName, Secret] = field(default_factory=dict)
    label: str | None = None
    switches: Switches = field(default_factory=Switches)
