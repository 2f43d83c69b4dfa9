"""What a run puts in the place of what scenario files say: another target, other cards, more quirks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cardtwin.card import UnknownModelError, UnknownQuirkError, models
from cardtwin.targets import TargetError, is_physical
from cardtwin.targets import check as check_target
from cardtwin.targets import get as get_target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.scenario.instance import Instance
    from cardtwin.targets import CardSetup, Setup, Target
    from cardtwin.targets.hardware import Hardware, PhysicalReader

__all__ = ["Overrides", "OverridesError"]


class OverridesError(ValueError):
    """There is no such target, card model or quirk; the message names the nearest."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """What holds for all scenarios of a run.

    Attributes:
        target: The target's name; None leaves each scenario its own.
        card: The model of the card in every reader that has one at the start; None leaves them.
        quirks: Switched on in every card, beside its own.
        hardware: What is known of physical cards, and what may be done to them.
    """

    target: str | None = None
    card: str | None = None
    quirks: tuple[str, ...] = ()
    hardware: Hardware | None = None

    def check(self, *, to_run: bool = True) -> None:
        """See that all that is named exists, and, where something is to run, that a library can be loaded.

        Raises:
            OverridesError: It doesn't.
        """
        try:
            if self.target is not None:
                (check_target if to_run else get_target)(self.target)

            model = models.get(self.card if self.card is not None else models.names()[0])
            replace(model, quirks=frozenset(self.quirks))
        except (TargetError, UnknownModelError, UnknownQuirkError) as error:
            raise OverridesError(str(error)) from None

    def apply(self, instance: Instance) -> Instance:
        """Return the instance as it is to run."""
        return replace(instance, target=self.target or instance.target, setup=self._setup(instance.setup))

    def target_of(self, instance: Instance) -> Target:
        """Return the target of an instance that is as it is to run.

        Raises:
            TargetError: It lacks what it needs.
        """
        return get_target(instance.target, self.hardware)

    def pins_of(self, instance: Instance) -> Mapping[str, PhysicalReader]:
        """Return the readers whose cards have PINs of their own, for an instance on physical cards."""
        return self.hardware.readers if self.hardware is not None and is_physical(instance.target) else {}

    def _setup(self, setup: Setup) -> Setup:
        inserted = set(setup.readers.values())
        cards = {name: self._card(card, inserted=name in inserted) for name, card in setup.cards.items()}
        return replace(setup, cards=cards)

    def _card(self, card: CardSetup, *, inserted: bool) -> CardSetup:
        model = self.card if self.card is not None and inserted else card.model
        return replace(card, model=model, quirks=tuple(dict.fromkeys((*card.quirks, *self.quirks))))
