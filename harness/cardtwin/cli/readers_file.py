"""The file of ``--readers``: readers and cards, as a scenario has them, and what is put on each card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cardtwin.cli.pairs import hidden_value, parameter
from cardtwin.hosting import CardRequest
from cardtwin.scenario.document import parse_yaml
from cardtwin.scenario.faults import FaultModel
from cardtwin.scenario.model import Reader
from cardtwin.scenario.validation import validate
from cardtwin.scenario.values import Name, NameList, ReaderName
from cardtwin.source import Diagnostics, SourceText

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["EMPTY", "ReadersFile", "read_readers"]

EMPTY: Final = "empty"
"""What is in a reader without a card."""

_OPTION: Final = "--readers"


class CardModel(BaseModel):
    """A card: the keys of a scenario's cards, and those of what is put on it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Name | None = None
    quirks: NameList = ()
    keys: Literal["pool", "fresh"] = "pool"
    image: str | None = None
    serial: str | None = None
    state: Literal["blank", "factory"] | None = None
    keep: str | None = None
    speed: Literal["instant", "real"] = "instant"
    faults: list[FaultModel] = []
    profile: str | None = None
    secrets: dict[str, str] = {}
    parameters: dict[str, str] = {}
    label: str | None = None
    encoding: str | None = None
    fields: dict[str, str] = {}
    answers: dict[Annotated[str, Field(pattern=r"^[0-9]+$")], str] = {}
    attach: list[str] = []
    key_descriptors: str | None = None
    key_properties: str | None = None

    @model_validator(mode="after")
    def _some_card(self) -> CardModel:
        if self.model is None and self.image is None and self.keep is None:
            raise ValueError("which card? Give 'model', or the 'image' of a card")

        return self

    def request(self, folder: Path) -> CardRequest:
        """Return the card, with paths relative to a folder.

        Raises:
            click.BadParameter: A value is elsewhere, and not there.
        """
        return CardRequest(
            model=self.model,
            image=self.image,
            factory=self.state == "factory",
            serial=self.serial,
            keep=self.keep,
            profile=self.profile,
            secrets=_hidden(self.secrets),
            parameters={name: parameter(text, _OPTION, name).hex() for name, text in self.parameters.items()},
            label=self.label,
            encoding=self.encoding,
            fields=_hidden(self.fields),
            answers=_hidden(self.answers),
            attached=tuple(self.attach),
            key_descriptors=self.key_descriptors,
            key_properties=self.key_properties,
            quirks=self.quirks,
            fresh_keys=self.keys == "fresh",
            speed=self.speed,
            faults=tuple(str(fault.setup()) for fault in self.faults),
        ).located(folder)


class ReadersModel(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cards: dict[Name, CardModel] = {}
    readers: dict[ReaderName, Reader]


@dataclass(frozen=True, slots=True)
class ReadersFile:
    """What such a file says.

    Attributes:
        readers: What is in each reader: a card's name, a model, or None.
        cards: The cards by name.
        pinpads: The readers that have a PIN pad.
    """

    readers: Mapping[str, str | None]
    cards: Mapping[str, CardRequest]
    pinpads: tuple[str, ...]


def read_readers(path: Path) -> ReadersFile:
    """Return what such a file says.

    Raises:
        SourceError: It is wrong; all mistakes are told, with their places.
        OSError: It can't be read.
        click.BadParameter: A value is elsewhere, and not there.
    """
    source, found = SourceText.read(path), Diagnostics()
    model = validate(ReadersModel, parse_yaml(source), found)
    found.raise_errors()
    assert model is not None, "without an error there is a model"
    return ReadersFile(
        {name: None if reader.card == EMPTY else reader.card for name, reader in model.readers.items()},
        {name: card.request(path.parent) for name, card in model.cards.items()},
        tuple(name for name, reader in model.readers.items() if reader.pinpad),
    )


def _hidden(values: Mapping[str, str]) -> dict[str, str]:
    return {name: hidden_value(value, _OPTION, name) for name, value in values.items()}
