"""The keys of a scenario file, format 1, without its steps: these belong to the verbs."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from cardtwin.middleware import Installation, Version
from cardtwin.scenario.faults import FaultModel
from cardtwin.scenario.values import SCALAR, Flag, Hex, Name, NameList, ReaderName
from cardtwin.targets import names as target_names

__all__ = ["CardModel", "FileReference", "ProcessModel", "Reader", "ScenarioModel"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileReference(_Model):
    """A file that stands elsewhere; its content is taken as it is."""

    path: str


def _parse_file(value: Any) -> str | FileReference:
    if isinstance(value, str):
        return value

    if isinstance(value, dict) and set(value) == {"path"} and isinstance(value["path"], str):
        return FileReference(path=value["path"])

    raise ValueError("a file is a text (a '|' block), or {path: ...} relative to the scenario")


File = Annotated[
    str | FileReference,
    PlainValidator(_parse_file),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": "string", "description": "the content itself; $(name) is replaced in it"},
                {
                    "type": "object",
                    "properties": {"path": {"type": "string", "description": "relative to the scenario"}},
                    "required": ["path"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]


def _parse_target(value: Any) -> str:
    if value not in target_names():
        raise ValueError(f"{value!r} is no target; targets are: {', '.join(target_names())}")

    return str(value)


TargetName = Annotated[
    str, PlainValidator(_parse_target), WithJsonSchema({"type": "string", "enum": list(target_names())})
]


def _parse_version(value: Any) -> str:
    return str(Version.of(str(value)))


ClientVersion = Annotated[
    str,
    PlainValidator(_parse_version),
    WithJsonSchema({"type": "string", "description": "of the client: numbers between dots, such as 5.7.2"}),
]


class CardModel(_Model):
    """A card: its model in the catalogue, and what is peculiar to it."""

    model: Name
    quirks: NameList = ()
    keys: Literal["pool", "fresh"] = "pool"
    image: Name | None = None
    state: Literal["blank", "factory"] | None = None
    speed: Literal["instant", "real"] = "instant"
    faults: list[FaultModel] = []
    keep: str | None = None
    serial: Hex | None = None

    @model_validator(mode="after")
    def _one_memory(self) -> Self:
        if self.image is not None and self.state is not None:
            raise ValueError("an image brings its own state: give 'image' or 'state'")

        if self.image is not None and self.serial is not None:
            raise ValueError("an image brings its own serial number: give 'image' or 'serial'")

        return self


class ReaderModel(_Model):
    """A reader with something of its own, and what is in it."""

    card: Name
    pinpad: Flag = False
    ejects: Flag = False


Reader = Annotated[
    ReaderModel,
    BeforeValidator(lambda value: value if isinstance(value, dict) else {"card": value}),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": SCALAR, "description": "a card, a card model, empty or absent"},
                ReaderModel.model_json_schema(),
            ]
        }
    ),
]


class ProcessModel(_Model):
    """A program that uses the middleware."""

    ppa_config: Name | None = None
    config: Name | None = None
    user_config: Name | None = None
    bits: Literal["32", "64"] = "32"
    version: ClientVersion = Installation().version


class ScenarioModel(_Model):
    """A scenario file, format 1."""

    format: Annotated[Literal["1"], WithJsonSchema({"enum": [1, "1"]})]
    title: str
    description: str = ""
    tags: NameList = ()
    target: TargetName = "emulated"
    middleware: Literal["any", "cardtwin"] = "any"
    seed: str | None = None
    switches: dict[str, str] = {}
    matrix: Any = None
    files: dict[Name, File] = {}
    cards: dict[Name, CardModel] = {}
    readers: dict[ReaderName, Reader]
    processes: dict[Name, ProcessModel] = {}
    requires: Any = None
    steps: Annotated[list[Any], Field(min_length=1)]
