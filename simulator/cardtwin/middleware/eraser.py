"""Erasing a card by its own conditions, file by file, until it is as empty as at delivery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardtwin.middleware.checks import MARK
from cardtwin.middleware.drivers import Phase
from cardtwin.middleware.errors import EraseRefusedError
from cardtwin.middleware.names import MF, name_of
from cardtwin.middleware.rights import OPEN, Right

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from cardtwin.middleware.ckr import Ckr
    from cardtwin.middleware.client import PersonalDesktopClient
    from cardtwin.middleware.credentials import Login
    from cardtwin.middleware.drivers import CardDriver, FileInfo
    from cardtwin.middleware.journal import Journal

__all__ = ["CardEraser", "Child", "ErasePlan", "erase", "examine", "occupied"]


class CardEraser:
    """The virtual object of that name on one reader's card."""

    def __init__(self, client: PersonalDesktopClient, reader: str) -> None:
        self._client = client
        self._reader = reader

    def destroy(self, login: Login | None = None) -> None:
        """Erase the card: no file, PIN or key is left, and its conditions are open.

        Raises:
            CredentialError: The login failed; the card isn't erased.
            EraseRefusedError: The card's conditions don't allow it to whoever is logged in; nothing changed.
            HalfDoneError: It could not be brought to its end.
            CardLostError: The card could not be spoken to.
        """
        self._client.erase(self._reader, login)


@dataclass(frozen=True, slots=True)
class Child:
    """A file in the MF."""

    file_id: int
    info: FileInfo


@dataclass(frozen=True, slots=True)
class ErasePlan:
    """What stands in the way of erasing a card, as far as it tells without being changed.

    Attributes:
        phase: The phase of the card's life.
        master: What the card tells about the MF; None where it has none.
        children: The files in the MF.
    """

    phase: Phase
    master: FileInfo | None
    children: tuple[Child, ...] = ()

    def obstacles(self, verified: AbstractSet[int]) -> Iterator[str]:
        """Yield what these verified credentials don't let happen; nothing where the card can be erased."""
        if self.master is None:
            yield "finding a file system"
            return

        if self.phase is Phase.OPERATIONAL and not self._master_lets(Right.LIFE_CYCLE, verified):
            yield "leaving the operational phase"

        if not self._master_lets(Right.CHANGE_CONDITIONS, verified):
            yield "opening the MF's conditions"

        for child in self.children:
            if not self.deletable(child, verified):
                yield f"deleting {name_of((MF, child.file_id))}"

    def _master_lets(self, right: Right, verified: AbstractSet[int]) -> bool:
        rights = (self.master.rights if self.master else None) or {}
        return right in rights and rights[right].met(verified)

    def deletable(self, child: Child, verified: AbstractSet[int]) -> bool:
        """Whether a file in the MF can be deleted, if need be after its conditions have been opened."""
        return self.deletable_as_it_is(child, verified) or self.openable(child, verified)

    def deletable_as_it_is(self, child: Child, verified: AbstractSet[int]) -> bool:
        """Whether the file's own condition on deletion is met."""
        rights = child.info.rights or {}
        return Right.DELETE in rights and rights[Right.DELETE].met(verified)

    def openable(self, child: Child, verified: AbstractSet[int]) -> bool:
        """Whether the file's conditions can be changed; where it doesn't tell, as the MF's."""
        rights = child.info.rights or {}

        if Right.CHANGE_CONDITIONS in rights:
            return rights[Right.CHANGE_CONDITIONS].met(verified)

        return self._master_lets(Right.CHANGE_CONDITIONS, verified)


def examine(driver: CardDriver) -> ErasePlan:
    """Return what the card tells. Changes nothing."""
    phase = driver.phase()
    master = driver.select((MF,)) if phase is not Phase.OTHER else None
    return ErasePlan(phase, master, tuple(_children(driver, (MF,))) if master else ())


def _children(driver: CardDriver, directory: tuple[int, ...]) -> Iterator[Child]:
    """Yield what is in the current DF; other files are current afterwards."""
    for file_id in driver.children():
        info = driver.select((*directory, file_id))

        if info is not None:
            yield Child(file_id, info)


def occupied(driver: CardDriver, directory: tuple[int, ...] = (MF,)) -> int:
    """Return how many bytes erasing gives back at least: the contents of the files in a DF and below."""
    if driver.select(directory) is None:
        return 0

    total = 0

    for child in tuple(_children(driver, directory)):
        inner = child.info.directory
        total += occupied(driver, (*directory, child.file_id)) if inner else child.info.size or 0

    return total


def erase(driver: CardDriver, verified: AbstractSet[int], journal: Journal, refused: Ckr) -> None:
    """Take everything off a card, and open its conditions again.

    Args:
        driver: The card's driver.
        verified: References of credentials that are verified.
        journal: Where changes are told.
        refused: What PKCS#11 returns where the card's conditions refuse.

    Raises:
        EraseRefusedError: The card's conditions don't allow all of it; nothing has changed.
        HalfDoneError: It could not be brought to its end; the card tells so by its mark.
    """
    plan = examine(driver)
    obstacles = list(plan.obstacles(verified))

    if obstacles:
        raise EraseRefusedError(refused, f"the card does not allow: {', '.join(obstacles)}")

    if plan.phase is Phase.OPERATIONAL:
        with journal.step("go back to administration"):
            driver.phase_control()

    with journal.step("open the MF's conditions"):
        driver.select((MF,))
        driver.set_rights((MF,), OPEN, directory=True)

    if all(child.file_id != MARK for child in plan.children):
        with journal.step("mark the card as unfinished"):
            driver.create_file(MARK, 1, OPEN)

    for child in plan.children:
        if child.file_id != MARK:
            _delete(driver, plan, child, verified, journal)

    with journal.step("delete the PINs"):
        _delete_pins(driver)

    with journal.step("take the mark away"):
        driver.delete(MARK)


def _delete(
    driver: CardDriver, plan: ErasePlan, child: Child, verified: AbstractSet[int], journal: Journal
) -> None:
    path = (MF, child.file_id)

    if not plan.deletable_as_it_is(child, verified):
        with journal.step(f"open {name_of(path)}"):
            driver.select(path)
            driver.set_rights(path, OPEN, directory=child.info.directory)

    with journal.step(f"delete {name_of(path)}"):
        driver.select((MF,))
        driver.delete(child.file_id)


def _delete_pins(driver: CardDriver) -> None:
    driver.select((MF,))

    for reference in driver.pin_references:
        driver.delete_pin(reference)
