"""What of a scenario's setup can't be set up: card models and quirks that there are not, and the like."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cardtwin.card import UnknownModelError, UnknownQuirkError, models
from cardtwin.targets.cardmaker import no_speed, wrong_serial
from cardtwin.targets.faults import slow_models
from cardtwin.targets.installations import configuration_problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.targets.interface import Setup

__all__ = ["set_up_problems"]


def set_up_problems(setup: Setup) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the places in the scenario (keys), and what is wrong there."""
    for name, card in setup.cards.items():
        # A card that stands in `readers:` by its model alone has the reader's name.
        by_model = setup.readers.get(name) == name
        place = ("readers", name) if by_model else ("cards", name)

        try:
            model = replace(models.get(card.model), quirks=frozenset(card.quirks))

            if card.factory and not model.has_factory_state:
                yield (*place, "state"), f"how a {model.title} leaves the factory isn't known"
            elif wrong := wrong_serial(model, card):
                yield (*place, "serial"), wrong
        except UnknownModelError as error:
            yield place if by_model else (*place, "model"), str(error)
        except UnknownQuirkError as error:
            yield (*place, "quirks"), str(error)

        if card.real_speed and card.model in models.names() and card.model not in slow_models():
            yield (*place, "speed"), no_speed(card.model)

    yield from configuration_problems(setup)
