"""What was taken over of a card, and what wasn't: the image, and the report of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from cardtwin.card.memory import path_text
from cardtwin.targets.takeover.files import Read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cardtwin.card import CardImage, CardModel
    from cardtwin.pcsc import Protocol
    from cardtwin.targets.takeover.files import FileFound
    from cardtwin.targets.takeover.memory import Credential

__all__ = ["Difference", "KeyTaken", "TakenCard"]

_READ = {
    Read.WHOLE: "read",
    Read.PARTLY: "read in part, zeros for the rest",
    Read.REFUSED: "not readable: zeros",
    Read.DIRECTORY: "DF",
}


@dataclass(frozen=True, slots=True)
class KeyTaken:
    """A private key that PKCS#15 lists: its DF and reference, what it is, its label. Its value isn't told."""

    df: str
    reference: int
    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A command that the copy answers otherwise, and both answers; of contents of files, the length only."""

    command: str
    card: str
    copy: str

    def __str__(self) -> str:
        return f"{self.command}: {self.card}, not {self.copy}"


@dataclass(frozen=True, slots=True)
class TakenCard:
    """A card that was read.

    Attributes:
        reader: Where it is.
        protocol: By which it was read.
        model: The model that the copy runs as.
        image: The copy's memory. PINs, keys and an unknown StartKey have no value in it.
        files: What was found, by path.
        omitted: Files that the image doesn't have, by path, with the reason.
        unlisted: DFs whose files the card doesn't list: what nothing refers to is missing.
        credentials: PINs and keys that conditions rest on.
        keys: Private keys.
        differences: What the copy answers otherwise than the card did.
    """

    reader: str
    protocol: Protocol
    model: CardModel
    image: CardImage
    files: Mapping[bytes, FileFound]
    omitted: Mapping[bytes, str]
    unlisted: tuple[bytes, ...]
    credentials: tuple[Credential, ...]
    keys: tuple[KeyTaken, ...]
    differences: tuple[Difference, ...]

    def lines(self) -> Iterator[str]:
        """Yield the report for people. It holds no content of files."""
        image = self.image
        yield f"{self.model.title}, serial {image.serial.hex().upper()}, in {self.reader}"
        yield f"ATR {image.atr.hex(' ').upper()}; life cycle: {image.life_cycle.name.lower()}"

        for path, found in self.files.items():
            if path not in self.omitted:
                size = "" if found.is_df else f", {found.control.size or 0} bytes"
                yield f"file {path_text(path)}  {_READ[found.read]}{size}"

        for path, reason in self.omitted.items():
            yield f"file {path_text(path)}  not in the image: {reason}"

        for df in self.unlisted:
            yield f"DF {path_text(df)}  lists no files: what nothing refers to is missing"

        yield from self._secrets()

        for difference in self.differences:
            yield f"the copy answers otherwise: {difference}"

    def _secrets(self) -> Iterator[str]:
        for found in self.credentials:
            kind = "key" if found.is_key else "PIN"
            tries = "tries assumed" if found.tries is None else f"{found.tries} tries left"
            label = f" {found.label!r}" if found.label else ""
            yield f"{kind} {path_text(found.key.df)}:{found.key.id:02X}{label}  {tries}; no value"

        for key in self.keys:
            yield f"private key {key.df}:{key.reference:02X} {key.label!r}  {key.kind}; no value"

        if not self.image.start_key.key:
            yield "StartKey  no value"

        yield "security environments  can't be read, so there are none"

    def as_json(self) -> dict[str, Any]:
        """Return the report as a value for JSON."""
        return {
            "reader": self.reader,
            "model": self.model.name,
            "serial": self.image.serial.hex().upper(),
            "atr": self.image.atr.hex().upper(),
            "life_cycle": self.image.life_cycle.name.lower(),
            "files": [
                {"path": path_text(path), "read": found.read.value, "size": found.control.size}
                for path, found in self.files.items()
                if path not in self.omitted
            ],
            "omitted": [{"path": path_text(path), "reason": reason} for path, reason in self.omitted.items()],
            "unlisted": [path_text(df) for df in self.unlisted],
            "credentials": [
                {
                    "df": path_text(found.key.df),
                    "reference": found.key.id,
                    "kind": "key" if found.is_key else "PIN",
                    "label": found.label,
                    "tries_left": found.tries,
                }
                for found in self.credentials
            ],
            "keys": [asdict(key) for key in self.keys],
            "start_key": bool(self.image.start_key.key),
            "differences": [asdict(found) for found in self.differences],
        }
