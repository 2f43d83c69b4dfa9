"""A card on a bench: the emulated chip, and what is around it on the way to a reader's contacts."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cardtwin.readers import UntearableCardError
from cardtwin.readers.wrappers import FaultyCard
from cardtwin.targets.errors import TargetError
from cardtwin.targets.faults import slow
from cardtwin.targets.kept import KeptCard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cardtwin.card import CardImage, EmulatedCard
    from cardtwin.pcsc import Card
    from cardtwin.targets.clock import Sleep
    from cardtwin.targets.faults import FaultSetup
    from cardtwin.targets.interface import CardSetup
    from cardtwin.targets.kept import CardFile

__all__ = ["BenchCard"]


class BenchCard:
    """A card, with its file, its faults and its speed.

    Args:
        name: What it is called on the bench.
        setup: What is peculiar to it.
        chip: The emulated card.
        file: Where its memory is kept; None keeps none. It is closed with the card.
        sleep: Lets the seconds pass that a slow card takes; fewer where the event comes.
        failed: Told when the memory could not be written.

    Attributes:
        name: What it is called.
        model: Its model.
        chip: The emulated card itself.
        contacts: What a reader reaches.
        faults: What goes wrong with it, as it was armed.
        take_out: Takes it out of the reader that it is in; the desk that it lies on says how.

    Raises:
        TargetError: It isn't known how fast a real one is, or its memory can't be kept.
    """

    contacts: Card

    def __init__(
        self,
        name: str,
        setup: CardSetup,
        chip: EmulatedCard,
        *,
        file: CardFile | None,
        sleep: Sleep,
        failed: Callable[[str], object],
    ) -> None:
        self.name = name
        self.model = setup.model
        self.chip = chip
        self.faults: tuple[FaultSetup, ...] = ()
        self.take_out: Callable[[], object] = lambda: None
        self._file = file
        self._kept = None if file is None else _kept(chip, file, failed)
        self._sleep = sleep
        self._hurried = threading.Event()
        self._faulty = FaultyCard(self._kept or chip, (), remove=self._leave, sleep=self._pause)
        self.contacts = (
            slow(self._faulty, setup.model, sleep=self._pause) if setup.real_speed else self._faulty
        )

        for fault in setup.faults:
            self.arm(fault)

    @property
    def path(self) -> str | None:
        """The file that its memory is kept in."""
        return None if self._file is None else str(self._file.path)

    def arm(self, fault: FaultSetup) -> None:
        """Let something more go wrong with it; commands count from now on."""
        try:
            self._faulty.arm(fault.fault())
        except UntearableCardError as error:
            raise TargetError(str(error)) from None

        self.faults = (*self.faults, fault)

    def disarm(self) -> None:
        """Let nothing more go wrong. If it has fallen silent, it answers again after a reset."""
        self._faulty.disarm()
        self.faults = ()

    def load(self, image: CardImage) -> None:
        """Make this its memory. It must not be in a reader that has it powered.

        Raises:
            ImageError: The image is another model's.
            TargetError: The memory can't be kept.
        """
        self.chip.load(image)

        if self._kept is not None:
            _keep(self._kept, self._file)

    @contextmanager
    def hurried(self) -> Iterator[None]:
        """Let it take no time while the block lasts: whoever takes it away waits for no late answer."""
        self._hurried.set()

        try:
            yield
        finally:
            self._hurried.clear()

    def _pause(self, seconds: float) -> None:
        self._sleep(seconds, self._hurried)

    def _leave(self) -> None:
        self.take_out()

    def close(self) -> None:
        """Let go of its file."""
        if self._file is not None:
            self._file.close()


def _kept(chip: EmulatedCard, file: CardFile, failed: Callable[[str], object]) -> KeptCard:
    try:
        return KeptCard(chip, file, failed)
    except OSError as error:
        raise TargetError(f"{file.path}: {error.strerror}") from None


def _keep(kept: KeptCard, file: CardFile | None) -> None:
    try:
        kept.keep()
    except OSError as error:
        raise TargetError(f"{file.path if file else ''}: {error.strerror}") from None
