"""Which models are issued finished, and how."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from cardtwin.source import closest
from cardtwin.targets.errors import TargetError
from cardtwin.targets.issuing.authentic import issue_authentic
from cardtwin.targets.issuing.awp import issue_awp
from cardtwin.targets.issuing.eid import Country, issue_eid
from cardtwin.targets.issuing.idprime import issue_idprime

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cardtwin.entropy import Entropy
    from cardtwin.targets.issuing.issued import IssuedCard

__all__ = ["issuable", "issue"]

_MAKERS: Final[Mapping[str, Callable[..., IssuedCard]]] = {
    "authentic": issue_authentic,
    "authentic-2": issue_awp,
    "estonian-eid": partial(issue_eid, country=Country.ESTONIA),
    "latvian-eid": partial(issue_eid, country=Country.LATVIA),
    "idprime": issue_idprime,
}


def issuable() -> tuple[str, ...]:
    """Return the names of the cards that can be issued."""
    return tuple(_MAKERS)


def issue(name: str, entropy: Entropy, pins: Mapping[str, str] | None = None) -> IssuedCard:
    """Return a finished card.

    Args:
        name: One of issuable().
        entropy: Where keys come from.
        pins: PINs and PUKs by name, for those that aren't the public ones.

    Raises:
        TargetError: There is no such card, or a PIN isn't one that it takes.
    """
    if name not in _MAKERS:
        hint = closest(name, _MAKERS)
        raise TargetError(
            f"no card {name!r} is issued, only {', '.join(_MAKERS)}" + (f"; {hint}" if hint else "")
        )

    return _MAKERS[name](entropy, pins=pins)
