"""Card images as JSON values: numbers stay numbers, bytes are hex, tables are lists in their order."""

from __future__ import annotations

import itertools
import typing
from dataclasses import fields
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cardtwin.card.errors import ImageError, ImageVersionError
from cardtwin.card.memory import (
    MF,
    CardImage,
    Df,
    Ef,
    File,
    ObjectKey,
    SecurityEnvironment,
    SecurityObject,
    StartKey,
    parent,
    path_text,
)
from cardtwin.card.memory.files import SHAREABLE
from cardtwin.card.memory.lifecycle import LIVING, LifeCycle
from cardtwin.iso7816 import Atr, AtrFormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["VERSION", "decode", "encode"]

VERSION: Final = 1
_FORMAT: Final = "cardtwin card image"
_LONGEST_NAME: Final = 16
_T = TypeVar("_T")
_Key = TypeVar("_Key")


def encode(image: CardImage) -> dict[str, Any]:
    """Return an image as a value for JSON."""
    return {
        "format": _FORMAT,
        "version": VERSION,
        "model": image.model,
        "serial": image.serial.hex().upper(),
        "atr": image.atr.hex().upper(),
        "life_cycle": f"{image.life_cycle:02X}",
        "start_key": _record(image.start_key),
        "packages": [package.hex().upper() for package in image.packages],
        "files": [
            {"path": path_text(path), "type": "DF" if isinstance(file, Df) else "EF", **_record(file)}
            for path, file in image.files.items()
        ],
        "objects": [
            {"df": path_text(key.df), "class": f"{key.class_:02X}", "id": _id_text(key.id), **_record(found)}
            for key, found in image.objects.items()
        ],
        "environments": [
            {"df": path_text(df), "number": number, **_record(found)}
            for (df, number), found in image.environments.items()
        ],
    }


def _record(value: Any) -> dict[str, Any]:
    return {column.name: _plain(getattr(value, column.name)) for column in fields(value)}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex().upper()

    if isinstance(value, IntEnum):
        return value.name

    return [_plain(part) for part in value] if isinstance(value, tuple) else value


def decode(value: Any) -> CardImage:
    """Return the image that a value from JSON stands for.

    Raises:
        ImageVersionError: Its version isn't known here.
        ImageError: It's no card image, or what it says can't be; the message names the place, never a value.
    """
    if not isinstance(value, dict) or value.get("format") != _FORMAT:
        raise ImageError("this is no card image")

    version = value.get("version")

    if type(version) is not int:
        raise ImageError("card.version: a value of type int is expected")

    if version != VERSION:
        raise ImageVersionError(f"a card image of version {version}")

    node = _Node("card", value)
    image = CardImage(
        model=node.take("model", str),
        serial=node.take("serial", bytes),
        atr=node.take("atr", bytes),
        life_cycle=_life_cycle(node),
        files=_table(_file, node.nodes("files")),
        objects=_table(_object, node.nodes("objects")),
        environments=_table(_environment, node.nodes("environments")),
        start_key=_value(node.node("start_key"), StartKey),
        packages=node.take("packages", tuple[bytes, ...]),
    )
    node.done({"format", "version"})
    _check(image)
    return image


class _Node:
    """A JSON object, and where it stands; what is taken from it is checked."""

    def __init__(self, where: str, value: Any) -> None:
        self.where = where

        if not isinstance(value, dict):
            raise ImageError(f"{where}: an object is expected")

        self._value: dict[str, Any] = value
        self._taken: set[str] = set()

    def take(self, name: str, kind: Any) -> Any:
        """Return a member of the kind: str, bytes, int, bool, an IntEnum, a tuple of bytes."""
        self._taken.add(name)

        if name not in self._value:
            raise ImageError(f"{self.where}: {name} is missing")

        return _typed(f"{self.where}.{name}", self._value[name], kind)

    def node(self, name: str) -> _Node:
        """Return a member that is an object."""
        self._taken.add(name)
        return _Node(f"{self.where}.{name}", self._value.get(name))

    def nodes(self, name: str) -> Iterator[_Node]:
        """Yield the objects of a list."""
        self._taken.add(name)
        value = self._value.get(name)

        if not isinstance(value, list):
            raise ImageError(f"{self.where}.{name}: a list is expected")

        return (_Node(f"{self.where}.{name}[{place}]", part) for place, part in enumerate(value))

    def done(self, also: set[str] = frozenset()) -> None:  # type: ignore[assignment]
        """Make sure that nothing is left that wasn't taken."""
        if left := self._value.keys() - self._taken - also:
            raise ImageError(f"{self.where}: unknown member {min(left)}")


def _table(read: Callable[[_Node], tuple[_Key, _T]], nodes: Iterator[_Node]) -> dict[_Key, _T]:
    """Return what the nodes say, by key."""
    table: dict[_Key, _T] = {}

    for node in nodes:
        key, value = read(node)

        if key in table:
            raise ImageError(f"{node.where}: there is one of the same place already")

        table[key] = value

    return table


def _typed(where: str, value: Any, kind: Any) -> Any:
    if typing.get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise ImageError(f"{where}: a list is expected")

        return tuple(_typed(f"{where}[{place}]", part, bytes) for place, part in enumerate(value))

    if kind is bytes:
        return _bytes(where, value)

    if isinstance(kind, type) and issubclass(kind, IntEnum):
        if not isinstance(value, str) or value not in kind.__members__:
            raise ImageError(f"{where}: one of {', '.join(kind.__members__)} is expected")

        return kind[value]

    if type(value) is not kind or (kind is int and value < 0):
        raise ImageError(f"{where}: a value of type {kind.__name__} is expected")

    return value


