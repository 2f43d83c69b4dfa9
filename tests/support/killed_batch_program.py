"""Kills itself before every line of the code that keeps a batch: ``python ... FOLDER NAME``.

For each line that was reached, a batch of three cards is begun in a folder of its own below FOLDER, and
called NAME; the process is killed there. Then what is left is looked at, and the batch is gone on with, and
killed before the same line again, and at last gone on with to its end. The same is done where one card is
there already. There is a line for each, with what was found.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardtwin.issuance.keygeneration import Batch, archive, batch, files
from support.batches import contents, made_up, order_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

COUNT = 3
WATCHED = {module.__file__ for module in (archive, batch, files)}


def make(path: Path, prepare: Callable[[], object]) -> None:
    """Make the batch, or go on with it."""
    order = order_of(count=COUNT)
    prepare()

    with Batch(path, order, resume=True) as made:
        for index in made.missing():
            made.add(made_up(order, index))

        made.finish()


def begin(path: Path, cards: int) -> None:
    """Put the first cards into the batch, if any."""
    if cards:
        order = order_of(count=COUNT)

        with Batch(path, order) as made:
            for index in range(cards):
                made.add(made_up(order, index))


def killed_at(line: int) -> Callable[[], object]:
    """Return what lets the process be killed before a line, when so many others have been run."""
    seen: set[tuple[str, int]] = set()

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename not in WATCHED:
            return None

        if event == "line":
            seen.add((frame.f_code.co_filename, frame.f_lineno))

            if len(seen) > line:
                os.kill(os.getpid(), signal.SIGKILL)

        return trace

    return lambda: sys.settrace(trace)


def was_killed(path: Path, prepare: Callable[[], object]) -> bool:
    """Let a process make the batch; return whether it was killed."""
    sys.stdout.flush()
    child = os.fork()

    if not child:
        status = 1

        try:
            make(path, prepare)
            status = 0
        finally:
            os._exit(status)

    _, status = os.waitpid(child, 0)

    if not os.WIFSIGNALED(status) and os.waitstatus_to_exitcode(status):
        sys.exit("the batch could not be gone on with")

    return os.WIFSIGNALED(status)


def broken_cards(path: Path) -> list[str]:
    """Return the cards in a batch that aren't whole, or that its journal doesn't know."""
    folder = path if path.is_dir() else path.with_name(f"{path.name}.part")
    known: dict[str, set[str]] = {}

    for name in ("journal.jsonl", "production.jsonl"):
        if (folder / name).is_file():
            for line in (folder / name).read_text(encoding="utf-8").splitlines():
                record = json.loads(line)
                known.setdefault(record["image"], set()).add(record["sha256"])

    return [
        image.name
        for image in folder.glob("cards/*.image")
        if hashlib.sha256(image.read_bytes()).hexdigest() not in known.get(f"cards/{image.name}", ())
    ]


def spared(fd: object) -> None:
    """Don't wait for the disk, on which others work: the power stays on."""
    del fd


def main() -> None:
    os.fsync = spared
    folder, name = Path(sys.argv[1]), sys.argv[2]
    (folder / "whole").mkdir()
    make(folder / "whole" / name, lambda: None)
    whole = contents(folder / "whole" / name)

    for begun in (0, 1):
        for line in count():
            path = folder / f"{begun}-{line}" / name
            path.parent.mkdir()
            begin(path, begun)
            killed = was_killed(path, killed_at(line))
            broken = broken_cards(path)
            was_killed(path, killed_at(line))
            broken += broken_cards(path)
            make(path, lambda: None)
            same = contents(path) == whole
            others = sorted(each.name for each in path.parent.iterdir() if each != path)
            print(begun, line, killed, broken, same, others)  # noqa: T201  # a program's output

            if not killed:
                break


if __name__ == "__main__":
    main()
