"""The folder that evidence goes into: one file for each instance and target."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cardtwin.evidence.masking import Mask
from cardtwin.scenario.secrets import secrets_of
from cardtwin.targets import TargetError, is_physical

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cardtwin.evidence.model import EvidenceDocument
    from cardtwin.evidence.witness import RunWitness
    from cardtwin.scenario import Instance
    from cardtwin.targets.hardware.permissions import Permissions

__all__ = ["EvidenceFile", "EvidenceFolder"]

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9.,=@_+-]+")
_LONGEST: Final = 180


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """A file that is written as a whole, or not at all; its owner alone may read it.

    Attributes:
        path: Where it is.
    """

    path: Path

    def write(self, document: EvidenceDocument) -> None:
        """Put a document in the place of what was there; it is on the disk before this returns.

        Raises:
            TargetError: It can't be written.
        """
        try:
            self._write(document.model_dump_json(indent=2) + "\n")
        except OSError as error:
            raise TargetError(f"the evidence {self.path} can't be written: {error.strerror}") from None

    def _write(self, text: str) -> None:
        descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=".evidence-")

        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())

            Path(name).replace(self.path)
        except BaseException:
            with suppress(FileNotFoundError):
                Path(name).unlink()

            raise


@dataclass(frozen=True, slots=True)
class EvidenceFolder:
    """Evidence of a run of several instances against one target each.

    Attributes:
        folder: The folder; it is there.
        names: The file's name of each instance, by its file and id.
        asked: What is asked to be allowed on physical cards.
    """

    folder: Path
    names: Mapping[tuple[Path, str], str]
    asked: Permissions

    @classmethod
    def of(
        cls, folder: Path, instances: Sequence[Instance], target: str | None, asked: Permissions
    ) -> EvidenceFolder:
        """Return the folder, with a name for the file of each instance.

        Args:
            folder: The folder; it is there.
            instances: What is run.
            target: The target in the place of the scenarios' own; None leaves them theirs.
            asked: What is asked to be allowed on physical cards.

        Raises:
            TargetError: No instance has a card, or there is evidence already that one would replace.
        """
        if not any(card is not None for each in instances for card in each.setup.readers.values()):
            raise TargetError("none of these scenarios has a card in a reader: there is no evidence of any")

        names: dict[tuple[Path, str], str] = {}
        taken: set[str] = set()

        for instance in instances:
            name = _name(instance, target or instance.target, taken)
            taken.add(name.lower())
            names[instance.path, instance.id] = name

            if (folder / name).exists():
                raise TargetError(f"{folder / name} is there already, and evidence isn't replaced")

        return cls(folder, names, asked)

    @contextmanager
    def witness(self, instance: Instance, target: str) -> Iterator[RunWitness]:
        """Have a witness of a run; what interrupts the block is written down as an interrupt."""
        from cardtwin.evidence.witness import RunWitness  # noqa: PLC0415  # only where there is evidence

        asked = self.asked if is_physical(target) else None
        file = EvidenceFile(self.folder / self.names[instance.path, instance.id])
        witness = RunWitness(instance, target, asked, file)

        try:
            yield witness
        except BaseException as error:
            try:
                witness.interrupted()
            except TargetError as unwritten:
                error.add_note(str(unwritten))

            raise


def _name(instance: Instance, target: str, taken: set[str]) -> str:
    """Return a name that every file system takes, that no other instance has, and that shows no secret."""
    text = Mask(secrets_of(instance)).text(f"{instance.id}@{target}")
    safe = _UNSAFE.sub("_", text).strip("._")[:_LONGEST]
    names = (f"{safe}{suffix}.json" for suffix in ("", *(f"-{n}" for n in range(2, len(taken) + 3))))
    return next(name for name in names if name.lower() not in taken)
