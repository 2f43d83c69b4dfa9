"""An AuthentIC V2 card as whoever initialises it gets it: empty, with the security officer's PIN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.card import CardImage, models
from cardtwin.card.chip.algorithms import TEST_CLASS
from cardtwin.card.chip.awp import OFFICER
from cardtwin.card.memory import MF, Df, ObjectKey
from cardtwin.card.memory.access import NEVER, DfOperation, complete
from cardtwin.targets.issuing.issued import IssuedCard, pin_object, stored_pins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.entropy import Entropy

__all__ = ["issue_awp"]

_MODEL: Final = "authentic-2"
_STORED: Final = 64
_DEFAULTS: Final = {"SO": "12345678"}


def issue_awp(_entropy: Entropy, *, pins: Mapping[str, str] | None = None) -> IssuedCard:
    """Return an AuthentIC V2 card without files, in whose MF the security officer creates and deletes them.

    Args:
        pins: The security officer's PIN as SO, where it isn't the public 12345678.

    Raises:
        TargetError: The card has no PIN of a name, or a value hasn't the form of one.
    """
    chosen = stored_pins(pins or {}, _DEFAULTS, {"SO": (4, _STORED)})
    model = models.get(_MODEL)
    access = bytearray([NEVER] * 8)

    for operation in (DfOperation.CREATE, DfOperation.DELETE):
        access[operation] = OFFICER

    access[0] = 0x00
    master = Df(0, complete(bytes(access), df=True, mf=True), model.application, b"\0\0")
    image = CardImage(
        model=_MODEL,
        serial=model.serial,
        atr=model.atr,
        files={MF: master},
        objects={ObjectKey(MF, TEST_CLASS, OFFICER): pin_object(chosen["SO"], stored=_STORED, least=4)},
    )
    return IssuedCard(image, chosen, {})
