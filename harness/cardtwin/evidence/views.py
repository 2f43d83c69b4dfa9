"""A reader of the scenario, looked at before and after the run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cardtwin.evidence.changes import found_change, seen, tries_kept, tries_left
from cardtwin.evidence.model import Permitted, Reader, TriesLeft, TriesSpent
from cardtwin.targets import TargetError
from cardtwin.targets.hardware import HardwareBench

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cardtwin.card import CardImage
    from cardtwin.evidence.masking import Mask
    from cardtwin.targets import Bench
    from cardtwin.targets.hardware import Guard, Permissions
    from cardtwin.targets.takeover import TakenCard

__all__ = ["ReaderView", "permitted"]


@dataclass(frozen=True, slots=True)
class _Look:
    """What one look has shown.

    Attributes:
        card: The card; None where it wasn't seen.
        why: Why it wasn't.
        memory: The memory of an emulated card.
        spent: What the ledger says of a physical one.
    """

    card: TakenCard | None = None
    why: str = ""
    memory: CardImage | None = None
    spent: Mapping[str, int] = field(default_factory=dict)


class ReaderView:
    """One reader, and what was seen of its card.

    Args:
        name: The scenario's name of it.
        model: The model of the card that is to be in it at the start; None for none.
    """

    def __init__(self, name: str, model: str | None) -> None:
        self._name = name
        self._model = model
        self._before = _Look(why="the card wasn't looked at before the run")
        self._after = _Look(why="the card wasn't looked at after the run")
        self._guard: Guard | None = None
        self._service_name: str | None = None

    def look_before(self, bench: Bench) -> None:
        """Look at the card before the first step."""
        if isinstance(bench, HardwareBench):
            self._guard = bench.guards.get(self._name)
            self._service_name = bench.names[self._name]

        self._before = self._look(bench, "before")

    def look_after(self, bench: Bench) -> None:
        """Look at the card when the programs are gone."""
        self._after = self._look(bench, "after")

    def told(self, mask: Mask) -> Reader:
        """Return what is known of the reader now."""
        before, after, guard = self._before.card, self._after.card, self._guard
        same = before is not None and after is not None and before.image.serial == after.image.serial
        return Reader(
            name=self._name,
            service_name=self._service_name,
            expected_model=self._model,
            permitted=None if guard is None else permitted(guard.allowed),
            before=None if before is None else seen(before),
            after=None if after is None else seen(after),
            not_seen=tuple(filter(None, (self._before.why, self._after.why))),
            tries_left=tuple(self._tries_left()),
            tries_spent=tuple(self._tries_spent()),
            changed=found_change(before, after, mask) if same and before and after else None,
            account=() if guard is None else guard.account,
            login_left=guard is not None and guard.logged_in,
        )

    def _look(self, bench: Bench, when: str) -> _Look:
        physical = isinstance(bench, HardwareBench)
        card, why, memory = None, "", None
        spent: Mapping[str, int] = {}

        try:
            # The ledger first: it is there also where the card isn't any more.
            spent = self._in_the_ledger(bench)
            memory = None if physical else bench.desk.image(self._name)
            card = bench.look(self._name)
        except TargetError as error:
            why = f"{when} the run: {error}"

        return _Look(card, why, memory, spent)

    def _in_the_ledger(self, bench: Bench) -> Mapping[str, int]:
        if not isinstance(bench, HardwareBench) or self._guard is None or self._guard.serial is None:
            return {}

        return dict(bench.ledger.spent(self._guard.serial))

    def _tries_left(self) -> Iterator[TriesLeft]:
        told = list(tries_left(self._before.card, self._after.card))
        yield from told
        known = {each.credential for each in told}
        kept = tries_kept(self._before.memory, self._after.memory)
        yield from (each for each in kept if each.credential not in known)

        for name, left in ({} if self._guard is None else self._guard.told).items():
            yield TriesLeft(credential=name, told_by="guard", before=None, after=left)

    def _tries_spent(self) -> Iterator[TriesSpent]:
        before, after = self._before.spent, self._after.spent

        for name in dict.fromkeys((*before, *after)):
            yield TriesSpent(credential=name, before=before.get(name, 0), after=after.get(name, 0))


def permitted(permissions: Permissions) -> Permitted:
    """Return permissions for a document."""
    known = permissions.known_tries
    return Permitted(
        destructive=permissions.destructive,
        irreversible=tuple(sorted(permissions.irreversible)),
        unverified=permissions.unverified,
        known_tries=known if known is None or isinstance(known, int) else dict(known),
    )
