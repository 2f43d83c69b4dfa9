"""A plan made ready for one card: order, sizes and conditions worked out, nothing of it sent yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cardtwin.middleware.names import MF
from cardtwin.middleware.rights import ANYBODY, NOBODY, Condition, Right, Rights
from cardtwin.plan import Operation, PublicKeyOf, Wrapped
from cardtwin.provenance.middleware import UNNAMED_OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cardtwin.plan import (
        Access,
        Content,
        DirectoryPlan,
        FilePlan,
        KeyPlan,
        Part,
        PinPlan,
        Plan,
        SecretName,
    )
    from cardtwin.provenance import Switches

__all__ = ["Blueprint", "DirectoryStep", "FileStep", "draw", "keys_in"]

_FILE_RIGHTS: Final = {
    Operation.READ: (Right.READ,),
    Operation.UPDATE: (Right.UPDATE,),
    Operation.DELETE: (Right.DELETE,),
    Operation.ACTIVATE: (Right.ACTIVATE,),
    Operation.DEACTIVATE: (Right.DEACTIVATE,),
}
_DIRECTORY_RIGHTS: Final = {
    Operation.UPDATE: (Right.OBJECTS_UPDATE,),
    Operation.CREATE: (Right.CREATE, Right.OBJECTS_CREATE),
    Operation.DELETE: (Right.DELETE,),
    Operation.ACTIVATE: (Right.ACTIVATE,),
    Operation.DEACTIVATE: (Right.DEACTIVATE,),
}


@dataclass(frozen=True, slots=True)
class DirectoryStep:
    """A DF to be made; `rights` are those that it has in the end."""

    path: tuple[int, ...]
    plan: DirectoryPlan
    rights: Rights


@dataclass(frozen=True, slots=True)
class FileStep:
    """An EF to be made; `rights` are those that it has in the end, `keys` the keys its content waits for."""

    path: tuple[int, ...]
    plan: FilePlan
    rights: Rights
    keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What is to be done, in order.

    Attributes:
        plan: The plan that it is made of.
        pins: PINs, each behind those that reset it.
        directories: DFs, each behind the one that it is in.
        files: EFs, in the plan's order.
        keys: Keys, in the plan's order.
        references: The PINs' numbers by role.
        master: What BurnFuse writes into the MF's conditions; None leaves the fuse intact.
        erase: Who may erase the card in the end.
    """

    plan: Plan
    pins: tuple[PinPlan, ...]
    directories: tuple[DirectoryStep, ...]
    files: tuple[FileStep, ...]
    keys: tuple[KeyPlan, ...]
    references: Mapping[SecretName, int]
    master: Rights | None
    erase: Condition

    def condition(self, access: Access) -> Condition:
        """Return an access of the plan as a condition on the card."""
        return _condition(access, self.references)


def draw(plan: Plan, switches: Switches) -> Blueprint:
    """Return the blueprint of a plan whose access conditions name none but PINs that it has.

    Raises:
        KeyError: A condition names a secret that is no PIN of the plan.
        ValueError: PINs reset each other in a circle.
    """
    references = {pin.role: pin.reference for pin in plan.pins}
    erase = _condition(plan.erase_access, references) if plan.burn_fuse else ANYBODY
    unnamed = ANYBODY if switches[UNNAMED_OPERATIONS] == "always" else NOBODY
    rights = _RightsOf(references, erase, unnamed)
    return Blueprint(
        plan,
        tuple(_in_order(plan.pins)),
        tuple(rights.directories(plan.root, (MF,))),
        tuple(rights.files(plan.root, (MF,))),
        plan.keys,
        references,
        dict.fromkeys(Right, erase) if plan.burn_fuse else None,
        erase,
    )


def keys_in(content: Content) -> frozenset[str]:
    """Return the names of the keys whose public halves a content needs."""
    return frozenset(_keys_in(content.parts))


def _keys_in(parts: Iterable[Part]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, PublicKeyOf):
            yield part.key
        elif isinstance(part, Wrapped):
            yield from _keys_in(part.parts)


def _condition(access: Access, references: Mapping[SecretName, int]) -> Condition:
    if not access.allowed:
        return NOBODY

    return ANYBODY if access.credential is None else Condition(reference=references[access.credential])


def _in_order(pins: Iterable[PinPlan]) -> Iterator[PinPlan]:
    waiting = {pin.role: pin for pin in pins}

    while waiting:
        ready = [pin for pin in waiting.values() if pin.unblocked_by not in waiting]

        if not ready:
            raise ValueError("PINs reset each other in a circle")

        for pin in ready:
            del waiting[pin.role]

        yield from ready


@dataclass(frozen=True, slots=True)
class _RightsOf:
    references: Mapping[SecretName, int]
    erase: Condition
    unnamed: Condition

    def directories(self, directory: DirectoryPlan, path: tuple[int, ...]) -> Iterator[DirectoryStep]:
        for inner in directory.directories:
            here = (*path, inner.file_id)
            yield DirectoryStep(here, inner, self.of_directory(inner))
            yield from self.directories(inner, here)

    def files(self, directory: DirectoryPlan, path: tuple[int, ...]) -> Iterator[FileStep]:
        for file in directory.files:
            keys = keys_in(file.content) if file.content else frozenset()
            rights = self._rights(file.access, _FILE_RIGHTS)
            yield FileStep((*path, file.file_id), file, rights, keys)

        for inner in directory.directories:
            yield from self.files(inner, (*path, inner.file_id))

    def of_directory(self, directory: DirectoryPlan) -> Rights:
        return self._rights(directory.access, _DIRECTORY_RIGHTS)

    def _rights(
        self, access: Mapping[Operation, Access], table: Mapping[Operation, tuple[Right, ...]]
    ) -> Rights:
        always_told = dict.fromkeys((Right.DELETE, Right.CHANGE_CONDITIONS, Right.LIFE_CYCLE), self.erase)
        rights = dict.fromkeys(Right, self.unnamed) | always_told

        for operation, condition in access.items():
            for right in table.get(operation, ()):
                rights[right] = _condition(condition, self.references)

        return rights
