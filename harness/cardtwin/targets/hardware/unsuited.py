"""What a scenario asks for that physical cards and their readers don't do or tell, with the reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.card import models
from cardtwin.middleware.drivers import has_driver
from cardtwin.targets.interface import Capability

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from cardtwin.targets.hardware.config import PhysicalReader
    from cardtwin.targets.interface import CardSetup, Setup

__all__ = ["another_model", "only_emulated", "unguarded", "untold"]

_OF_THE_CARD: Final = ("card.", "gids.", "reader.")
"""The areas of the switches that an emulated card reads."""

_UNTOLD: Final = {
    Capability.COUNTERS: (("CardOS V4",), "how many tries a PIN has left"),
    Capability.CONDITIONS: (("CardOS V5",), "who may erase it, and other conditions on access"),
}
"""What card systems tell nobody."""


def only_emulated(setup: Setup) -> Iterator[str]:
    """Yield what only an emulated card, or somebody's hands at the reader, would do."""
    inserted = {card for card in setup.readers.values() if card is not None}

    for name, card in setup.cards.items():
        if name not in inserted:
            yield f"nobody is there to put the card {name!r} into a reader"

        yield from (f"the card {name!r} {what}" for what in _only_an_emulated_card(card))

    for switch in setup.switches:
        if switch.startswith(_OF_THE_CARD):
            yield f"the switch {switch} is one of the emulated card"

    for what, readers in (
        ("nobody is there to enter anything at the PIN pad of", setup.pinpads),
        ("nobody is there to attach", setup.absent),
        ("no motor is known of", setup.ejecting),
    ):
        if readers:
            yield f"{what} {', '.join(sorted(readers))}"


def _only_an_emulated_card(card: CardSetup) -> Iterator[str]:
    for holds, what in (
        (card.image is not None or card.keep is not None, "is to have a memory that is given"),
        (card.factory, "is to be as it leaves the factory"),
        (bool(card.quirks), f"is to have quirks: {', '.join(card.quirks)}"),
        (bool(card.faults), "is to have faults"),
        (card.serial is not None, "is to have a serial number that is given"),
    ):
        if holds:
            yield what


def unguarded(setup: Setup) -> Iterator[str]:
    """Yield the models of which nobody can tell one card from another, as the guard has to."""
    for card in dict.fromkeys(card.model for card in setup.cards.values()):
        model = models.get(card)

        if not has_driver(model.atr):
            yield f"no driver asks a {model.title} for its serial number: the guard can't tell which it is"


def untold(setup: Setup, needs: AbstractSet[Capability]) -> Iterator[str]:
    """Yield what steps ask for and the cards tell nobody."""
    for card in dict.fromkeys(card.model for card in setup.cards.values()):
        model = models.get(card)

        for need, (systems, what) in _UNTOLD.items():
            if need in needs and model.system.startswith(systems):
                yield f"{model.title} doesn't tell {what}"


def another_model(setup: Setup, reader: str, physical: PhysicalReader) -> str:
    """Return why the card that the hardware file has in a reader isn't for a scenario; or ''."""
    card = setup.readers[reader]
    model = None if card is None else setup.cards[card].model

    if model is None or physical.model in {None, model}:
        return ""

    return f"the scenario is for a {model}, and the card in {reader!r} is a {physical.model}"
