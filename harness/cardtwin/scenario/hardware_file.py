"""The hardware file: which physical card is in which reader, where its PINs are, what may be done to it."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema, model_validator

from cardtwin.card import models
from cardtwin.plan import Secret
from cardtwin.scenario.document import parse_yaml
from cardtwin.scenario.validation import place, validate
from cardtwin.scenario.values import Flag, Hex, Name, Number, ReaderName
from cardtwin.source import Diagnostics, SourceText, closest
from cardtwin.targets.hardware import PhysicalReader
from cardtwin.targets.hardware.permissions import Permissions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cardtwin.scenario.document import Node

__all__ = ["DEFAULT_FILE", "FILE_VARIABLE", "HardwareFile", "find_hardware_file", "json_schema"]

DEFAULT_FILE: Final = "hardware.yaml"
"""The file in the current folder that is read where no other is named."""

FILE_VARIABLE: Final = "CARDTWIN_HARDWARE"
"""The variable of the environment that names the file."""

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class PinModel(_Model):
    """Where a PIN comes from: a variable of the environment, a file of its owner alone, or a person."""

    env: str | None = None
    file: str | None = None
    prompt: Flag = False

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if [self.env is not None, self.file is not None, self.prompt].count(True) != 1:
            raise ValueError("a PIN comes from one place: give 'env', 'file' or 'prompt: yes'")

        return self


def _names(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)

    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)

    raise ValueError("names of commands are expected here, as the plan has them")


CommandNames = Annotated[
    tuple[str, ...],
    PlainValidator(_names),
    WithJsonSchema({"type": ["string", "array"], "items": {"type": "string"}}),
]


class AllowModel(_Model):
    """The most that may be done to a card, whatever a run asks for."""

    destructive: Flag = False
    irreversible: CommandNames = ()
    unverified: Flag = False


class ReaderModel(_Model):
    """A reader, as the PC/SC service calls it, and the card that has to be in it."""

    reader: str
    model: Name | None = None
    atr: Hex | None = None
    serial: Hex | None = None
    pins: dict[str, PinModel] = Field(default_factory=dict)
    allow: AllowModel = AllowModel()
    known_tries: Number | dict[str, Number] | None = None


class HardwareModel(_Model):
    """A hardware file, format 1."""

    format: Annotated[Literal["1"], WithJsonSchema({"enum": [1, "1"]})]
    readers: Annotated[dict[ReaderName, ReaderModel], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class HardwareFile:
    """A hardware file that is in order. PINs aren't read before somebody asks for the readers.

    Attributes:
        path: The file.
    """

    path: Path
    _model: HardwareModel
    _root: Node
    _source: SourceText

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file.

        Raises:
            SourceError: It is wrong; all mistakes are told, with their places.
            OSError: It can't be read.
        """
        source, found = SourceText.read(path), Diagnostics()
        root = parse_yaml(source)
        model = validate(HardwareModel, root, found)

        if model is not None:
            _check(model, root, found)

        found.raise_errors()
        assert model is not None, "without an error there is a model"
        return cls(path, model, root, source)

    @property
    def names(self) -> tuple[str, ...]:
        """The names that scenarios give the readers."""
        return tuple(self._model.readers)

    def readers(self, wanted: frozenset[str], prompt: Callable[[str], str]) -> dict[str, PhysicalReader]:
        """Return the readers, with the PINs of those that are wanted.

        Args:
            wanted: The names of the readers that scenarios are to use.
            prompt: Asks a person for a PIN, by what it is called; its ValueError says why it doesn't.

        Raises:
            SourceError: A PIN isn't where the file says, or others may read it there.
        """
        found = Diagnostics()
        readers = {
            name: _reader(each, self._pins(name, each, prompt, found) if name in wanted else {})
            for name, each in self._model.readers.items()
        }
        found.raise_errors()
        return readers

    def _pins(
        self, name: str, reader: ReaderModel, prompt: Callable[[str], str], found: Diagnostics
    ) -> dict[str, Secret]:
        pins: dict[str, Secret] = {}

        for stands, source in reader.pins.items():
            try:
                pins[stands] = Secret.of(self._pin(f"{name}, {stands}", source, prompt))
            except ValueError as error:
                span = place(self._root, ("readers", name, "pins", stands)).span
                remedy = _NOBODY_TO_ASK if source.prompt else _PIN_REMEDY
                found.error("no-pin", str(error), span, remedy=remedy)

        return pins

    def _pin(self, what: str, source: PinModel, prompt: Callable[[str], str]) -> str:
        """Return a PIN. Raises ValueError where it isn't there."""
        if source.prompt:
            return prompt(f"PIN ({what})")

        if source.env is not None:
            if not (found := os.environ.get(source.env)):
                raise ValueError(f"the environment has no variable {source.env!r}")

            return found

        return _from_file(self.path.parent / (source.file or ""))


_PIN_REMEDY: Final = "put the PIN there, for your eyes alone"
_NOBODY_TO_ASK: Final = "let it come from the environment, by 'env', or from a file, by 'file'"


def find_hardware_file(named: Path | None) -> Path | None:
    """Return the hardware file: the one named, else the environment's, else the usual one if it is there."""
    if named is not None:
        return named

    if path := os.environ.get(FILE_VARIABLE):
        return Path(path)

    usual = Path(DEFAULT_FILE)
    return usual if usual.is_file() else None


def json_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12) of hardware files, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **HardwareModel.model_json_schema(mode="validation"),
        "title": "cardtwin hardware, format 1",
    }


def _from_file(path: Path) -> str:
    """Return the first line of a file of a PIN. Raises ValueError where others may read it."""
    try:
        with path.open(encoding="utf-8") as file:
            status = os.fstat(file.fileno())

            if status.st_mode & _OTHERS:
                raise ValueError(f"others may use {path} (mode {stat.S_IMODE(status.st_mode):o}): chmod 600")

            line = file.readline().rstrip("\r\n")
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no text in UTF-8") from None

    if not line:
        raise ValueError(f"{path} is empty")

    return line


def _reader(model: ReaderModel, pins: Mapping[str, Secret]) -> PhysicalReader:
    limits = Permissions(
        model.allow.destructive,
        frozenset(model.allow.irreversible),
        model.allow.unverified,
        model.known_tries,
    )
    return PhysicalReader(model.reader, model.model, model.atr, model.serial, limits, pins)


def _check(model: HardwareModel, root: Node, found: Diagnostics) -> None:
    used: dict[str, str] = {}

    for name, reader in model.readers.items():
        for key, message, remedy in _wrong(reader):
            found.error("bad-value", message, place(root, ("readers", name, key)).span, remedy=remedy)

        if (other := used.setdefault(reader.reader, name)) != name:
            span = place(root, ("readers", name, "reader")).span
            found.error("bad-value", f"{reader.reader!r} is {other!r} already", span)


def _wrong(reader: ReaderModel) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with a reader: the key, the finding, the remedy."""
    if reader.model is not None and reader.model not in models.names():
        yield "model", f"there is no card model {reader.model!r}", closest(reader.model, models.names())

    if reader.atr is not None and reader.atr[:1] not in {b"\x3b", b"\x3f"}:
        yield "atr", "an ATR begins with 3B or 3F", ""