def _bytes(where: str, value: Any) -> bytes:
    try:
        return bytes.fromhex(value)
    except (TypeError, ValueError):
        raise ImageError(f"{where}: hex digits are expected") from None


def _value(node: _Node, cls: type[_T]) -> _T:
    """Return the rest of a node as a value of a dataclass."""
    kinds = typing.get_type_hints(cls)
    value = cls(**{column.name: node.take(column.name, kinds[column.name]) for column in fields(cls)})  # type: ignore[arg-type]  # a dataclass, which TypeVar can't say
    node.done()
    return value


def _path(node: _Node, name: str) -> bytes:
    path = _bytes(f"{node.where}.{name}", node.take(name, str).replace("/", ""))

    if len(path) % 2 or path[:2] != MF:
        raise ImageError(f"{node.where}.{name}: a path from 3F00 is expected")

    return path


def _number(node: _Node, name: str) -> int:
    value = node.take(name, bytes)

    if len(value) != 1:
        raise ImageError(f"{node.where}.{name}: one byte is expected")

    return value[0]  # type: ignore[no-any-return]


def _id_text(number: int) -> str:
    """Return an object's id: one byte, or two where it's a file's identifier."""
    return f"{number:02X}" if number <= 0xFF else f"{number:04X}"


def _id(node: _Node) -> int:
    value = node.take("id", bytes)

    if len(value) not in {1, 2} or (len(value) == 2 and not value[0]):
        raise ImageError(f"{node.where}.id: one byte is expected, or the two of a file")

    return int.from_bytes(value)


def _life_cycle(node: _Node) -> LifeCycle:
    try:
        return LifeCycle(_number(node, "life_cycle"))
    except ValueError:
        raise ImageError(f"{node.where}.life_cycle: no such phase") from None


def _file(node: _Node) -> tuple[bytes, File]:
    path = _path(node, "path")
    kind = node.take("type", str)

    if kind not in {"DF", "EF"}:
        raise ImageError(f"{node.where}.type: DF or EF is expected")

    file: File = _value(node, Df) if kind == "DF" else _value(node, Ef)
    return path, file


def _object(node: _Node) -> tuple[ObjectKey, SecurityObject]:
    key = ObjectKey(_path(node, "df"), _number(node, "class"), _id(node))
    return key, _value(node, SecurityObject)


def _environment(node: _Node) -> tuple[tuple[bytes, int], SecurityEnvironment]:
    key = _path(node, "df"), node.take("number", int)
    return key, _value(node, SecurityEnvironment)


def _check(image: CardImage) -> None:
    """Make sure that the parts fit together, so that no command meets what a card can't have."""
    try:
        Atr.parse(image.atr)
    except AtrFormatError as error:
        raise ImageError(f"card.atr: {error}") from None

    if image.life_cycle in LIVING and not isinstance(image.files.get(MF), Df):
        raise ImageError("there is no master file")

    holders = {parent(path) for path in image.files} | {key.df for key in image.objects}
    holders |= {df for df, _ in image.environments}

    for df in sorted(holders):
        if not isinstance(image.files.get(df), Df):
            raise ImageError(f"there is no DF {path_text(df)}, but something is in it")

    problems = itertools.chain(
        ((f"file {path_text(path)}", _file_problem(path, file)) for path, file in image.files.items()),
        ((f"object {key}", _object_problem(found)) for key, found in image.objects.items()),
        (
            (f"security environment {number}", _environment_problem(number, found))
            for (_, number), found in image.environments.items()
        ),
        [("start_key", _start_key_problem(image.start_key))],
    )

    for subject, problem in problems:
        if problem:
            raise ImageError(f"{subject}: {problem}")


def _object_problem(found: SecurityObject) -> str:
    numbers = (found.option, found.flags, found.algorithm, found.uses_left, found.dek, found.consent)

    if max(*numbers, found.min_length) > 0xFF or found.tries_left > found.max_tries:
        return "a value is out of range"

    return ""


def _environment_problem(number: int, found: SecurityEnvironment) -> str:
    if number > 0xFF:
        return "its number is out of range"

    return "" if (len(found.access), len(found.components)) == (2, 6) else "a value has the wrong length"


def _start_key_problem(start_key: StartKey) -> str:
    if max(start_key.version, start_key.tries_left) > 0xFF:
        return "a value is out of range"

    return "" if len(start_key.key) in {0, 16} else "the key has the wrong length"


def _file_problem(path: bytes, file: File) -> str:
    least = 9 if isinstance(file, Ef) else 10 if path == MF else 8

    if len(file.access) < least:
        return f"it takes {least} condition bytes"

    if file.size > 0xFFFF:
        return "its size is out of range"

    if isinstance(file, Df):
        return "its name is too long" if len(file.name) > _LONGEST_NAME else ""

    return _ef_problem(file)


def _ef_problem(file: Ef) -> str:
    if not file.descriptor or file.descriptor[0] & ~SHAREABLE != file.kind:
        return "its descriptor is another kind's"

    if file.kind.has_records:
        return _records_problem(file)

    if len(file.content) != file.size or file.records:
        return "its content isn't as long as its size says"

    return ""


def _records_problem(file: Ef) -> str:
    if file.content or file.room < 0:
        return "its records take more than its size"

    if not file.kind.has_fixed_records:
        return "" if all(file.records) else "a record is empty"

    if file.record_length * file.record_count != file.size or not file.size:
        return "its size isn't that of its records"

    if any(len(record) != file.record_length for record in file.records):
        return "a record has the wrong length"

    return ""
