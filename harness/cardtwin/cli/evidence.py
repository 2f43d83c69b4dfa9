"""The option of the commands that write evidence of what they run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cardtwin.targets import TargetError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardtwin.evidence import EvidenceFolder
    from cardtwin.scenario import Instance
    from cardtwin.scenario.overrides import Overrides

__all__ = ["evidence_folder", "evidence_option"]

evidence_option: Final = click.option(
    "--evidence",
    type=click.Path(exists=True, file_okay=False, writable=True, path_type=Path),
    metavar="FOLDER",
    help="Write for each scenario which card it was, what was sent, and what is otherwise now; JSON.",
)
"""``--evidence FOLDER``."""


def evidence_folder(
    folder: Path | None, instances: Sequence[Instance], overrides: Overrides
) -> EvidenceFolder | None:
    """Return where evidence goes; None where none is asked for.

    Raises:
        click.UsageError: There is no card to have evidence of, or it would replace other evidence.
    """
    if folder is None:
        return None

    from cardtwin.evidence import EvidenceFolder  # noqa: PLC0415  # only where it is asked for
    from cardtwin.targets.hardware import Permissions  # noqa: PLC0415  # as above

    asked = Permissions() if overrides.hardware is None else overrides.hardware.asked

    try:
        return EvidenceFolder.of(folder, instances, overrides.target, asked)
    except TargetError as error:
        raise click.UsageError(f"--evidence: {error}") from None
