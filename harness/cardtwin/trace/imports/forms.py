"""All forms of logs that are known, and how a log's own is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.source import closest
from cardtwin.trace.imports import apdu4j, opensc, pcscd, scdaemon, spy
from cardtwin.trace.imports.form import Problems
from cardtwin.trace.imports.log import Log
from cardtwin.trace.imports.sinks import Kept, Survey, Written

if TYPE_CHECKING:
    from pathlib import Path

    from cardtwin.trace.imports.draft import Sink
    from cardtwin.trace.imports.form import Form
    from cardtwin.trace.recorder import Trace

__all__ = ["FORMS", "import_log", "import_traces"]


FORMS: Final = {form.name: form for form in (spy.FORM, opensc.FORM, pcscd.FORM, apdu4j.FORM, scdaemon.FORM)}
"""All forms by their names."""

_AS_WRITTEN: Final = (
    "give the log as its program wrote it, without what mail programs or collectors put before lines; "
    "docs/traces.md says how to have one written"
)


def import_log(path: Path, output: Path, form: str | None = None) -> int:
    """Write the traces that a log tells of, and return how many events they have.

    PINs that the log holds in clear are in none of them. The log is read line by line and not kept, so that
    it may be of any length: once to see whether it is right, then again to write.

    Args:
        path: The log.
        output: The trace file. Where something is wrong, it stays as it is.
        form: The log's form's name; found by its lines if not given.

    Raises:
        SourceError: The log is of no known form, of several, or wrong; it names the line.
        OSError: The log cannot be read, or the trace not be written.
    """
    log = Log(path)
    chosen = _chosen(log, form)
    survey = _read(log, chosen)

    with Written(output, survey.timed) as written:
        return _read(log, chosen, written).events


def import_traces(path: Path, form: str | None = None) -> tuple[Trace, ...]:
    """Return the traces that a log tells of, in memory. PINs that it holds in clear are in none of them.

    Args:
        path: The log.
        form: Its form's name; found by the log's lines if not given.

    Raises:
        SourceError: The log is of no known form, of several, or wrong; it names the line.
        OSError: The log cannot be read.
    """
    log, kept = Log(path), Kept()
    return kept.traces(_read(log, _chosen(log, form), kept).timed)


def _read(log: Log, form: Form, sink: Sink | None = None) -> Survey:
    """Put what a log tells into a sink; where that is nothing, or something is wrong, raise it at the end."""
    problems, survey = Problems(log.name), Survey(sink)
    form.read(log, problems, survey)

    if not survey.events and not problems:
        message = "there is nothing in this log that a trace could tell of"
        problems.add("empty-log", message, expected="calls or APDUs", remedy=_AS_WRITTEN)

    problems.raise_all()
    return survey


def _chosen(log: Log, name: str | None) -> Form:
    """Return the form of a log: the one that is named, or else the one whose lines it has.

    Raises:
        SourceError: There is no such form, or the lines are of none or of several.
        OSError: The log cannot be read.
    """
    if name is not None:
        if name not in FORMS:
            remedy = closest(name, FORMS) or f"the forms are {', '.join(FORMS)}"
            raise log.wrong("unknown-form", f"there is no form {name!r}", remedy=remedy)

        return FORMS[name]

    found = log.matching([form.mark for form in FORMS.values()])
    fitting = [form for form in FORMS.values() if form.mark in found]

    if not fitting:
        expected = f"one of {', '.join(FORMS)}"
        message = "this is no log of a known form"
        raise log.wrong("unknown-form", message, expected=expected, remedy=_AS_WRITTEN)

    if len(fitting) > 1:
        names = " and ".join(form.name for form in fitting)
        remedy = "say which form is meant: cardtwin trace import --from FORM"
        raise log.wrong("several-forms", f"this log has lines of {names}", remedy=remedy)

    return fitting[0]
