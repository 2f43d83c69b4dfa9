"""Everything that can be wrong with a plan for one card, found before the card is changed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from cardtwin.middleware.blueprint import Blueprint, draw, keys_in
from cardtwin.middleware.ckr import Ckr
from cardtwin.middleware.drivers import Phase
from cardtwin.middleware.errors import (
    CardMismatchError,
    CardNotRecognisedError,
    EraseRefusedError,
    ProfileRefusedError,
)
from cardtwin.middleware.facts import EstimatedFacts
from cardtwin.middleware.names import MF
from cardtwin.middleware.tokens import TokenState
from cardtwin.ppa import card_models
from cardtwin.provenance.middleware import INIT_ON_INITIALISED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from cardtwin.middleware.drivers import CardDriver
    from cardtwin.plan import Access, Content, DirectoryPlan, FilePlan, KeyPlan, PinPlan, Plan, SecretName
    from cardtwin.provenance import Switches

__all__ = ["MARK", "check_family", "check_state", "prepare"]

MARK: Final = 0x7EAE
"""The EF that stands in the MF while a card is changed."""

_TAKEN_IN_MF: Final = frozenset({MARK})
_RESERVED: Final = frozenset({0x0000, MF, 0x3FFF, 0xFFFF})
_MAX_TRIES: Final = 15
_MAX_AID: Final = 16
_MAX_PIN: Final = 64
_FILE_HEADER: Final = 32
_OBJECT_HEADER: Final = 24
_KEY_FILE_SIZE: Final = 0x0200


def check_family(plan: Plan, driver: CardDriver) -> None:
    """See that a plan is for the card's family.

    Raises:
        CardMismatchError: It is for another.
    """
    family = card_models.family_of(plan.card_model)

    if family != driver.family:
        raise CardMismatchError(
            f"{plan.source} is for {family} (CardModel {plan.card_model!r}), the card is {driver.title}"
        )


def check_state(driver: CardDriver, state: TokenState, switches: Switches) -> None:
    """See that a card is in a state in which it can be initialised.

    Raises:
        CardNotRecognisedError: It has no file system.
        EraseRefusedError: It isn't empty, and has to be.
    """
    if driver.phase() is Phase.OTHER:
        raise CardNotRecognisedError("the card is in a phase of its life in which it has no file system")

    if state is not TokenState.BLANK and switches[INIT_ON_INITIALISED] == "refuse":
        raise EraseRefusedError(Ckr.CKR_ACTION_PROHIBITED, "the card is not empty")


def prepare(plan: Plan, driver: CardDriver, chip_serial: bytes, free: int, switches: Switches) -> Blueprint:
    """Return the blueprint of a plan after finding nothing wrong with it.

    Args:
        plan: The plan.
        driver: The card's driver: what it can do is asked, and the card isn't.
        chip_serial: The chip's serial number.
        free: The bytes that the plan can take.
        switches: Which rules hold.

    Raises:
        ProfileRefusedError: Something is wrong; all of it is told. CKR_DEVICE_MEMORY: only room is missing.
    """
    problems = [
        *_pins(plan, driver),
        *_directory(plan.root, (), plan, _RESERVED | driver.reserved_files),
        *_keys(plan, driver),
        *_accesses(plan),
    ]

    if problems:
        raise ProfileRefusedError([f"{plan.source}: {problem}" for problem in problems])

    sizes = _Sizes(plan, driver, chip_serial)
    problems = list(sizes.problems())

    if problems:
        raise ProfileRefusedError([f"{plan.source}: {problem}" for problem in problems])

    if sizes.memory > free:
        raise ProfileRefusedError(
            [f"{plan.source}: the profile needs about {sizes.memory} bytes, the card has {free} free"],
            rv=Ckr.CKR_DEVICE_MEMORY,
        )

    return draw(plan, switches)


def _pins(plan: Plan, driver: CardDriver) -> Iterator[str]:
    roles = Counter(pin.role for pin in plan.pins)
    references = Counter(pin.reference for pin in plan.pins)
    yield from (f"{role.value} is made twice" for role, count in roles.items() if count > 1)
    yield from (f"two PINs have the reference {number}" for number, count in references.items() if count > 1)

    for pin in plan.pins:
        yield from (f"{pin.name}: {problem}" for problem in _pin(pin, roles, driver))

    if _has_circle(plan.pins):
        yield "PINs reset each other in a circle"


def _pin(pin: PinPlan, roles: Counter[SecretName], driver: CardDriver) -> Iterator[str]:
    known = driver.pin_references

    if pin.reference not in known:
        yield f"the reference {pin.reference} is not among {known.start} to {known.stop - 1}"

    if not pin.min_length <= len(pin.value) <= pin.max_length:
        yield f"the value does not have {pin.min_length} to {pin.max_length} bytes"

    if pin.stored_length is not None and pin.max_length > pin.stored_length:
        yield f"{pin.max_length} bytes at most do not go into the {pin.stored_length} that are stored"

    if (pin.stored_length or pin.max_length) > _MAX_PIN:
        yield f"more than {_MAX_PIN} bytes are too many"

    if not 1 <= pin.tries <= _MAX_TRIES:
        yield f"{pin.tries} tries are not among 1 to {_MAX_TRIES}"

    if pin.unblocked_by is not None and pin.unblocked_by not in roles:
        yield f"{pin.unblocked_by.value} is to reset it, and the profile makes none"


def _has_circle(pins: tuple[PinPlan, ...]) -> bool:
    above = {pin.role: pin.unblocked_by for pin in pins}

    for start in above:
        at, steps = above.get(start), 0

        while at is not None and at in above and steps <= len(above):
            if at is start:
                return True

            at, steps = above.get(at), steps + 1

    return False


def _directory(
    directory: DirectoryPlan, above: tuple[int, ...], plan: Plan, reserved: AbstractSet[int]
) -> Iterator[str]:
    path = (*above, directory.file_id)
    children: list[DirectoryPlan | FilePlan] = [*directory.directories, *directory.files]
    counts = Counter(child.file_id for child in children)
    taken = reserved | (_TAKEN_IN_MF if not above else frozenset())
    yield from (
        f"{directory.name}: {number:04X} is there twice" for number, many in counts.items() if many > 1
    )

    for child in children:
        if child.file_id in taken:
            yield f"{child.name}: the identifier {child.file_id:04X} is reserved"

    if len(directory.aid) > _MAX_AID:
        yield f"{directory.name}: an AID has {_MAX_AID} bytes at most"

    for file in directory.files:
        yield from (f"{file.name}: {problem}" for problem in _file(file, plan))

    for inner in directory.directories:
        yield from _directory(inner, path, plan, reserved)


def _file(file: FilePlan, plan: Plan) -> Iterator[str]:
    generated = {key.name for key in plan.keys if key.generate}

    if file.content is None:
        if not file.size:
            yield "it has neither a size nor contents"

        return

    for name in sorted(keys_in(file.content) - generated):
        yield f"its contents need the public half of {name}, which is not made on the card"


def _keys(plan: Plan, driver: CardDriver) -> Iterator[str]:
    places = Counter((key.directory, key.reference) for key in plan.keys)
    directories = set(_paths(plan.root, ()))
    yield from (
        f"two keys have the reference {reference} in one DF"
        for (_, reference), count in places.items()
        if count > 1
    )

    for key in plan.keys:
        yield from (f"{key.name}: {problem}" for problem in _key(key, directories, driver))


def _key(key: KeyPlan, directories: set[tuple[int, ...]], driver: CardDriver) -> Iterator[str]:
    known = driver.key_references

    if key.reference not in known:
        yield f"the reference {key.reference} is not among {known.start} to {known.stop - 1}"

    if key.directory not in directories or len(key.directory) < 2:
        yield "a key lies in a DF that the profile makes"

    if key.size not in driver.key_sizes.get(key.algorithm, ()):
        yield f"{driver.title} does not make {key.algorithm.value} keys of {key.size} bits"


def _paths(directory: DirectoryPlan, above: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    path = (*above, directory.file_id)
    yield path

    for inner in directory.directories:
        yield from _paths(inner, path)


def _accesses(plan: Plan) -> Iterator[str]:
    roles = {pin.role for pin in plan.pins}

    for name, access in _named(plan):
        if access.credential is not None and access.credential not in roles:
            yield f"{name}: the access needs {access.credential.value}, and the profile makes none"


def _named(plan: Plan) -> Iterator[tuple[str, Access]]:
    waiting = [plan.root]

    while waiting:
        directory = waiting.pop()
        waiting += directory.directories

        yield from ((directory.name, access) for access in directory.access.values())

        for file in directory.files:
            yield from ((file.name, access) for access in file.access.values())

    yield from ((key.name, key.access) for key in plan.keys)


class _Sizes:
    """How much room a plan takes."""

    def __init__(self, plan: Plan, driver: CardDriver, chip_serial: bytes) -> None:
        self._plan = plan
        self._limit = driver.max_file_size
        self._facts = EstimatedFacts(chip_serial, plan.keys)

    def problems(self) -> Iterator[str]:
        for _, file in self._plan.root.walk():
            content = self._length(file.content)
            size = content if file.size is None else file.size

            if content > size:
                yield f"{file.name}: {content} bytes do not go into {size}"
            elif not 1 <= size <= self._limit:
                yield f"{file.name}: {size} bytes are not among 1 to {self._limit}"

    def _length(self, content: Content | None) -> int:
        return len(content.resolve(self._facts)) if content else 0

    @property
    def memory(self) -> int:
        """About how many bytes the plan takes; what a file or object takes beyond its contents is a guess."""
        files = sum(
            _FILE_HEADER + (self._length(file.content) if file.size is None else file.size)
            for _, file in self._plan.root.walk()
        )
        directories = _FILE_HEADER * len(list(_paths(self._plan.root, ())))
        pins = sum(_OBJECT_HEADER + (pin.stored_length or len(pin.value)) for pin in self._plan.pins)
        keys = sum(5 * (_OBJECT_HEADER + key.size // 16) for key in self._plan.keys)
        passing = _FILE_HEADER + 1 + (_FILE_HEADER + _KEY_FILE_SIZE if self._plan.keys else 0)
        return files + directories + pins + keys + passing
