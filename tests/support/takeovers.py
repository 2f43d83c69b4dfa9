"""Cards that are read, and the emulated cards that their images make."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cardtwin.card import CardImage, EmulatedCard, models
from cardtwin.card.memory import MF, Df, Ef, FileKind, ObjectKey, SecurityObject, path_text
from cardtwin.card.memory.access import complete
from cardtwin.entropy import SeededEntropy
from cardtwin.pcsc import Protocol
from cardtwin.targets.takeover import take_over
from support.tokens import READER, TokenDesk

if TYPE_CHECKING:
    from cardtwin.targets.takeover import TakenCard

MODELS = ("cardos-4.4", "cardos-5.3")
both = pytest.mark.parametrize("model", MODELS)
MAIN_PIN = 0x01
ADMINISTRATOR = 0x11


def taken_from(desk: TokenDesk, *, ask_tries: bool = False) -> TakenCard:
    return take_over(desk.context, READER, ask_tries=ask_tries)


def taken(image: CardImage, *, ask_tries: bool = False) -> TakenCard:
    return taken_from(TokenDesk(image.model, image=image), ask_tries=ask_tries)


def powered(image: CardImage) -> EmulatedCard:
    card = EmulatedCard(models.get(image.model), image=image, entropy=SeededEntropy("copy"))
    card.power_on(Protocol.ANY)
    return card


def answers(image: CardImage, paths: list[bytes]) -> dict[str, list[bytes]]:
    """Return what a card answers to SELECT and to reading, for each file."""
    card = powered(image)
    found = {}

    for path in paths:
        steps = path[2:]
        select = b"\x00\xa4\x08\x00" + bytes((len(steps),)) + steps + b"\0" if steps else b"\0\xa4\0\0\0"
        reads = [bytes.fromhex("00B0") + at.to_bytes(2) + b"\0" for at in range(0, 0x1000, 256)]
        records = [bytes((0, 0xB2, number, 4, 0)) for number in range(1, 5)]
        found[path_text(path)] = [card.process(command) for command in (select, *reads, *records)]

    return found


def pin(value: bytes = b"123456", *, tries: int = 3, algorithm: int = 0x87) -> SecurityObject:
    return SecurityObject(
        option=0x02,
        flags=0x03,
        algorithm=algorithm,
        tries_left=tries,
        uses_left=0xFF,
        dek=0xFF,
        consent=0,
        min_length=4,
        access=bytes(7),
        body=value,
    )


def with_files(model: str, files: dict[str, Df | Ef]) -> CardImage:
    blank = models.get(model).blank()
    more = {MF + bytes.fromhex(path): file for path, file in files.items()}
    objects = {
        ObjectKey(MF, 0, MAIN_PIN): pin(tries=2),
        ObjectKey(MF, 0, ADMINISTRATOR): pin(bytes(16), algorithm=0x02),
    }
    return replace(blank, files={**blank.files, **more}, objects=objects)


def ef(content: bytes, *, read: int = 0, update: int = 0xFF, rules: bytes = b"", active: bool = True) -> Ef:
    access = complete(bytes((read, update, update)))
    return Ef(FileKind.TRANSPARENT, len(content), access, b"\x01", content, active=active, rules=rules)


def in_place_of(desk: TokenDesk, card: EmulatedCard) -> TokenDesk:
    """Put another card into the desk's reader."""
    desk.manager.remove(READER)
    desk.manager.insert(READER, card)
    return desk
