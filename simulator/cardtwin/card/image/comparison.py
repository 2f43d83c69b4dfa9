"""What is different between two card images, for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from cardtwin.card.memory import Df, Ef, path_text
from cardtwin.card.memory.access import ALWAYS, EfOperation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cardtwin.card.memory import CardImage, File, SecurityEnvironment, SecurityObject

__all__ = ["Difference", "compare"]

_SHOWN: Final = 16
_HIDDEN: Final = "not free to read"
_Key = TypeVar("_Key")
_Entry = TypeVar("_Entry")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which two images differ.

    Attributes:
        subject: A file's path, an object, or a property of the card.
        before: What the first image says; empty where it has no such thing.
        after: What the second one says.
    """

    subject: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.before or 'not there'} -> {self.after or 'not there'}"


def compare(before: CardImage, after: CardImage) -> tuple[Difference, ...]:
    """Return in what two images differ: properties, then file by file, then object by object.

    No PIN and no key is shown, nor the content of a file that isn't free to read.
    """
    return (
        *_card(before, after),
        *_pairs(before.files, after.files, path_text, _file_aspects),
        *_pairs(before.objects, after.objects, str, _object_aspects),
        *_pairs(before.environments, after.environments, _environment_name, _environment_aspects),
    )


def _card(before: CardImage, after: CardImage) -> Iterator[Difference]:
    for subject, one, other in (
        ("model", before.model, after.model),
        ("serial number", _hex(before.serial), _hex(after.serial)),
        ("ATR", _hex(before.atr), _hex(after.atr)),
        ("life cycle", before.life_cycle.name, after.life_cycle.name),
        ("StartKey version", f"{before.start_key.version:02X}", f"{after.start_key.version:02X}"),
        ("StartKey tries", str(before.start_key.tries_left), str(after.start_key.tries_left)),
        ("packages", _hexes(before.packages), _hexes(after.packages)),
    ):
        if one != other:
            yield Difference(subject, one, other)

    if before.start_key.key != after.start_key.key:
        yield Difference("StartKey", "one value", "another value")


def _pairs(
    before: Mapping[_Key, _Entry],
    after: Mapping[_Key, _Entry],
    name: Callable[[_Key], str],
    aspects: Callable[[_Entry, _Entry | None], dict[str, str]],
) -> Iterator[Difference]:
    """Yield the differences of two tables; `aspects` describes one entry, seen beside the other."""
    for key in {**before, **after}:
        one, other = before.get(key), after.get(key)

        if one == other:
            continue

        first = aspects(one, other) if one else {}
        second = aspects(other, one) if other else {}

        if not first or not second:
            whole = [
                ", ".join(f"{aspect} {value}".strip() for aspect, value in at.items())
                for at in (first, second)
            ]
            yield Difference(name(key), *whole)
            continue

        for aspect in {**first, **second}:
            left, right = first.get(aspect, ""), second.get(aspect, "")

            if left != right or left.endswith(_HIDDEN):
                yield Difference(f"{name(key)} {aspect}".strip(), left, right)


def _file_aspects(file: File, other: File | None) -> dict[str, str]:
    aspects = {
        "kind": "DF" if isinstance(file, Df) else file.kind.name.replace("_", " ").lower(),
        "size": f"{file.size} bytes",
        "conditions": _hex(file.access),
        "state": "active" if file.active else "deactivated",
        "options": _hex(file.options),
        **({"rules": _hex(file.rules)} if file.rules else {}),
    }

    if isinstance(file, Df):
        return aspects | ({"AID": _hex(file.name)} if file.name else {})

    return aspects | {"descriptor": _hex(file.descriptor)} | _content(file, other)


def _content(file: Ef, other: File | None) -> dict[str, str]:
    readable = file.access[EfOperation.READ] == ALWAYS and not file.rules

    if not isinstance(other, Ef):
        return {}

    if file.records != other.records:
        records = ", ".join(_hex(record) for record in file.records) if readable else _HIDDEN
        return {"records": f"{len(file.records)}: {records}"}

    if file.content == other.content:
        return {}

    start = _first_difference(file.content, other.content)
    shown = _hex(file.content[start : start + _SHOWN]) if readable else _HIDDEN
    return {f"content from {start:04X}": shown or "the end"}


def _first_difference(one: bytes, other: bytes) -> int:
    shorter = min(len(one), len(other))
    return next((at for at in range(shorter) if one[at] != other[at]), shorter)


def _object_aspects(found: SecurityObject, other: SecurityObject | None) -> dict[str, str]:
    numbers = (found.option, found.flags, found.dek, found.consent, found.min_length, found.tells_tries)
    aspects = {
        "algorithm": f"{found.algorithm:02X}",
        "conditions": _hex(found.access),
        "tries left": f"{found.tries_left} of {found.max_tries}",
        "uses left": f"{found.uses_left:02X}",
        "parameters": _hex(bytes(numbers)),
    }

    if other is not None and other.body != found.body:
        aspects["value"] = _HIDDEN

    return aspects


def _environment_name(key: tuple[bytes, int]) -> str:
    return f"{path_text(key[0])}:SE-{key[1]:02X}"


def _environment_aspects(found: SecurityEnvironment, _other: SecurityEnvironment | None) -> dict[str, str]:
    return {"": f"conditions {_hex(found.access)}, components {_hex(found.components)}"}


def _hexes(values: tuple[bytes, ...]) -> str:
    return ", ".join(map(_hex, values)) or "none"


def _hex(value: bytes) -> str:
    return value.hex(" ").upper()
