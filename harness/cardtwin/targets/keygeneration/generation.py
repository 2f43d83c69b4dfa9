"""Making a batch, in this process or in several."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, cast

from cardtwin.events import Defect
from cardtwin.issuance.keygeneration import (
    Batch,
    GenerationBrokenError,
    KeyGenerationError,
    ProducedCard,
)
from cardtwin.targets.keygeneration.desk import PersonalisationDesk
from cardtwin.targets.processes import bury, context, leave_interrupts_to_the_parent, start

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from datetime import datetime
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess
    from pathlib import Path

    from cardtwin.issuance.keygeneration import BatchOrder, CardRecord

__all__ = ["Progress", "generate"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a batch is.

    Attributes:
        done: How many cards are there.
        count: How many there will be.
        record: The line of the card that has come last; None before the first.
    """

    done: int
    count: int
    record: CardRecord | None = None


def generate(
    order: BatchOrder,
    path: Path,
    *,
    resume: bool = False,
    workers: int = 1,
    now: datetime | None = None,
) -> Generator[Progress]:
    """Make a batch, and tell how far it is after each card. The batch is the same whatever `workers` is.

    Closing the generator ends the work; the cards until there are in the batch.

    Args:
        order: What is ordered.
        path: The folder that it comes into, or the archive where the name ends in ``.zip``.
        resume: Go on with what an earlier run has left there; where there is nothing, begin.
        workers: How many processes make cards.
        now: The time, for the PIN encryption certificate's dates; None takes the system's.

    Raises:
        KeyGenerationError: The batch can't be made there; see :class:`Batch`. CardFailedError: a card can't.
            GenerationBrokenError: a defect showed, or a process has ended.
        SourceError: The profile can't be read.
        OSError: Something can't be written.
    """
    desk = PersonalisationDesk(order, now)

    with Batch(path, order, resume=resume) as batch:
        done = batch.done
        yield Progress(done, order.count)

        for card in _cards(desk, batch.missing(), min(workers, order.count - done)):
            batch.add(card)
            done += 1
            yield Progress(done, order.count, card.record)

        batch.finish()


def _cards(desk: PersonalisationDesk, missing: Iterator[int], workers: int) -> Iterator[ProducedCard]:
    # The first card is made here in any case: it shows whether the profile goes onto such a card.
    for index in missing:
        yield _made(_answer(desk, index))

        if workers > 1:
            break

    if workers > 1:
        yield from _Workers(desk.order, desk.now, missing, workers).cards()


class _Workers:
    """Processes that make the cards of one order."""

    def __init__(self, order: BatchOrder, now: datetime | None, missing: Iterator[int], workers: int) -> None:
        self._missing = missing
        how = context("cardtwin.targets.keygeneration.generation")
        self._busy: dict[Connection, BaseProcess] = {}
        self._idle: list[BaseProcess] = []

        try:
            for _ in range(workers):
                process, pipe = start(how, _work, order, now)
                self._busy[pipe] = process
        except BaseException:
            self._end()
            raise

    def cards(self) -> Iterator[ProducedCard]:
        """Yield the cards as they come."""
        try:
            for pipe in tuple(self._busy):
                self._give(pipe)

            while self._busy:
                for pipe in cast("list[Connection]", wait(tuple(self._busy))):
                    card = self._received(pipe)
                    self._give(pipe)
                    yield card
        finally:
            self._end()

    def _give(self, pipe: Connection) -> None:
        """Let a worker make the next card; where there is none, let it end."""
        index = next(self._missing, None)

        if index is None:
            self._idle.append(self._busy.pop(pipe))
            pipe.close()
            return

        with suppress(OSError):  # it is gone: that shows when its card doesn't come
            pipe.send(index)

    def _received(self, pipe: Connection) -> ProducedCard:
        try:
            answer: ProducedCard | KeyGenerationError = pipe.recv()
        except (EOFError, OSError):
            process = self._busy[pipe]
            bury(process)
            raise GenerationBrokenError(
                f"a worker process ended with status {process.exitcode}; the cards that are there stay: "
                "go on with --resume"
            ) from None

        return _made(answer)

    def _end(self) -> None:
        for pipe, process in self._busy.items():
            pipe.close()
            process.terminate()

        for process in (*self._idle, *self._busy.values()):
            bury(process)

        self._busy.clear()


def _work(pipe: Connection, order: BatchOrder, now: datetime | None) -> None:
    """Make the cards that are asked for until the pipe is closed: a worker's main function."""
    leave_interrupts_to_the_parent()
    desk = PersonalisationDesk(order, now)

    # A pipe that is closed, at whatever moment, tells that nobody wants cards any more.
    with suppress(EOFError, OSError):
        while True:
            pipe.send(_answer(desk, pipe.recv()))


def _answer(desk: PersonalisationDesk, index: int) -> ProducedCard | KeyGenerationError:
    """Make a card, or return why it isn't there, as it goes through a pipe."""
    try:
        return desk.make(index)
    except KeyGenerationError as error:
        return error
    except Exception as error:  # noqa: BLE001  # its text may hold a secret: where it was has to do
        return GenerationBrokenError.of(Defect.of("making a card", error))


def _made(answer: ProducedCard | KeyGenerationError) -> ProducedCard:
    if isinstance(answer, KeyGenerationError):
        raise answer

    return answer
