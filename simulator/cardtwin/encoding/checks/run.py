"""Runs the checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.encoding.checks import (  # noqa: F401  # they register
    applications,
    credentials,
    library,
    minidriver,
    outputs,
    pins,
    structure,
    values,
)
from cardtwin.encoding.checks.registry import CHECKS, Scope
from cardtwin.encoding.library import LibraryTable
from cardtwin.provenance import Switches

if TYPE_CHECKING:
    from collections.abc import Collection

    from cardtwin.encoding.description import Description
    from cardtwin.encoding.job import Job
    from cardtwin.source import Diagnostics

__all__ = ["check", "check_job"]


def check(
    description: Description,
    *,
    attachments: Collection[str] | None = None,
    libraries: LibraryTable | None = None,
    switches: Switches | None = None,
) -> Diagnostics:
    """Check a description for itself, without values.

    Args:
        description: The description.
        attachments: Names of the files attached to it; None leaves open whether they are there.
        libraries: The library table; None takes the one that cardtwin ships.
        switches: Chosen behaviour; None takes the defaults.
    """
    return _run(Scope(description, libraries or LibraryTable.default(), switches or Switches(), attachments))


def check_job(
    job: Job, *, libraries: LibraryTable | None = None, switches: Switches | None = None
) -> Diagnostics:
    """Check a description together with the mapping, values and answers of one job."""
    scope = Scope(
        job.description,
        libraries or LibraryTable.default(),
        switches or Switches(),
        tuple(job.attachments),
        job,
    )
    return _run(scope)


def _run(scope: Scope) -> Diagnostics:
    for warning in scope.description.warnings:
        scope.diagnostics.add(warning)

    for look in CHECKS:
        look(scope)

    return scope.diagnostics
