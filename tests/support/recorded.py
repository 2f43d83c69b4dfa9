"""An emulated card with the content of a real one, of which the answers were recorded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cardtwin.card import EmulatedCard, models
from cardtwin.card.memory import MF, Df, Ef, FileKind, ObjectKey, SecurityObject
from cardtwin.card.memory.access import complete
from cardtwin.entropy import SeededEntropy
from cardtwin.pcsc import Protocol

if TYPE_CHECKING:
    from cardtwin.events import Hub

RECORDED = Path(__file__).parents[1] / "golden" / "cardos-5.3-recorded.apdus"
APPLICATION = MF + bytes.fromhex("5015")
ADMINISTRATOR = 0x11
MAIN_PIN = 0x01
BY_RULE = bytes.fromhex("2F1201")
"""Record 1 of the EF of access rules 2F12, which is not among what was recorded."""


def exchanges() -> list[tuple[bytes, bytes]]:
    """Return the recorded commands and answers."""
    lines = [line[2:] for line in RECORDED.read_text().splitlines() if line.startswith(("> ", "< "))]
    data = [bytes.fromhex(line) for line in lines]
    return list(zip(data[::2], data[1::2], strict=True))


def _file(content: bytes, update: int = ADMINISTRATOR, *, size: int = 0, rules: bytes = b"") -> Ef:
    size = size or len(content)
    access = complete(bytes((0, update, update)))
    return Ef(FileKind.TRANSPARENT, size, access, b"\x01", content.ljust(size, b"\0"), rules=rules)


def card_with_that_content(hub: Hub | None = None, reader: str = "R") -> EmulatedCard:
    """Return a card in which the recorded content is, powered; its PIN is 123456."""
    answers = [response[:-2] for _, response in exchanges()]
    files = {
        "5031": _file(answers[5]),
        "5032": _file(answers[7]),
        "4471": _file(answers[9], MAIN_PIN),
        "F001": _file(answers[11]),
        "4401": _file(answers[13], size=1900, rules=BY_RULE),
    }
    model = replace(models.get("cardos-5.3"), max_data=0x0180)
    blank = model.blank()
    pin = SecurityObject(
        option=0x02,
        flags=0x03,
        algorithm=0x87,
        tries_left=3,
        uses_left=0xFF,
        dek=0xFF,
        consent=0,
        min_length=4,
        access=bytes(7),
        body=b"123456",
    )
    image = replace(
        blank,
        files={
            **blank.files,
            APPLICATION: Df(0x1000, complete(b"", df=True), bytes.fromhex("A000000063504B43532D3135")),
            MF + bytes.fromhex("2F12"): Ef(
                FileKind.LINEAR_VARIABLE,
                64,
                complete(b"\0"),
                b"\x04",
                records=(bytes.fromhex("8001019000800106A406830101950108"),),
            ),
            **{APPLICATION + bytes.fromhex(name): content for name, content in files.items()},
        },
        objects={
            ObjectKey(MF, 0, MAIN_PIN): pin,
            ObjectKey(MF, 0, ADMINISTRATOR): replace(pin, algorithm=0x81, body=bytes(16)),
        },
    )
    card = EmulatedCard(model, image=image, entropy=SeededEntropy("recorded"), hub=hub, reader=reader)
    card.power_on(Protocol.ANY)
    return card
