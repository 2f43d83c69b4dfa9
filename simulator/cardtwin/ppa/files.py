"""From declared files to files with contents: everything is worked out, and has to fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.ppa import readers
from cardtwin.ppa.errors import RejectedError
from cardtwin.ppa.layout import Directory, File, least_length
from cardtwin.source import Note

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardtwin.ppa.run import Run
    from cardtwin.source import Diagnostics

__all__ = ["complete"]


def complete(run: Run) -> None:
    """Work the contents out, and check identifiers and sizes. Findings go to the run's report."""
    for file in run.layout.files():
        _fill(run, file)

    directories = run.layout.directories()

    for directory in directories:
        _check_ids(directory, run.report)
        _check_room(directory, run.report)

    _check_aids(directories, run.report)


def _fill(run: Run, file: File) -> None:
    if file.body is None:
        if file.size is None and file.name.key not in run.broken:
            _no_content(run, file)

        return

    try:
        file.content = readers.content(run, file.body.data)
    except RejectedError:
        return

    length = least_length(file.content)

    if file.size is None and file.content.is_literal and not length:
        _no_content(run, file)
    elif file.size is not None and length > file.size:
        run.report.error(
            "too-long",
            f"the contents of {file.name.text} take {length} bytes, and the file has {file.size}",
            file.body.data.span,
            remedy=f"make maxsize at least {length}",
            notes=(Note("the file's size", file.size_span),),
        )


def _no_content(run: Run, file: File) -> None:
    run.report.error(
        "auto-without-content",
        f"{file.name.text} takes its size from its contents, and has none",
        file.size_span,
        remedy=f"give it a size in bytes, or contents with File Static {file.name.text}",
    )


def _check_ids(directory: Directory, report: Diagnostics) -> None:
    """File identifiers differ within a DF (ISO/IEC 7816-4:2020, 7.4.1)."""
    first: dict[int, Directory | File] = {}

    for child in sorted(directory.children(), key=lambda each: (each.id_span.line, each.id_span.column)):
        other = first.setdefault(child.file_id, child)

        if other is not child:
            report.error(
                "duplicate-file-id",
                f"{child.name.text} has the file identifier of {other.name.text}, {child.file_id:04X}",
                child.id_span,
                remedy="choose another identifier",
                notes=(Note("the first one", other.id_span),),
            )


def _check_room(directory: Directory, report: Diagnostics) -> None:
    if directory.size is None:
        return

    used = 0

    for child in directory.children():
        used += child.least_size

        if used > directory.size:
            report.error(
                "directory-overflow",
                f"{directory.name.text} has {directory.size} bytes, and with {child.name.text} its files "
                f"take {used} or more",
                child.size_span,
                remedy="make the directory larger or its files smaller",
                notes=(Note("the directory's size", directory.size_span),),
            )
            return


def _check_aids(directories: Iterable[Directory], report: Diagnostics) -> None:
    first: dict[bytes, Directory] = {}

    for directory in directories:
        other = first.setdefault(directory.aid, directory) if directory.aid else directory

        if other is not directory:
            report.error(
                "duplicate-aid",
                f"{directory.name.text} has the aid of {other.name.text}",
                directory.name.span,
                remedy="choose another aid",
                notes=(Note("the first one", other.name.span),),
            )
