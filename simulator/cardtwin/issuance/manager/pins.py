"""The secrets of a token, as its PIN procedure has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.issuance.manager.errors import IssuanceRefusedError
from cardtwin.issuance.manager.model import Distribution
from cardtwin.plan import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.entropy import Entropy
    from cardtwin.issuance.manager.model import PinProcedure, PinRule
    from cardtwin.plan import SecretName

__all__ = ["letters", "make_secrets"]


def make_secrets(
    procedure: PinProcedure, chosen: Mapping[SecretName, Secret], entropy: Entropy
) -> Mapping[SecretName, Secret]:
    """Return the secrets of a token: those that are made, and those that the holder has chosen.

    Raises:
        IssuanceRefusedError: A chosen one is missing, isn't one to be chosen, or isn't as the procedure
            wants it. The message has no character of it.
    """
    wanted = {name for name, rule in procedure.rules if rule.distribution is Distribution.CHOSEN}

    if missing := wanted - chosen.keys():
        raise IssuanceRefusedError("pin-missing", f"the holder has to choose {', '.join(sorted(missing))}")

    if foreign := chosen.keys() - wanted:
        names = ", ".join(sorted(foreign))
        raise IssuanceRefusedError("pin-not-chosen", f"{names} isn't chosen by the holder")

    return {
        name: _checked(name, chosen[name], rule) if name in wanted else _made(rule, entropy)
        for name, rule in procedure.rules
    }


def letters(
    procedure: PinProcedure, secrets: Mapping[SecretName, Secret]
) -> Mapping[int, Mapping[SecretName, Secret]]:
    """Return what stands in each of a token's PIN letters, by the letter's number."""
    found: dict[int, dict[SecretName, Secret]] = {}

    for name, rule in procedure.rules:
        if rule.distribution is Distribution.LETTER:
            found.setdefault(rule.letter, {})[name] = secrets[name]

    return dict(sorted(found.items()))


def _made(rule: PinRule, entropy: Entropy) -> Secret:
    signs = (rule.alphabet[entropy.below(len(rule.alphabet))] for _ in range(rule.longest))
    return Secret.of("".join(signs))


def _checked(name: SecretName, secret: Secret, rule: PinRule) -> Secret:
    if not rule.shortest <= len(secret) <= rule.longest:
        message = f"{name} has {rule.shortest} to {rule.longest} characters"
        raise IssuanceRefusedError("pin-length", message)

    if not set(secret.reveal()) <= set(rule.alphabet.encode()):
        raise IssuanceRefusedError("pin-characters", f"there are characters in {name} that it can't have")

    return secret
