"""What verbs may do to cards at worst: declared, so that a physical card gets nothing else from a step."""

from __future__ import annotations

from typing import Final

from cardtwin.decode import HARMLESS, Effect, decode

__all__ = ["CHANGES", "PRESENTS", "READS", "REMAKES", "REPLACES", "of_command", "of_function"]

READS: Final = HARMLESS
"""Nothing that a reset doesn't undo, or nothing with a card at all."""

PRESENTS: Final = READS | Effect.SPENDS_TRIES
"""Credentials are presented, maybe again where a program kept them."""

CHANGES: Final = PRESENTS | Effect.WRITES
"""The card keeps something new, and loses nothing but what that stands in the place of."""

REPLACES: Final = CHANGES | Effect.DESTROYS
"""Objects and files are made and deleted."""

REMAKES: Final = REPLACES | Effect.IRREVERSIBLE
"""The card becomes another one; perhaps nothing leads back."""

_PRESENTING: Final = frozenset({"VERIFY", "GENERAL AUTHENTICATE"})
_CHAINED: Final = 0x10
_PROPRIETARY: Final = 0x80

_OF_FUNCTIONS: Final = {
    "C_InitToken": REMAKES,
    "cardtwin_InitTokenPPA": REMAKES,
    "C_InitPIN": CHANGES,
    "C_SetPIN": CHANGES,
    "cardtwin_UnblockPIN": CHANGES,
    "C_CreateObject": REPLACES,
    "C_CopyObject": REPLACES,
    "C_DestroyObject": REPLACES,
    "C_SetAttributeValue": REPLACES,
    "C_GenerateKey": REPLACES,
    "C_GenerateKeyPair": REPLACES,
    "C_UnwrapKey": REPLACES,
    "C_DeriveKey": REPLACES,
}


def of_function(name: str) -> Effect:
    """Return what a function of PKCS#11 may do: of most, that a kept PIN is presented again."""
    return _OF_FUNCTIONS.get(name, PRESENTS)


def of_command(command: bytes) -> Effect:
    """Return what a command that somebody wrote may do, alone or as a piece of a longer one."""
    decoded = decode(command)
    effect = decoded.effect | READS

    if command and not command[0] & _PROPRIETARY:
        effect |= decode(bytes((command[0] | _CHAINED,)) + command[1:]).effect

    return effect | PRESENTS if decoded.name in _PRESENTING else effect
