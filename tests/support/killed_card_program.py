"""Kills itself at every moment of a write to a kept card, and tells what is left: ``python ... IMAGE``.

The file's number before the write is 0, after it 1. There is a line for each process that was killed, with
the moment and the number that the file has then; the last one tells how the process ended that nobody killed.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from cardtwin.card import EmulatedCard, models
from cardtwin.card import image as images
from cardtwin.card.memory import MF, Ef
from cardtwin.entropy import SeededEntropy
from cardtwin.pcsc import Protocol
from cardtwin.targets import kept

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

SELECT = bytes.fromhex("00A40000024401")
UPDATE = bytes.fromhex("00D600001000000000000000000000000000000001")
FILE = MF + bytes.fromhex("4401")
LIMITS = (0, 1, 500)
"""So many bytes of the next memory are written, and then the system kills the process in its write."""


def write(path: Path, prepare: Callable[[], object]) -> None:
    """Change the card's memory once; what may end the process is prepared just before."""
    file = kept.CardFile(path)
    assert file.image is not None
    inner = EmulatedCard(
        models.get(file.image.model), image=file.image, entropy=SeededEntropy("kept"), reader="R"
    )
    card = kept.KeptCard(inner, file, print)
    card.power_on(Protocol.ANY)
    assert card.process(SELECT)[-2:] == b"\x90\x00"
    prepare()
    assert card.process(UPDATE) == b"\x90\x00"


def killed_at(line: int) -> Callable[[], object]:
    """Return what lets the process be killed before so many lines of the module were run."""
    left = iter(range(line))

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != kept.__file__:
            return None

        if event == "line" and next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

        return trace

    return lambda: sys.settrace(trace)


def limited_to(size: int) -> None:
    """Let no file grow beyond that."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def left_by(path: Path, before: bytes, prepare: Callable[[], object]) -> tuple[bool, int]:
    """Let a process write; return whether it was killed, and the number in the file."""
    path.write_bytes(before)
    sys.stdout.flush()
    child = os.fork()

    if not child:
        try:
            write(path, prepare)
        finally:
            os._exit(0)

    _, status = os.waitpid(child, 0)
    file = images.load(path).files[FILE]
    assert isinstance(file, Ef)
    return os.WIFSIGNALED(status), int.from_bytes(file.content)


def main() -> None:
    path = Path(sys.argv[1])
    before = path.read_bytes()

    for size in LIMITS:
        print("bytes", size, *left_by(path, before, lambda size=size: limited_to(size)))  # type: ignore[misc]  # noqa: T201  # a program's output

    for line in count():
        killed, number = left_by(path, before, killed_at(line))
        print("line", line, killed, number)  # noqa: T201  # a program's output

        if not killed:
            break


if __name__ == "__main__":
    main()
