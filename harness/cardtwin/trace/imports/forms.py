"""All forms of logs that are known, and how a log's own is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.source import SourceText, closest
from cardtwin.trace.imports import apdu4j, opensc, pcscd, scdaemon, spy
from cardtwin.trace.imports.form import Problems

if TYPE_CHECKING:
    from pathlib import Path

    from cardtwin.trace.imports.form import Form
    from cardtwin.trace.recorder import Trace

__all__ = ["FORMS", "import_traces"]


FORMS: Final = {form.name: form for form in (spy.FORM, opensc.FORM, pcscd.FORM, apdu4j.FORM, scdaemon.FORM)}
"""All forms by their names."""


def import_traces(path: Path, form: str | None = None) -> tuple[Trace, ...]:
    """Return the traces that a log tells of. PINs that it holds in clear are in none of them.

    Args:
        path: The log.
        form: Its form's name; found by the log's lines if not given.

    Raises:
        SourceError: The log is of no known form, of several, or wrong; it names the line.
        OSError: The log cannot be read.
    """
    source = SourceText.read(path)
    problems = Problems(source)
    chosen = _named(form, problems) if form is not None else _recognised(source, problems)
    traces = tuple(chosen.read(source, problems)) if chosen is not None else ()

    if not traces and not problems:
        problems.add("empty-log", "there is nothing in this log that a trace could tell of")

    problems.raise_all()
    return traces


def _named(name: str, problems: Problems) -> Form | None:
    if name not in FORMS:
        remedy = closest(name, FORMS) or f"the forms are {', '.join(FORMS)}"
        problems.add("unknown-form", f"there is no form {name!r}", remedy=remedy)

    return FORMS.get(name)


def _recognised(source: SourceText, problems: Problems) -> Form | None:
    """Return the form whose lines the log has."""
    fitting = [form for form in FORMS.values() if form.mark.search(source.text)]

    if not fitting:
        expected = f"one of {', '.join(FORMS)}"
        problems.add("unknown-form", "this is no log of a known form", expected=expected)
    elif len(fitting) > 1:
        names = " and ".join(form.name for form in fitting)
        remedy = "say which form is meant (--from)"
        problems.add("several-forms", f"this log has lines of {names}", remedy=remedy)

    return fitting[0] if len(fitting) == 1 else None
