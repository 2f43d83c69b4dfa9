"""``cardtwin run --golden``: traces compared with golden ones, or made these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from cardtwin.scenario import Verdict
from cardtwin.trace.golden import GoldenFile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cardtwin.scenario import Instance
    from cardtwin.scenario.pool import Outcome

__all__ = ["Golden"]

_SCENARIO: Final = ".scenario"


@dataclass(frozen=True, slots=True)
class Golden:
    """A folder of golden traces, one file for each scenario file, with its name.

    Attributes:
        folder: The folder.
        update: Whether what happens is made the golden traces.
        seeded: Whether scenarios without a seed have been given one.
    """

    folder: Path
    update: bool
    seeded: bool

    @classmethod
    def of(
        cls, folder: Path | None, instances: Sequence[Instance], *, update: bool, seeded: bool
    ) -> Golden | None:
        """Return what the options ask for, before anything runs.

        Raises:
            click.UsageError: There is no such folder, or no folder for an update; two files would share one,
                nothing is compared, or a scenario has no seed, so that its trace differs from run to run.
        """
        if folder is not None:
            golden = cls(folder, update, seeded)
            golden.check(instances)
            return golden

        if update:
            raise click.UsageError("--update renews golden traces: say where they are with --golden FOLDER")

        return None

    def check(self, instances: Sequence[Instance]) -> None:
        """Refuse what can't have golden traces; errors as those of :meth:`of`."""
        if not self.folder.is_dir():
            raise click.UsageError(f"there is no folder {self.folder}")

        owners: dict[Path, Path] = {}

        for instance in (instance for instance in instances if self._has(instance.path)):
            owner = owners.setdefault(self._file(instance.path), instance.path)

            if owner != instance.path:
                raise click.UsageError(f"{owner} and {instance.path} would share a golden trace")

            if instance.setup.seed is None and not self.seeded:
                raise click.UsageError(
                    f"{instance.path} has no seed: its trace differs from run to run; give it one, or --seed"
                )

        if not owners:
            raise click.UsageError(f"none of these scenarios has a golden trace in {self.folder}: --update")

    def differences(self, instances: Sequence[Instance], outcomes: Sequence[Outcome]) -> tuple[str, ...]:
        """Return how traces differ from the golden ones; after an update, nothing.

        Args:
            instances: All that the scenario files have.
            outcomes: Of those that ran.

        Raises:
            OSError: A file cannot be read or written.
        """
        found: list[str] = []

        for path in dict.fromkeys(o.result.path for o in outcomes if self._has(o.result.path)):
            traces = [
                outcome.trace
                for outcome in outcomes
                if outcome.result.path == path and outcome.trace is not None and self._counts(outcome)
            ]
            golden = GoldenFile(self._file(path))

            if self.update:
                golden.update(traces, [instance.id for instance in instances if instance.path == path])
            else:
                found += golden.differences(traces).values()

        return tuple(found)

    def _counts(self, outcome: Outcome) -> bool:
        """Whether a trace counts: that of a failure is no golden one."""
        return not self.update or outcome.result.verdict is Verdict.PASSED

    def _has(self, path: Path) -> bool:
        return self.update or self._file(path).exists()

    def _file(self, path: Path) -> Path:
        return self.folder / f"{path.stem.removesuffix(_SCENARIO)}.trace"
