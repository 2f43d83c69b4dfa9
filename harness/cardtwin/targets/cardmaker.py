"""Makes the cards of a bench."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cardtwin.card import EmulatedCard, ImageError, models
from cardtwin.card import image as images
from cardtwin.targets.cards import BenchCard
from cardtwin.targets.errors import TargetError
from cardtwin.targets.faults import slow_models
from cardtwin.targets.kept import CardFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardtwin.card import CardImage
    from cardtwin.entropy import Entropy
    from cardtwin.events import Hub
    from cardtwin.provenance import Switches
    from cardtwin.targets.clock import Sleep
    from cardtwin.targets.interface import CardSetup

__all__ = ["CardMaker", "no_speed", "wrong_serial"]


class CardMaker:
    """Makes cards as their setups have them.

    Args:
        folder: Where images are that setups name.
        entropy: Returns the randomness of a card, by a label.
        switches: Which of several possible behaviours holds.
        hub: Who is told what happens.
        sleep: Lets the seconds pass that a slow card takes; fewer where the event comes.
        failed: Told when a memory could not be written to its file.
    """

    def __init__(
        self,
        *,
        folder: Path,
        entropy: Callable[[str], Entropy],
        switches: Switches,
        hub: Hub,
        sleep: Sleep,
        failed: Callable[[str], object] | None,
    ) -> None:
        self._folder = folder
        self._entropy = entropy
        self._switches = switches
        self._hub = hub
        self._sleep = sleep
        self._failed = failed or (lambda _: None)

    def make(self, name: str, setup: CardSetup, make: Callable[[], CardImage] | None = None) -> BenchCard:
        """Make a card.

        Args:
            name: What it is called.
            setup: What it is like.
            make: Makes the memory that it starts with, where none is kept; None takes what the setup says.

        Raises:
            TargetError: There can be no such card, or its memory can't be kept.
        """
        if setup.real_speed and setup.model not in slow_models():
            raise TargetError(no_speed(setup.model))

        file = None if setup.keep is None else _card_file(setup.keep)

        try:
            chip = self._chip(name, setup, self._memory(name, setup, file, make))
            return BenchCard(name, setup, chip, file=file, sleep=self._sleep, failed=self._failed)
        except BaseException:
            if file is not None:
                file.close()

            raise

    def _memory(
        self, name: str, setup: CardSetup, file: CardFile | None, make: Callable[[], CardImage] | None
    ) -> CardImage | None:
        """Return what a card starts with; None for one as delivered."""
        if file is None or file.image is None:
            return make() if make is not None else self._first_memory(name, setup)

        if file.image.model != setup.model:
            raise TargetError(
                f"{file.path}: this is the memory of a {file.image.model}, and the card {name!r} is a "
                f"{setup.model}"
            )

        return file.image

    def _first_memory(self, name: str, setup: CardSetup) -> CardImage | None:
        if setup.image is None:
            model = models.get(setup.model)
            return model.factory(serial=setup.serial) if setup.factory else model.blank(serial=setup.serial)

        try:
            return images.load(self._folder / setup.image)
        except ImageError as error:
            raise TargetError(f"card {name!r}: {error}") from None

    def _chip(self, name: str, setup: CardSetup, image: CardImage | None) -> EmulatedCard:
        model = replace(models.get(setup.model), quirks=frozenset(setup.quirks))

        try:
            return EmulatedCard(
                model,
                image=image,
                entropy=self._entropy(f"card {name}"),
                switches=self._switches,
                hub=self._hub,
                reader=name,
                fresh_keys=setup.fresh_keys,
            )
        except (ImageError, ValueError) as error:
            raise TargetError(f"card {name!r}: {error}") from None


def wrong_serial(model: models.CardModel, card: CardSetup) -> str:
    """Return what is wrong with the serial number that a card is to have; empty where nothing is."""
    try:
        model.blank(serial=card.serial)
    except ValueError as error:
        return str(error)

    return ""


def no_speed(model: str) -> str:
    """Return what is said where nobody knows how fast a real card is."""
    return f"how fast a real {model} is, is not known; it is of {', '.join(slow_models())}"


def _card_file(path: str) -> CardFile:
    try:
        return CardFile(path)
    except ImageError as error:
        raise TargetError(str(error)) from None
    except OSError as error:
        raise TargetError(f"{path}: {error.strerror}") from None
