"""A blueprint put on a card. Whatever can be checked has been; what fails now leaves a card with a mark."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cardtwin.middleware.checks import MARK
from cardtwin.middleware.drivers import KeySpec, Phase, PinSpec
from cardtwin.middleware.facts import KnownFacts
from cardtwin.middleware.names import MF, name_of
from cardtwin.middleware.rights import ANYBODY, NOBODY, OPEN, Condition, Right
from cardtwin.plan import KeyUse, Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.middleware.blueprint import Blueprint, DirectoryStep, FileStep
    from cardtwin.middleware.drivers import CardDriver, PublicKey
    from cardtwin.middleware.journal import Journal
    from cardtwin.middleware.rights import Rights
    from cardtwin.plan import DirectoryPlan, KeyPlan, PinPlan, Plan

__all__ = ["Initialisation", "Initialised"]


@dataclass(frozen=True, slots=True)
class Initialised:
    """What has become of a card.

    Attributes:
        plan: What the profile amounted to.
        public_keys: The public halves of the keys that were made on the card, by the names that the plan has
            for the keys: SubjectPublicKeyInfo (RFC 5280, 4.1) in DER.
    """

    plan: Plan
    public_keys: Mapping[str, bytes] = field(repr=False)


class Initialisation:
    """One run of it, on a card that is empty."""

    def __init__(
        self, driver: CardDriver, blueprint: Blueprint, chip_serial: bytes, journal: Journal
    ) -> None:
        self._driver = driver
        self._blueprint = blueprint
        self._journal = journal
        self._public: dict[str, PublicKey] = {}
        self._facts = KnownFacts(chip_serial, self._public)

    def run(self) -> Mapping[str, bytes]:
        """Do all of it, and return the public halves of the keys by name; see :class:`Initialised`.

        Raises:
            HalfDoneError: It could not be brought to its end; the card tells so by its mark.
        """
        self._begin()

        for pin in self._blueprint.pins:
            self._pin(pin)

        for directory in self._blueprint.directories:
            self._directory(directory)

        for file in self._blueprint.files:
            if not file.keys:
                self._file(file)

        for key in self._blueprint.keys:
            self._key(key)

        for file in self._blueprint.files:
            if file.keys:
                self._file(file)

        self._end()
        return {name: key.spki for name, key in self._public.items()}

    def _begin(self) -> None:
        driver, journal = self._driver, self._journal

        if driver.phase() is Phase.OPERATIONAL:
            with journal.step("go back to administration"):
                driver.phase_control()

        with journal.step("mark the card as unfinished"):
            driver.select((MF,))
            driver.create_file(MARK, 1, OPEN)

    def _pin(self, pin: PinPlan) -> None:
        references = self._blueprint.references
        unblock = Condition(reference=references[pin.unblocked_by]) if pin.unblocked_by else NOBODY
        spec = PinSpec(pin.reference, _padded(pin), pin.tries, pin.min_length, unblock)

        with self._journal.step(f"store {pin.role.value}"):
            self._driver.select((MF,))
            self._driver.put_pin(spec)

    def _directory(self, step: DirectoryStep) -> None:
        with self._journal.step(f"make {name_of(step.path)}"):
            self._driver.select(step.path[:-1])
            size = _room(step.plan) if step.plan.size is None else step.plan.size
            self._driver.create_directory(step.plan.file_id, size, step.plan.aid, OPEN)

    def _file(self, step: FileStep) -> None:
        content = step.plan.content.resolve(self._facts) if step.plan.content else b""
        size = len(content) if step.plan.size is None else step.plan.size
        # Conditions that let nobody write yet, or that BurnFuse decides, are given afterwards.
        later = len(step.path) == 2 or (content and step.rights[Right.UPDATE] != ANYBODY)

        with self._journal.step(f"make {name_of(step.path)}"):
            self._driver.select(step.path[:-1])
            self._driver.create_file(step.plan.file_id, size, OPEN if later else step.rights)
            self._driver.write(content)

            if later and len(step.path) > 2:
                self._driver.set_rights(step.path, step.rights, directory=False)

    def _key(self, plan: KeyPlan) -> None:
        decipher = bool(plan.use & (KeyUse.DECIPHER | KeyUse.DERIVE))
        use = self._blueprint.condition(plan.access)
        spec = KeySpec(plan.reference, plan.algorithm, plan.size, decipher, use)
        what = f"{'generate' if plan.generate else 'make room for'} the key {plan.name}"

        with self._journal.step(what):
            self._driver.select(plan.directory)

            if plan.generate:
                self._public[plan.name] = self._driver.generate_key(spec)
            else:
                self._driver.put_key(spec)

    def _end(self) -> None:
        """Give DFs and the MF their conditions, and take the mark away.

        What erasing needs is closed last. With a fuse that closes the card, the mark goes before: afterwards
        nobody could delete it. From there on the MF's own conditions tell that the card is unfinished.
        """
        blueprint = self._blueprint
        inner = [step for step in reversed(blueprint.directories) if len(step.path) > 2]

        for step in inner:
            self._close(step, directory=True)

        if blueprint.master is None or blueprint.erase == ANYBODY:
            self._close_children()
            self._unmark()

            if blueprint.master is not None:
                self._go_operational()

            return

        still_open = dict.fromkeys((Right.DELETE, Right.CHANGE_CONDITIONS, Right.LIFE_CYCLE), ANYBODY)
        self._close_master({**blueprint.master, **still_open}, "close the MF for new files and objects")
        self._unmark()
        self._go_operational()
        self._close_children()
        self._close_master(blueprint.master, "burn the fuse")

    def _close_children(self) -> None:
        for directory in self._blueprint.directories:
            if len(directory.path) == 2:
                self._close(directory, directory=True)

        for file in self._blueprint.files:
            if len(file.path) == 2:
                self._close(file, directory=False)

    def _close(self, step: DirectoryStep | FileStep, *, directory: bool) -> None:
        with self._journal.step(f"close {name_of(step.path)}"):
            self._driver.select(step.path)
            self._driver.set_rights(step.path, step.rights, directory=directory)

    def _close_master(self, rights: Rights, what: str) -> None:
        with self._journal.step(what):
            self._driver.select((MF,))
            self._driver.set_rights((MF,), rights, directory=True)

    def _unmark(self) -> None:
        with self._journal.step("take the mark away"):
            self._driver.select((MF,))
            self._driver.delete(MARK)

    def _go_operational(self) -> None:
        with self._journal.step("go to the operational phase"):
            self._driver.phase_control()


def _padded(pin: PinPlan) -> Secret:
    value = pin.value.reveal()
    return Secret(value.ljust(pin.stored_length or 0, bytes((pin.pad,))))


def _room(directory: DirectoryPlan) -> int:
    """Return the size of a DF whose plan says none: that of its files."""
    files = sum(file.size or 0 for file in directory.files)
    return min(0xFFFF, files + sum(_room(inner) for inner in directory.directories))
