"""Makes what cards start with: a token is put on each at a bench of its own, where no program looks on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cardtwin.hosting.preparation import refusals
from cardtwin.hosting.request import DEFAULT_READER
from cardtwin.hosting.token import TokenMaker
from cardtwin.targets import CardSetup
from cardtwin.targets.emulated import EmulatedBench

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.card import CardImage
    from cardtwin.events import Hub
    from cardtwin.hosting.preparation import CardPlan
    from cardtwin.plan import Secret
    from cardtwin.targets import Setup

__all__ = ["Made", "Workshop"]


@dataclass(frozen=True, slots=True)
class Made:
    """What a card starts with.

    Attributes:
        image: Its memory.
        pins: The PINs and PUKs on it by the names that the profile has for them.
        warnings: What was noticed in the files, for people.
    """

    image: CardImage = field(repr=False)
    pins: Mapping[str, Secret] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


class Workshop:
    """Makes tokens.

    Args:
        setup: Programs, files, seed and switches.
        hub: Told what happens there.
    """

    def __init__(self, setup: Setup, hub: Hub) -> None:
        self._setup = setup
        self._hub = hub

    def make(self, plan: CardPlan) -> Made:
        """Put on a card what is asked for.

        Raises:
            CardRefusedError: A file cannot be read or is wrong, or the card refused.
        """
        if not plan.request.makes_token:
            return Made(plan.start)

        card = CardSetup(plan.setup.model, plan.setup.quirks, fresh_keys=plan.setup.fresh_keys)

        setup = replace(self._setup, readers={DEFAULT_READER: None})

        with refusals(), EmulatedBench(setup, self._hub) as bench:
            unmade = bench.make_card(f"{plan.name}, while it is made", card, lambda: plan.start)
            bench.desk.add_card(unmade)
            bench.desk.insert(DEFAULT_READER, unmade.name)
            maker = TokenMaker(
                plan.request,
                plan.setup.model,
                bench,
                reader=DEFAULT_READER,
                switches=self._setup.switches,
            )
            pins = maker.make()
            return Made(bench.desk.image(DEFAULT_READER), pins, tuple(maker.warnings))
