"""Proofs: what shows that a requirement is met, and with which outcome.

Steps of scenarios prove what their ``proves`` names, on the target that they ran against. Tests prove what
their mark says; what can be no step of a scenario, since it is about running scenarios, is proved so. A file
of proofs is what one run of pytest leaves for ``cardtwin coverage``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cardtwin.scenario import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from cardtwin.scenario import ScenarioResult

__all__ = ["TESTS", "Proof", "ProofsError", "ProofsFile", "proofs_of"]

TESTS: Final = "tests"
"""What proves where a test does, in the place of a target's name."""


class ProofsError(ValueError):
    """A file is none of proofs."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What shows that a requirement is met.

    Attributes:
        id: The requirement's id.
        by: The target that a step ran against, or ``tests``.
        verdict: How the step or test ended.
        test: The test, as pytest calls it.
        place: Where the step stands, as ``file:line:column``; empty for a test, whose name says it.
    """

    id: str
    by: str
    verdict: Verdict
    test: str
    place: str = ""

    @property
    def where(self) -> str:
        """Where somebody finds it."""
        return self.place or self.test


def proofs_of(result: ScenarioResult, test: str) -> Iterator[Proof]:
    """Yield what a scenario's steps prove.

    Args:
        result: What came of it.
        test: What pytest calls it.
    """
    for step in result.steps:
        for id_ in step.proves:
            yield Proof(id_, result.target, step.verdict, test, step.place)


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    verdict: Verdict
    test: str
    place: str = ""


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: Literal[1]
    status: Annotated[int, Field(ge=0)]
    proofs: dict[str, dict[str, list[_Entry]]]


@dataclass(frozen=True, slots=True)
class ProofsFile:
    """What a run of pytest has proved.

    Attributes:
        status: The exit status of the run.
        proofs: The proofs.
    """

    status: int
    proofs: tuple[Proof, ...]

    @classmethod
    def read(cls, path: Path) -> ProofsFile:
        """Read a file.

        Raises:
            ProofsError: It holds something else.
            OSError: It can't be read.
        """
        try:
            document = _Document.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise ProofsError(f"{path} is no file of proofs, format 1: {_first(error)}") from None

        return cls(document.status, tuple(_proofs(document)))

    def write(self, path: Path) -> None:
        """Write it to a file, which is there as a whole or as it was before.

        Raises:
            OSError: It can't be written.
        """
        scratch = path.with_name(f".{path.name}.{os.getpid()}")

        try:
            text = _document(self).model_dump_json(indent=2, exclude_defaults=True)
            scratch.write_text(f"{text}\n", encoding="utf-8")
            scratch.replace(path)
        except BaseException:
            scratch.unlink(missing_ok=True)
            raise


def _proofs(document: _Document) -> Iterator[Proof]:
    for by, ids in document.proofs.items():
        for id_, entries in ids.items():
            for entry in entries:
                yield Proof(id_, by, entry.verdict, entry.test, entry.place)


def _document(file: ProofsFile) -> _Document:
    proofs: dict[str, dict[str, list[_Entry]]] = {}

    for proof in _in_order(file.proofs):
        entry = _Entry(verdict=proof.verdict, test=proof.test, place=proof.place)
        proofs.setdefault(proof.by, {}).setdefault(proof.id, []).append(entry)

    return _Document(format=1, status=file.status, proofs=proofs)


def _in_order(proofs: Iterable[Proof]) -> list[Proof]:
    """Return proofs in an order that doesn't depend on which test ran first."""
    return sorted(proofs, key=lambda each: (each.by == TESTS, each.by, each.id, each.test, each.place))


def _first(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, found["loc"]))
    return f"{where}: {found['msg']}" if where else found["msg"]
