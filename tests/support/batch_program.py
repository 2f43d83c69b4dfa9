"""Makes a batch, and tells of each card and of the workers then: ``python ... PATH COUNT WORKERS``."""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path

from cardtwin.targets.keygeneration import generate
from support.batches import order_of

SEED = "killed"


def main() -> None:
    path, count, workers = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])

    for step in generate(order_of(count=count, seed=SEED), path, resume=True, workers=workers):
        processes = ",".join(str(child.pid) for child in multiprocessing.active_children())
        print(step.done, processes, flush=True)  # noqa: T201  # a program's output


if __name__ == "__main__":
    main()
