"""The production list: what is told of each card. It has no PIN."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["CSV_COLUMNS", "CardRecord", "KeyRecord", "csv_lines", "json_line", "parse_line"]

CSV_COLUMNS: Final = (
    "index",
    "serial",
    "iccsn",
    "label",
    "state",
    "fuse",
    "profile",
    "keys",
    "pins_for",
    "image",
    "sha256",
    "public_keys",
)
"""The columns of the list in CSV, in their order; `public_keys` only where they are wanted."""


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key that was made on a card.

    Attributes:
        name: The name that the profile has for it.
        type: ``rsa`` or ``ec``.
        size: Bits of the modulus or of the field.
        fingerprint: SHA-256 of the SubjectPublicKeyInfo in DER, in hex.
        public_key: The SubjectPublicKeyInfo in DER, in hex; empty where it isn't wanted.
    """

    name: str
    type: str
    size: int
    fingerprint: str
    public_key: str = ""


@dataclass(frozen=True, slots=True)
class CardRecord:
    """A line of the production list.

    Attributes:
        index: The card's place in the batch, from 1.
        serial: The chip's serial number, in hex.
        iccsn: The number by which the card goes.
        label: The token's label.
        state: How far the card is: ``initialised``.
        fuse: ``intact``, ``burnt`` or ``unknown``.
        profile: The profile's name, as the card tells it.
        keys: The keys that were made on it.
        pins_for: The id of the key that the encrypted PINs on the card are for, in hex; empty for none.
        image: The file with the card's memory, from the batch's folder on.
        sha256: The SHA-256 of that file, in hex.
    """

    index: int
    serial: str
    iccsn: str
    label: str
    state: str
    fuse: str
    profile: str
    keys: tuple[KeyRecord, ...] = field(repr=False)
    pins_for: str
    image: str
    sha256: str


def json_line(record: CardRecord) -> str:
    """Return the line of a record in JSON Lines, with its end."""
    value = asdict(record)

    for key in value["keys"]:
        if not key["public_key"]:
            del key["public_key"]

    return json.dumps(value) + "\n"


def parse_line(line: bytes) -> CardRecord:
    """Return the record of a line in JSON Lines.

    Raises:
        ValueError: It is none.
    """
    try:
        value: Any = json.loads(line)
        keys = tuple(KeyRecord(**key) for key in value.pop("keys"))
        record = CardRecord(keys=keys, **value)
    except (AttributeError, KeyError, TypeError, RecursionError):
        raise ValueError("this is no record of a card") from None

    if type(record.index) is not int:
        raise ValueError("a card's place is a number")

    return record


def csv_lines(records: Iterable[CardRecord], *, public_keys: bool) -> Iterator[str]:
    """Yield the lines of the list in CSV (RFC 4180), the names of the columns first.

    Keys stand in one field, with a blank between them, as ``NAME=FINGERPRINT`` and ``NAME=KEY``.
    """
    columns = CSV_COLUMNS if public_keys else CSV_COLUMNS[:-1]
    yield _csv_line(columns)

    for record in records:
        row: dict[str, object] = {name: getattr(record, name, "") for name in columns}
        row["keys"] = " ".join(f"{key.name}={key.fingerprint}" for key in record.keys)

        if public_keys:
            row["public_keys"] = " ".join(f"{key.name}={key.public_key}" for key in record.keys)

        yield _csv_line(tuple(row.values()))


def _csv_line(values: Iterable[object]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(values)
    return buffer.getvalue()
