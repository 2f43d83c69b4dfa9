"""Writes to a kept card without end, and tells each command that was answered: ``python ... IMAGE``."""

from __future__ import annotations

import sys

from cardtwin.card import EmulatedCard, models
from cardtwin.entropy import SeededEntropy
from cardtwin.pcsc import Protocol
from cardtwin.targets.kept import CardFile, KeptCard

SELECT = bytes.fromhex("00A40000024401")
SIZE = 16


def main() -> None:
    file = CardFile(sys.argv[1])
    assert file.image is not None
    inner = EmulatedCard(
        models.get(file.image.model), image=file.image, entropy=SeededEntropy("kept"), reader="R"
    )
    card = KeptCard(inner, file, print)
    card.power_on(Protocol.ANY)
    assert card.process(SELECT)[-2:] == b"\x90\x00"

    for number in range(1 << 30):
        update = bytes.fromhex("00D60000") + bytes((SIZE,)) + number.to_bytes(SIZE)
        assert card.process(update) == b"\x90\x00"
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
