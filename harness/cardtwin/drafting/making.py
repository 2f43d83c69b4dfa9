"""The steps that make the cards of a draft, as they were when its trace began."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.drafting.layout import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardtwin.drafting.layout import Tree
    from cardtwin.drafting.names import Secrets

__all__ = ["CERTIFICATE", "MAKER", "PROFILE", "made_cards"]

MAKER: Final = "maker"
"""The program that makes the cards."""

PROFILE, CERTIFICATE = "token.cpf", "pin.crt"
"""The files that it takes."""

_SECRETS: Final = {"PIN1": "pin", "PUK": "puk", "PIN2": "signature_pin"}
_KEYS: Final = {"main": "Digital Signature", "signature": "Non Repudiation"}
"""The keys that the full profiles make, by slot."""

_KINDS: Final = {"pin": "user", "signature_pin": "signature", "puk": "puk"}
"""What the steps that verify them call the secrets."""

_ABOUT_CARD: Final = "LOOK: a trace doesn't have the card's memory. This makes one to begin with."
_ABOUT_TRIES: Final = (
    "LOOK: when the trace begins, tries are gone already, or else this wouldn't be locked in it"
)


def made_cards(
    secrets: Secrets, places: Sequence[Mapping[str, Tree]], *, certificates: bool, spent: Mapping[str, int]
) -> list[Entry]:
    """Return the steps that make the cards.

    Args:
        secrets: The names for secrets.
        places: For each card, the key that says in which reader it is.
        certificates: Whether there are certificates on them.
        spent: How many tries are gone, by the names of secrets.
    """
    values: Tree = {name: secrets.refer(secret) for name, secret in _SECRETS.items()}
    entries: list[Entry] = []

    for on in places:
        make: dict[str, Tree] = {"personalise": PROFILE, "certificate": CERTIFICATE, "secrets": values}
        entries.append(Entry({**make, "by": MAKER, **on}, (_ABOUT_CARD,)))
        entries += _certified(secrets, on) if certificates else []
        entries += [entry for name, tries in spent.items() for entry in _wrong(secrets, name, tries, on)]

    return entries


def _certified(secrets: Secrets, on: Mapping[str, Tree]) -> list[Entry]:
    """Return the steps that put certificates on the card, which the program has found there."""
    place: dict[str, Tree] = {"by": MAKER, **on}
    found: list[Entry] = []

    for slot, pin in (("main", "pin"), ("signature", "signature_pin")):
        where: dict[str, Tree] = {"slot": slot, **place} if slot != "main" else place
        found.append(Entry({"login": "user", "pin": secrets.refer(pin), **where}))

    for slot, key in _KEYS.items():
        where = {"slot": slot, **place} if slot != "main" else place
        found.append(Entry({"certify": key, "authority": "Authority", **where}))

    return [*found, Entry({"pkcs11": "C_Finalize", "by": MAKER})]


def _wrong(secrets: Secrets, name: str, tries: int, on: Mapping[str, Tree]) -> list[Entry]:
    """Return the steps that spend tries of a PIN."""
    value: dict[str, Tree] = {
        "verify_pin": _KINDS[name],
        "pin": secrets.refer("wrong_pin"),
        "by": MAKER,
        **on,
        "expect": "CKR_PIN_INCORRECT",
    }
    return [Entry(value, () if number else (_ABOUT_TRIES,)) for number in range(tries)]
